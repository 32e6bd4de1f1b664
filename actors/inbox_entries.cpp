#include "actors/inbox_entries.hpp"

#include "actors/ingress.hpp"
#include "actors/trace_context.hpp"
#include "cluster/shard_map.hpp"
#include "persistence/codec_stream.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace pawl {
namespace {

constexpr std::string_view empty_map = "\x80";
// Of an entry that is no message, as much as people need to recognise it.
constexpr std::size_t fields_kept = 32;
constexpr std::size_t value_kept = 1'024;

enum field : std::uint8_t { type, key, name, id, payload, sent_at, seq, traceparent, known_fields };
constexpr std::array<std::string_view, known_fields> names{"type",    "key",     "message", "id",
                                                           "payload", "sent_at", "seq",     "traceparent"};
constexpr std::array<bool, known_fields> required{true, true, true, true, false, false, false, false};

bool parse_number(std::string_view text, std::uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

/// One entry after the other; views of a result hold until the next.
class entry_reader {
public:
  entry_reader(shard_id shard, std::uint32_t shards, const json_reader& from_json)
      : shard_(shard), shards_(shards), from_json_(from_json) {}

  /// Empty, or what is wrong.
  std::string read(const inbox_entry& e) {
    values_.fill({});
    seen_.fill(false);
    std::string problem;
    for (const auto& [name, value] : e.fields)
      if (auto why = take(name, value); problem.empty()) problem = std::move(why);
    for (std::size_t f = 0; f < known_fields; ++f)
      if (problem.empty() && required[f] && !seen_[f]) problem = "field \"" + std::string{names[f]} + "\" is missing";
    message_ = {};
    message_.type = values_[type];
    message_.key = values_[key];
    message_.name = values_[name];
    message_.id = values_[id];
    message_.payload = seen_[payload] ? values_[payload] : empty_map;
    message_.sent_at = static_cast<unix_ms>(std::min<std::uint64_t>(e.id.ms, std::numeric_limits<unix_ms>::max()));
    message_.stamped = !seen_[sent_at];
    trace_ = parse_traceparent(values_[traceparent]);
    message_.trace = trace_;
    if (problem.empty()) problem = finish();
    if (!problem.empty()) keep_what_can_be_told(e);
    return problem;
  }
  [[nodiscard]] const message& result() const noexcept { return message_; }

private:
  std::string take(std::string_view field_name, std::string_view value) {
    const auto f = static_cast<std::size_t>(std::find(names.begin(), names.end(), field_name) - names.begin());
    if (f == known_fields)
      return "unknown field \"" + std::string{field_name.substr(0, limits::name_bytes)} +
             "\"; known are type, key, message, id, payload, sent_at, seq, traceparent";
    if (std::exchange(seen_[f], true)) return "field \"" + std::string{names[f]} + "\" stands twice";
    values_[f] = value;
    return {};
  }

  std::string finish() {
    std::uint64_t n = 0;
    if (seen_[sent_at]) {
      if (!parse_number(values_[sent_at], n) || n > static_cast<std::uint64_t>(std::numeric_limits<unix_ms>::max()))
        return "field \"sent_at\" must be an integer from 0, milliseconds since 1970";
      message_.sent_at = static_cast<unix_ms>(n);
    }
    if (seen_[seq]) {
      if (!parse_number(values_[seq], n) || n == 0) return "field \"seq\" must be an integer from 1";
      message_.seq = n;
    }
    const auto text = message_.payload.find_first_not_of(" \t\r\n");
    if (text != std::string_view::npos && message_.payload[text] == '{') {
      converted_.clear();
      if (message_.payload.size() > 2 * limits::payload_bytes) return "field \"payload\" is too large";
      if (auto why = from_json_(message_.payload, converted_); !why.empty()) return "field \"payload\": " + why;
      message_.payload = converted_;
    }
    if (auto why = check_message(message_); !why.empty()) return why;
    if (const auto right = shard_of(message_.key, shards_); right != shard_)
      return "its key belongs to shard " + std::to_string(right.value) + ": add it to the inbox of that shard";
    return {};
  }

  void keep_what_can_be_told(const inbox_entry& e) {
    for (auto* n : {&message_.type, &message_.name})
      if (!is_name(*n)) *n = {};
    message_.key = message_.key.substr(0, limits::id_bytes);
    message_.id = message_.id.substr(0, limits::id_bytes);
    converted_.clear();
    msgpack_packer p{converted_};
    const auto n = std::min(e.fields.size(), fields_kept);
    p.map(static_cast<std::uint32_t>(n));
    for (std::size_t i = 0; i < n; ++i) {
      p.text(std::string_view{e.fields[i].first}.substr(0, limits::id_bytes));
      p.text(std::string_view{e.fields[i].second}.substr(0, value_kept));
    }
    message_.payload = converted_;
  }

  shard_id shard_;
  std::uint32_t shards_;
  const json_reader& from_json_;
  std::array<std::string_view, known_fields> values_;
  std::array<bool, known_fields> seen_{};
  std::string converted_;
  std::string trace_;
  message message_;
};

}  // namespace

inbox_batch parse_inbox(std::span<const inbox_entry> entries, std::uint64_t first_taken, shard_id shard,
                        std::uint32_t shards, const json_reader& from_json) {
  inbox_batch out;
  out.items.reserve(entries.size());
  message_builder builder;
  entry_reader reader{shard, shards, from_json};
  for (const auto& e : entries) {
    auto problem = reader.read(e);
    builder.add(reader.result());
    out.items.push_back({{e.id, first_taken++}, std::move(problem)});
  }
  out.block = builder.finish();
  return out;
}

}  // namespace pawl
