#include "actors/http/json_messages.hpp"

#include "actors/http/json_payload.hpp"
#include "actors/http/json_text.hpp"
#include "actors/ingress.hpp"
#include "cluster/invariant.hpp"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <array>
#include <limits>

namespace pawl {
namespace {

enum field : std::uint8_t {
  type,
  key_field,
  name,
  id,
  payload,
  sent_at,
  seq,
  position_field,
  known_fields,
  unknown_field
};

struct field_rule {
  std::string_view name;
  std::string_view value;  ///< what it must be, for people
  bool required;
};
constexpr std::array<field_rule, known_fields> rules{{
    {"type", "a string", true},
    {"key", "a string", true},
    {"message", "a string", true},
    {"id", "a string", true},
    {"payload", "an object", false},
    {"sent_at", "an integer from 0, milliseconds since 1970", false},
    {"seq", "an integer from 1", false},
    {"position", "an integer from 1", false},
}};
constexpr std::string_view empty_map = "\x80";
constexpr std::size_t depth_max = limits::payload_depth + 1;  // the message itself is the first level
constexpr std::size_t echo_bytes = 64;                        // of a client's text that a reason repeats

std::string in_quotes(std::string_view text) { return '"' + std::string{cut_text(text, echo_bytes)} + '"'; }

/// SAX handler: one JSON message becomes texts and msgpack without a tree between. The first problem is kept; reading
/// goes on after it where it can, so that the answer to a refused message still carries its id.
class message_reader {
public:
  /// @param positions each message has a position among those of its source; else it must not have one
  explicit message_reader(bool positions = false) : positions_(positions) {}

  /// Reads one message. If false, `refusal` says why.
  bool read(std::string_view text) {
    reset();
    // Iterative: what a client nests does not use our stack. Of numbers all digits count.
    constexpr unsigned flags =
        rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag | rapidjson::kParseFullPrecisionFlag;
    rapidjson::MemoryStream in{text.data(), text.size()};
    const auto end = parser_.Parse<flags>(in, *this);
    if (end.IsError() && end.Code() != rapidjson::kParseErrorTermination) parse_error(end.Offset(), end.Code());
    for (std::size_t f = 0; f < known_fields && problem_.empty(); ++f)
      if ((rules[f].required || (f == position_field && positions_)) && !seen_[f])
        report("field " + in_quotes(rules[f].name) + " is missing");
    if (problem_.empty()) report(check_message(result(0)));
    return problem_.empty();
  }

  /// Views that hold until the next `read`.
  [[nodiscard]] message result(unix_ms now, std::string_view trace = {}) const {
    message m;
    m.type = texts_[type];
    m.key = texts_[key_field];
    m.name = texts_[name];
    m.id = texts_[id];
    m.payload = seen_[payload] ? payload_.bytes() : empty_map;
    m.stamped = !seen_[sent_at];
    m.sent_at = m.stamped ? now : sent_at_;
    m.seq = seq_;
    m.trace = trace;
    return m;
  }

  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }

  [[nodiscard]] refused_line refusal(std::size_t line) const {
    refused_line out{line, std::nullopt, std::string{cut_text(problem_, limits::reason_bytes)}, malformed_};
    if (seen_[id] && texts_[id].size() <= limits::id_bytes) out.id = texts_[id];
    return out;
  }

  // What the parser asks for; false stops it.
  using length = rapidjson::SizeType;
  bool Null() { return value(nullptr); }
  bool Bool(bool v) { return value(v); }
  bool Int(int v) { return value(std::int64_t{v}); }
  bool Uint(unsigned v) { return value(std::uint64_t{v}); }
  bool Int64(std::int64_t v) { return value(v); }
  bool Uint64(std::uint64_t v) { return value(v); }
  bool Double(double v) { return value(v); }
  bool RawNumber(const char*, length, bool) { return false; }  // only if asked for
  bool String(const char* text, length size, bool) { return value(std::string_view{text, size}); }
  bool StartObject() { return begin(true); }
  bool StartArray() { return begin(false); }
  bool EndObject(length) {
    if (--depth_ > 0 && field_ == payload) payload_.end_object();
    return leave_container();
  }
  bool EndArray(length) {
    --depth_;
    if (field_ == payload) payload_.end_array();
    return leave_container();
  }
  bool Key(const char* text, length size, bool) {
    const std::string_view k{text, size};
    if (depth_ > 1) {
      if (field_ == payload) payload_.key(k);
      return true;
    }
    const auto rule = std::find_if(rules.begin(), rules.end(), [&](const field_rule& r) { return r.name == k; });
    field_ = static_cast<field>(rule - rules.begin());
    if (rule == rules.end() || (field_ == position_field && !positions_)) {
      field_ = unknown_field;
      report("unknown field " + in_quotes(k) + "; known are type, key, message, id, payload, sent_at, seq" +
             (positions_ ? ", position" : ""));
    } else if (seen_[field_]) {
      report("field " + in_quotes(k) + " stands twice");
      field_ = unknown_field;
    }
    return true;
  }

private:
  void parse_error(std::size_t position, rapidjson::ParseErrorCode code) {
    malformed_ = code != rapidjson::kParseErrorNumberTooBig;
    // What stood before the error may be a problem of its own, but without valid JSON that cannot be trusted.
    if (malformed_) problem_.clear();
    report((malformed_ ? "not valid JSON at byte " : "number out of range at byte ") + std::to_string(position) +
           in_field() + ": " + rapidjson::GetParseError_En(code));
  }

  void reset() {
    for (auto& t : texts_) t.clear();
    payload_.reset();
    problem_.clear();
    seen_ = {};
    sent_at_ = 0;
    seq_ = 0;
    position_ = 0;
    depth_ = 0;
    field_ = unknown_field;
    malformed_ = false;
  }

