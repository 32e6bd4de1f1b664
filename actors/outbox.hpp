#pragma once

#include "actors/handler_effects.hpp"
#include "actors/message.hpp"
#include "cluster/ids.hpp"
#include "persistence/field_list.hpp"
#include "persistence/position.hpp"
#include "persistence/slot_numbers.hpp"
#include "persistence/source_marks.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pawl {

/// What the entities of one shard have sent and is not known to have taken effect, per receiving shard.
///
/// Numbers are dense per receiver, and each message is stored with its number and its line, the word of the claim under
/// which it was made (rule A3). The message that was trimmed last is remembered: the first stored one follows it.
/// Stored as fields
///     \0o<slot>   version:u8 to:varint before:position first:position
///                 count:varint { type:bytes key:bytes name:bytes sent_at:i64 payload:bytes }    of one commit, one
///                 receiver; of version 2 if one of them has a trace, then { … payload:bytes trace:bytes }
///     \0p<slot>   version:u8 to:varint last:position trimmed:position
///                 written when something is trimmed; the messages that are stored may go on behind `last`, so that of
///                 those that were sent since, a missing last one is not noticed
///     position    line:u64 number:varint
///
/// What is staged belongs to the commit being built and is either confirmed or dropped. A message is kept until a
/// confirmed commit says that it is trimmed. While more is sent, trims come for many messages at once, and records that
/// were trimmed are mostly overwritten instead of removed. Performs no I/O; not thread-safe.
class outbox {
public:
  static constexpr char record_kind = 'o';
  static constexpr char pair_kind = 'p';

  static constexpr std::uint64_t trim_messages = 64;     ///< of one receiver, trimmed together
  static constexpr std::size_t keep_bytes = 128 * 1024;  ///< above, everything is trimmed with the next commit
  static constexpr std::size_t stale_records_max = 64;   ///< above, they are removed
  static constexpr std::size_t stale_bytes_max = 64 * 1024;

  /// Messages of one commit for one receiver: consecutive numbers on one line.
  struct record {
    std::uint32_t slot = 0;
    position before;  ///< of the message that the first one follows
    position first;
    std::shared_ptr<const message_block> block;

    [[nodiscard]] std::size_t size() const noexcept { return block->messages.size(); }
    [[nodiscard]] position at(std::size_t i) const noexcept { return {first.line, first.number + i}; }
    [[nodiscard]] position last() const noexcept { return at(size() - 1); }
  };
  /// All that concerns one receiver. Along its history numbers rise by one, whatever the line.
  struct pair {
    std::uint32_t slot = 0;
    position last;               ///< handed out
    position trimmed;            ///< as stored: it and all before it count as not stored any more
    position delivered;          ///< it and all before it are known to have taken effect; at least `trimmed`
    std::deque<record> records;  ///< oldest first; the first may begin with messages that are trimmed

    [[nodiscard]] std::uint64_t waiting() const noexcept { return last.number - delivered.number; }
  };

  /// @param shards of the dataset
  outbox(shard_id self, std::uint32_t shards) : self_(self), shards_(shards) {}

  // Building a commit.
  /// Gives the message the next number for its receiver.
  /// @param line the same for all of one commit
  void stage(shard_id to, const outgoing_message& m, unix_ms sent_at, std::uint64_t line);
  [[nodiscard]] bool staged() const noexcept { return !staged_.empty(); }
  /// Writes what is staged, and what became known to be delivered.
  void seal(field_list& out);
  /// Receivers that have something new.
  [[nodiscard]] std::vector<shard_id> confirm();
  void drop();

  // Relaying.
  [[nodiscard]] const std::map<shard_id, pair>& pairs() const noexcept { return pairs_; }
  [[nodiscard]] const pair* find(shard_id to) const noexcept;
  /// The first message of a pair that is not known to be delivered; null if all are. Valid as long as its record.
  [[nodiscard]] static const message* first_waiting(const pair& p) noexcept;
  /// The latest stored position, or the one trimmed last, that lies on the receiver's lines; nothing: they have none in
  /// common, since a store was rolled back (rule A3).
  [[nodiscard]] std::optional<position> common(shard_id to, const source_mark& receiver) const noexcept;
  /// It, a position of this shard's, and all before it have taken effect, and nothing after it has.
  void delivered(shard_id to, const position& at);
  /// Something delivered is still stored.
  [[nodiscard]] bool trims() const noexcept { return !untrimmed_.empty(); }

  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }  ///< messages not known to be delivered
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }      ///< of messages still in memory

  // Loading.
  [[nodiscard]] std::uint32_t record_slots() const noexcept { return record_slots_.count(); }
  [[nodiscard]] std::uint32_t pair_slots() const noexcept { return pair_slots_.count(); }
  void reset(std::uint32_t record_slots, std::uint32_t pair_slots);
  /// Pairs first. False if the bytes are damaged.
  [[nodiscard]] bool load_pair(std::uint32_t slot, std::string_view bytes);
  [[nodiscard]] bool load_record(std::uint32_t slot, std::string_view bytes);
  /// A slot that holds nothing.
  void load_no_pair(std::uint32_t slot) { pair_slots_.release(slot); }
  void load_no_record(std::uint32_t slot) { record_slots_.release(slot); }
  /// All slots were loaded. False if what was loaded does not fit together.
  [[nodiscard]] bool loaded();

  /// Slots of records to remove: not while they may be expected to be overwritten.
  [[nodiscard]] std::vector<std::uint32_t> stale_records(std::size_t most) const;
  void cleaned(std::uint32_t record_slot);

private:
  struct staged_pair {
    message_builder messages;
    bool fresh = false;      ///< there is no pair yet
    std::uint32_t slot = 0;  ///< of a fresh pair, once sealed
    position last;
    record sealed;  ///< slot and block once it is
  };
  void write_pair(field_list& out, shard_id to, std::uint32_t slot, const position& last,
                  const position& trimmed) const;
  void write_record(field_list& out, shard_id to, const record& r) const;
  [[nodiscard]] bool worth_trimming(const pair& p) const noexcept;
  void forget_trimmed(pair& p);
  void set_delivered(shard_id to, pair& p, const position& at);

  shard_id self_;
  std::uint32_t shards_;
  slot_numbers record_slots_;
  slot_numbers pair_slots_;
  std::map<shard_id, pair> pairs_;
  std::map<shard_id, staged_pair> staged_;
  std::map<shard_id, position> trims_;  ///< in the commit under way
  std::set<shard_id> untrimmed_;        ///< pairs with something delivered that is stored
  std::size_t waiting_ = 0;
  std::size_t bytes_ = 0;
  std::size_t stale_bytes_ = 0;  ///< trimmed since fields were removed last; what was overwritten since counts as well
};

/// Id of a message from one shard to another: stable over all its deliveries.
[[nodiscard]] std::string relayed_id(shard_id from, const position& p);

}  // namespace pawl
