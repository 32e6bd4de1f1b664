#include "cli/command.hpp"

#include "actors/configuration/values.hpp"
#include "cli/node_url.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace pawl::cli {
namespace {

using std::chrono::milliseconds;

/// `2`, `0.5`, `200ms`, `3s`, `5m`: without a unit it is seconds.
std::optional<milliseconds> parse_seconds(std::string_view text) {
  constexpr milliseconds shortest{10};
  constexpr milliseconds longest{24 * 60 * 60 * 1'000};
  milliseconds out{0};
  if (text.find_first_not_of("0123456789.") == text.npos) {
    double seconds = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, seconds);
    if (error != std::errc{} || stop != end || seconds > 1e6) return std::nullopt;
    out = milliseconds{std::llround(seconds * 1'000)};
  } else {
    const auto parsed = config::parse_milliseconds(text);
    if (!parsed) return std::nullopt;
    out = milliseconds{std::min<std::uint64_t>(*parsed, static_cast<std::uint64_t>(longest.count()) + 1)};
  }
  return out < shortest || out > longest ? std::nullopt : std::optional{out};
}

}  // namespace

std::vector<std::string_view> choices(value_kind kind) {
  if (kind == value_kind::shell) return {"bash", "zsh", "fish"};
  if (kind == value_kind::format) return {"table", "json"};
  return {};
}

std::string complaint(value_kind kind, std::string_view text) {
  const auto among = choices(kind);
  switch (kind) {
  case value_kind::text:
  case value_kind::path: return text.empty() ? "not empty" : "";
  case value_kind::count: return config::parse_count(text) ? "" : "a whole number";
  case value_kind::seconds:
    return parse_seconds(text) ? "" : "a time from 10ms to 24h, such as 2, 0.5, 200ms or 5m; without a unit: seconds";
  case value_kind::url:
    return parse_node_url(text) ? "" : "the address of a node, such as " + std::string{default_node};
  case value_kind::shell:
  case value_kind::format: break;
  }
  if (std::find(among.begin(), among.end(), text) != among.end()) return {};
  std::string out = "one of";
  for (const auto& c : among) out += " " + std::string{c};
  return out;
}

std::string given_words::text(std::string_view name, std::string_view otherwise) const {
  const auto found = words_.find(name);
  return found == words_.end() ? std::string{otherwise} : found->second.back();
}

std::vector<std::string> given_words::all(std::string_view name) const {
  const auto found = words_.find(name);
  return found == words_.end() ? std::vector<std::string>{} : found->second;
}

std::uint64_t given_words::count(std::string_view name, std::uint64_t otherwise) const {
  return config::parse_count(text(name)).value_or(otherwise);
}

milliseconds given_words::duration(std::string_view name, milliseconds otherwise) const {
  return parse_seconds(text(name)).value_or(otherwise);
}

}  // namespace pawl::cli
