#pragma once

#include "cluster/ids.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pawl {

/// Limits on what a door accepts. A message beyond them is refused with a reason that names the field.
namespace limits {
inline constexpr std::size_t id_bytes = 256;               ///< key and message id; not empty
inline constexpr std::size_t name_bytes = 64;              ///< entity type and message name: `[A-Za-z0-9_.-]{1,64}`
inline constexpr std::size_t payload_bytes = 1024 * 1024;  ///< msgpack
inline constexpr std::size_t payload_depth = 32;
inline constexpr std::size_t batch_messages = 10'000;
inline constexpr std::size_t reason_bytes = 512;  ///< reasons are cut to this
/// A `sent_at` this far ahead of the owner's clock is refused (rule A7).
inline constexpr unix_ms future_ms = 5 * 60 * 1000;
}  // namespace limits

/// `[A-Za-z0-9_.-]{1,64}`: names of entity types and messages.
[[nodiscard]] constexpr bool is_name(std::string_view s) noexcept {
  return !s.empty() && s.size() <= limits::name_bytes && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
  });
}

/// One message, as views into bytes that somebody else keeps alive (see `message_block`).
struct message {
  std::string_view type;     ///< entity type
  std::string_view key;      ///< entity key; selects the shard
  std::string_view name;     ///< message type, as given to PAWL_MESSAGE
  std::string_view id;       ///< unique per (type, key) over all senders (rule B18)
  std::string_view payload;  ///< msgpack map
  unix_ms sent_at = 0;
  std::uint64_t seq = 0;  ///< the sender's number per key, from 1; 0: none given
  bool stamped = false;   ///< `sent_at` was filled in by the door, so it may differ on a retry
  std::string_view
      trace{};  ///< see trace_context.hpp; empty: none. No part of the content, so a retry may have another
};

/// Messages that a door or a link took in together, and the bytes they are views into. Immutable once shared; whoever
/// still needs one of them holds on to all, so that no message is counted by itself on its way through the node.
struct message_block {
  message_block() = default;
  message_block(const message_block&) = delete;  // the views would still point into the original
  message_block& operator=(const message_block&) = delete;

  std::string bytes;
  std::vector<message> messages;
};

/// What became of a message. The first three are *resolved*; the last three are not: retry with the same id, and
/// nothing later for that key before it (rules B12, B13).
enum class result_kind : std::uint8_t {
  applied,    ///< took effect now, and is committed
  duplicate,  ///< took effect before, and that is committed
  refused,    ///< refused for good: will never take effect
  blocked,    ///< an earlier message of the key is not resolved
  busy,       ///< not now: no owner, a full buffer, a full store, an unknown type during a rolling upgrade
  unknown,    ///< may have taken effect; a retry finds out
};
[[nodiscard]] constexpr bool resolved(result_kind k) noexcept { return k <= result_kind::refused; }
[[nodiscard]] std::string_view to_string(result_kind) noexcept;

/// Why, for callers that branch on it; the text is for people.
enum class reason_code : std::uint8_t {
  none,
  unknown_entity_type,
  unknown_message_type,
  undecodable,      ///< payload does not fit the message's fields; the text names field and type
  handler_error,    ///< the handler threw
  handler_refused,  ///< the handler called ctx.refuse
  id_reused,        ///< same id, other content (HTTP 409)
  too_old,          ///< at or below the retention floor
  from_the_future,  ///< sent_at too far ahead of the owner's clock
  invalid,          ///< the door: a field is missing, too long or of the wrong type
  state_too_large,
  store_full,
  store_down,
  ids_full,    ///< processed set at its count limit within the retention window
  queue_full,  ///< as many messages wait for the shard at this node as may
  no_owner,
  moved,
  timed_out,
  earlier_unresolved,
  out_of_sequence,  ///< of a source: it does not follow what has been taken of that source
  position_reused,  ///< of a source: another message had this position
  too_many_sources,
  outbox_full,        ///< entities of the shard have sent more than their receivers took
  dead_letters_full,  ///< the message would become a dead letter, and there are too many
  early,              ///< of a sequenced type: a number before it is missing (HTTP 429)
  seq_missing,        ///< of a sequenced type: it has no number
  seq_passed,  ///< of a sequenced type: the entity is past this number, and does not know this message (HTTP 409)
  seq_gap,     ///< of a dead letter: numbers did not come in time
  node_full,   ///< as many messages wait at this node, for all shards together, as may
};
inline constexpr std::uint8_t reason_codes = static_cast<std::uint8_t>(reason_code::node_full) + 1;
[[nodiscard]] std::string_view to_string(reason_code) noexcept;

struct message_result {
  result_kind kind = result_kind::unknown;
  reason_code code = reason_code::none;
  /// What there is to say beyond `code`; see `why`. Empty for applied and duplicate, and for what is turned away in
  /// great numbers: text for each would cost more than the message.
  std::string reason{};
  /// What the handler replied, as msgpack; null: nothing, or it is not kept any more. Of applied and duplicate.
  std::shared_ptr<const std::string> reply{};

  /// For people: `reason`, or what `code` says by itself. Valid as long as the result is.
  [[nodiscard]] std::string_view why() const noexcept;
};

/// Builds a block. Not thread-safe; `finish` hands the block over.
class message_builder {
public:
  /// Copies the views of `m`; any may be empty.
  void add(const message& m);
  /// The messages in the order they were added. The builder is empty afterwards.
  [[nodiscard]] std::shared_ptr<const message_block> finish();
  [[nodiscard]] std::size_t size() const noexcept { return messages_.size(); }

private:
  std::string bytes_;
  std::vector<message> messages_;  ///< their views have the right sizes only: the buffer still moves
};

}  // namespace pawl