  void report(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
  }

  [[nodiscard]] std::string in_field() const {
    return field_ < known_fields ? ", in field " + in_quotes(rules[field_].name) : std::string{};
  }

  bool value(const json_scalar& v) {
    if (depth_ == 0) return not_an_object();
    if (depth_ > 1) {
      if (field_ == payload) payload_.put(v);
      return true;
    }
    if (field_ < known_fields && !take(v)) wrong_value();
    return true;
  }

  bool begin(bool object) {
    if (depth_ == 0 && !object) return not_an_object();
    if (++depth_ > depth_max) {
      report("nested deeper than " + std::to_string(limits::payload_depth) + " levels" + in_field());
      return false;
    }
    if (depth_ == 2 && field_ < known_fields) {
      seen_[field_] = true;
      if (field_ != payload || !object) wrong_value();
    }
    if (depth_ > 1 && field_ == payload) object ? payload_.begin_object() : payload_.begin_array();
    return true;
  }

  bool leave_container() {
    if (depth_ == 1 && field_ == payload && !payload_.problem().empty())
      report("field \"payload\": " + payload_.problem());
    return true;
  }

  /// Takes the value of a top-level field; false if it is of another kind than the field.
  bool take(const json_scalar& v) {
    seen_[field_] = true;
    const auto* number = std::get_if<std::uint64_t>(&v);
    switch (field_) {
    case type:
    case key_field:
    case name:
    case id: {
      const auto* text = std::get_if<std::string_view>(&v);
      if (text) texts_[field_] = *text;
      return text != nullptr;
    }
    case sent_at:
      if (!number || *number > static_cast<std::uint64_t>(std::numeric_limits<unix_ms>::max())) return false;
      sent_at_ = static_cast<unix_ms>(*number);
      return true;
    case seq:
      if (!number || *number == 0) return false;
      seq_ = *number;
      return true;
    case position_field:
      if (!number || *number == 0) return false;
      position_ = *number;
      return true;
    default: return false;
    }
  }

  void wrong_value() {
    report("field " + in_quotes(rules[field_].name) + " must be " + std::string{rules[field_].value});
  }

  bool not_an_object() {
    report("a message must be a JSON object");
    return false;
  }

  rapidjson::Reader parser_;          ///< keeps its stack from message to message
  std::array<std::string, 4> texts_;  ///< type, key, message, id
  json_payload payload_;
  std::string problem_;
  std::array<bool, known_fields> seen_{};
  unix_ms sent_at_ = 0;
  std::uint64_t seq_ = 0;
  bool positions_;
  std::uint64_t position_ = 0;
  std::size_t depth_ = 0;
  field field_ = unknown_field;  ///< the top-level field that is being read
  bool malformed_ = false;
};

}  // namespace

parsed_messages parse_json_message(std::string_view body, unix_ms now, std::string_view trace) {
  parsed_messages out;
  message_builder builder;
  message_reader reader;
  if (reader.read(body)) builder.add(reader.result(now, trace));
  else out.refused.push_back(reader.refusal(0));
  out.accepted = builder.finish();
  return out;
}

std::optional<parsed_messages> parse_json_batch(std::string_view body, unix_ms now, std::string_view trace,
                                                std::vector<std::uint64_t>* positions) {
  if (!body.empty() && body.back() == '\n') body.remove_suffix(1);
  const auto lines = static_cast<std::size_t>(std::count(body.begin(), body.end(), '\n')) + 1;
  if (lines > limits::batch_messages) return std::nullopt;
  parsed_messages out;
  message_builder builder;
  message_reader reader{positions != nullptr};
  for (std::size_t line = 0; line < lines; ++line) {
    const auto end = std::min(body.find('\n'), body.size());
    const auto text = body.substr(0, end);
    if (text.find_first_not_of(" \t\r") == text.npos)
      out.refused.push_back({line, std::nullopt, "empty line; a batch has one JSON object per line", true});
    else if (!reader.read(text)) out.refused.push_back(reader.refusal(line));
    else {
      builder.add(reader.result(now, trace));
      if (positions != nullptr) positions->push_back(reader.position());
    }
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  out.accepted = builder.finish();
  return out;
}

void append_json_result(std::string& out, std::optional<std::string_view> id, const message_result& r) {
  out += R"({"id":)";
  if (id) append_json_string(out, *id);
  else out += "null";
  out += R"(,"result":")";
  out += to_string(r.kind);
  out += '"';
  if (const auto why = r.why(); !why.empty()) {
    out += R"(,"reason":)";
    append_json_string(out, why);
  }
  if (r.code != reason_code::none) {
    out += R"(,"code":")";
    out += to_string(r.code);
    out += '"';
  }
  if (r.reply) {
    out += R"(,"reply":)";
    const auto before = out.size();
    std::string error;
    if (!append_json_state(out, *r.reply, error)) out.replace(before, std::string::npos, "null");
  }
  out += "}\n";
}

void append_json_results(std::string& out, std::span<const message> accepted, std::span<const message_result> results,
                         std::span<const refused_line> refused) {
  PAWL_INVARIANT(accepted.size() == results.size(), "each message has one result");
  const auto lines = results.size() + refused.size();
  for (std::size_t line = 0, next = 0; line < lines; ++line) {
    if (!refused.empty() && refused.front().line == line) {
      const auto& r = refused.front();
      append_json_result(out, r.id, {result_kind::refused, reason_code::invalid, r.reason});
      refused = refused.subspan(1);
    } else {
      append_json_result(out, accepted[next].id, results[next]);
      ++next;
    }
  }
}

}  // namespace pawl
