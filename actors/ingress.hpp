#pragma once

#include "actors/message.hpp"
#include "cluster/view.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pawl {

/// Answer to a read of one entity by its owner.
struct entity_answer {
  enum class status : std::uint8_t {
    found,
    absent,       ///< no message has taken effect for it
    unavailable,  ///< no owner could answer in time; `reason` says why
  };
  status kind = status::unavailable;
  std::string state;           ///< msgpack of the committed state, as its PAWL_STATE encodes it
  std::uint64_t last_seq = 0;  ///< highest sender number applied, 0 if none was given
  std::string owner;           ///< node that answered
  std::string reason;
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

  /// Linearizable read by the entity's owner (rule D30): never shows an effect that is not committed.
  virtual void read(entity_id id, std::function<void(entity_answer)> done) = 0;

  [[nodiscard]] virtual cluster_status cluster() const = 0;
  [[nodiscard]] virtual std::vector<shard_status> shards() const = 0;
  [[nodiscard]] virtual shard_id shard_of(std::string_view key) const = 0;
  /// Joined, store reachable, not draining. When false, `why` says what is missing.
  [[nodiscard]] virtual bool ready(std::string& why) const = 0;
};

/// Checks names, key and id against the limits; returns an empty text or what is wrong and what is allowed.
[[nodiscard]] std::string check_message(const message& m);

}  // namespace pawl
