#include "cli/json_reader.hpp"

#include "cli/terminal.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace pawl::cli {
namespace {

/// Looks at brackets outside of strings only: enough to bound the depth of anything that then parses.
bool nests_too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > json_depth_max) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace

json read_json(std::string_view text, std::string& problem) {
  if (nests_too_deep(text)) {
    problem = "nested deeper than " + std::to_string(json_depth_max);
    return json(json::value_t::discarded);
  }
  auto out = json::parse(text.begin(), text.end(), nullptr, false);
  if (out.is_discarded()) problem = "no JSON";
  return out;
}

std::string json_line(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string indented(const json& value) {
  const auto text = value.dump(2, ' ', false, json::error_handler_t::replace);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    out += printable(std::string_view{text}.substr(at, end - at)) + '\n';
    at = end + 1;
  }
  return out;
}

json_fields::json_fields(const json& object) : object_(object) {
  if (!object_.is_object()) complain("it is no object");
}

void json_fields::complain(std::string text) {
  if (problem_.empty()) problem_ = std::move(text);
}

bool json_fields::has(const char* name) const { return object_.is_object() && object_.contains(name); }

const json& json_fields::field(const char* name, const char* type, bool (*fits)(const json&)) {
  static const json none;
  if (!object_.is_object()) return none;
  const auto found = object_.find(name);
  if (found == object_.end()) complain("'" + std::string{name} + "' is missing");
  else if (!fits(*found)) complain("'" + std::string{name} + "' is not " + type);
  else return *found;
  return none;
}

std::string json_fields::text(const char* name, std::size_t bytes_max) {
  const auto& value = field(name, "a text", [](const json& v) { return v.is_string(); });
  if (!value.is_string()) return {};
  auto out = value.get<std::string>();
  if (out.size() <= bytes_max) return out;
  complain("'" + std::string{name} + "' is longer than " + std::to_string(bytes_max) + " bytes");
  return {};
}

std::uint64_t json_fields::count(const char* name, std::uint64_t max) {
  const auto& value = field(name, "a whole number from 0", [](const json& v) { return v.is_number_unsigned(); });
  if (!value.is_number_unsigned()) return 0;
  const auto out = value.get<std::uint64_t>();
  if (out <= max) return out;
  complain("'" + std::string{name} + "' is above " + std::to_string(max));
  return 0;
}

bool json_fields::flag(const char* name) {
  const auto& value = field(name, "true or false", [](const json& v) { return v.is_boolean(); });
  return value.is_boolean() && value.get<bool>();
}

const json& json_fields::array(const char* name, std::size_t size_max) {
  static const json none = json::array();
  const auto& value = field(name, "a list", [](const json& v) { return v.is_array(); });
  if (!value.is_array()) return none;
  if (value.size() <= size_max) return value;
  complain("'" + std::string{name} + "' has more than " + std::to_string(size_max) + " elements");
  return none;
}

}  // namespace pawl::cli
