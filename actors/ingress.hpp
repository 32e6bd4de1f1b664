#pragma once

#include "actors/dead_letter.hpp"
#include "actors/message.hpp"
#include "actors/recent_messages.hpp"
#include "actors/shard_detail.hpp"
#include "cluster/view.hpp"
#include "persistence/position.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pawl {

namespace limits {
inline constexpr std::size_t timers_shown = 1'000;  ///< of one entity; it may have more
}  // namespace limits

struct pending_timer {
  std::string name;
  unix_ms due = 0;
  std::string message;
};

/// Answer to a read of one entity by its owner.
struct entity_answer {
  enum class status : std::uint8_t {
    found,
    absent,       ///< no message has taken effect for it
    unavailable,  ///< no owner could answer in time; `reason` says why
  };
  status kind = status::unavailable;
  std::string state;           ///< msgpack of the committed state, as its PAWL_STATE encodes it
  std::uint64_t last_seq = 0;  ///< highest sender number applied, 0 if none was given; of a sequenced type: used up
  std::string owner;           ///< node that answered
  std::string reason;
  std::vector<pending_timer> timers{};    ///< of the entity, by name; at most `limits::timers_shown`
  std::uint64_t expected = 0;             ///< of a sequenced type: the number it waits for; 0: of another type
  std::uint64_t held = 0;                 ///< of a sequenced type: early messages in the owner's memory
  std::vector<applied_message> recent{};  ///< that took effect last, newest first; see `recent_messages`
};

/// What one node knows of one shard; for people and dashboards, never for decisions.
struct shard_status {
  shard_id shard;
  std::string owner;           ///< node the view places it on; empty: none
  bool local = false;          ///< placed on this node
  std::string claim;           ///< this node's claim state, e.g. "held", "unclaimed"
  std::uint64_t queued = 0;    ///< messages waiting at this node for the shard
  std::uint64_t entities = 0;  ///< in memory here
  std::uint64_t commits = 0;   ///< sequence number of the last confirmed commit, 0 if not held
  // What the shard stores beside its entities; 0 if not held.
  std::uint64_t outbox = 0;  ///< messages of its entities that their receivers are not known to have taken
  std::uint64_t timers = 0;
  std::uint64_t dead_letters = 0;
  /// What messages for the shard have been waiting for here, and for how long: longer than a second. Empty: nothing.
  std::string waiting_for{};
  std::chrono::milliseconds waiting{0};
};

struct cluster_status {
  std::string cluster;
  std::string dataset;
  std::string node;
  std::uint64_t incarnation = 0;
  std::string state;  ///< "joining", "up", "draining", "evicted"
  std::uint32_t shards = 0;
  std::uint32_t shards_owned = 0;  ///< claimed by this node
  bool store_up = false;
  view current;
  std::string version;
  std::chrono::milliseconds lease{0};  ///< a member silent for this long is evicted
  /// For how long this node would still be a member if it did not beat any more, counted from when its last confirmed
  /// beat was sent; never below 0. Nothing while it is none, or has not beaten yet.
  std::optional<std::chrono::milliseconds> lease_remaining{};
};

/// Messages of a source that numbers them, all for one shard (rule B17).
struct sequenced_batch {
  std::string source;                             ///< its name, `[A-Za-z0-9_.-]{1,64}`
  position follows;                               ///< of the message before the first, {0, 0} if there is none
  std::vector<position> positions;                ///< of each message
  std::shared_ptr<const message_block> messages;  ///< none: only asks how far the source has come
};

struct sequenced_answer {
  bool known = false;  ///< else no owner answered: the batch may have been taken, and may be sent again as it is
  position taken;      ///< the last one of this source that has been taken, for good
  /// One for each message. Those from the first unresolved one on, or all, must be sent again once what is in the way
  /// is gone: `out_of_sequence` means that the batch does not follow `taken`.
  std::vector<message_result> results;
};

/// Entrance to the cluster on this node: any node takes any message and routes it. All members are thread-safe;
/// callbacks run on a thread of the runtime and must not block.
class ingress {
public:
  virtual ~ingress() = default;

  /// Messages of one batch, in order. `done` is called once, with one result each, in the same order. Per key the
  /// results are: resolved …, then unresolved … (rule B13). Messages must have passed `check_message`.
  virtual void submit(std::shared_ptr<const message_block> batch,
                      std::function<void(std::vector<message_result>)> done) = 0;

  /// Takes messages of a numbering source, in its order, each exactly once, without a limit in time. They take effect
  /// only if what has been taken of the source is the very position they follow.
  /// @pre 1 to `limits::frame_messages` messages that passed `check_message`, with keys of this shard; or none
  virtual void submit_sequenced(shard_id shard, sequenced_batch batch, std::function<void(sequenced_answer)> done) = 0;

  /// Linearizable read by the entity's owner (rule D30): never shows an effect that is not committed.
  virtual void read(entity_id id, std::function<void(entity_answer)> done) = 0;

  /// Dead letters of one shard, from this number on. No value: no owner could answer in time, for this reason.
  virtual void letters(shard_id shard, letter_query query,
                       std::function<void(std::optional<letter_page>, std::string reason)> done) = 0;
  /// Discards or replays one. `found`: done, and it is gone; or replayed and refused again, then `reason` says why.
  /// `absent`: there is no such letter.
  virtual void act_on_letter(shard_id shard, letter_action action, std::function<void(entity_answer)> done) = 0;

  /// What waits in one shard, proven to be its owner's. No value: no owner could answer in time, for this reason. With
  /// it the node that answered.
  virtual void detail(shard_id shard,
                      std::function<void(std::optional<shard_detail>, std::string owner, std::string reason)> done) = 0;

  [[nodiscard]] virtual cluster_status cluster() const = 0;
  [[nodiscard]] virtual std::vector<shard_status> shards() const = 0;
  [[nodiscard]] virtual shard_id shard_of(std::string_view key) const = 0;
  /// Joined, store reachable, not draining. When false, `why` says what is missing.
  [[nodiscard]] virtual bool ready(std::string& why) const = 0;
};

/// Checks names, key and id against the limits; returns an empty text or what is wrong and what is allowed.
[[nodiscard]] std::string check_message(const message& m);

}  // namespace pawl
