#pragma once

#include "actors/batch.hpp"
#include "actors/caf/link_hub.hpp"
#include "actors/move_gate.hpp"
#include "actors/node_options.hpp"
#include "actors/submission_box.hpp"
#include "actors/unserved.hpp"
#include "cluster/clock.hpp"
#include "cluster/placement.hpp"
#include "metrics/metrics.hpp"
#include "persistence/frontier.hpp"
#include "persistence/member_store.hpp"
#include "persistence/shard_store.hpp"

#include <caf/all.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace pawl {

/// Reason and time as one value, so that no reader sees one of them without the other.
class unserved_sight {
public:
  void show(const std::optional<unserved>& u) noexcept {
    bits_.store(u ? since_bits(u->since) << 8 | static_cast<std::uint64_t>(u->why) : 0, std::memory_order_relaxed);
  }
  [[nodiscard]] std::optional<unserved> get() const noexcept {
    auto bits = bits_.load(std::memory_order_relaxed);
    if (bits == 0) return std::nullopt;
    return unserved{static_cast<unserved_reason>(bits & 0xff),
                    steady_time{std::chrono::milliseconds{static_cast<std::int64_t>(bits >> 8)}}};
  }

private:
  static std::uint64_t since_bits(steady_time t) noexcept {
    using namespace std::chrono;
    return static_cast<std::uint64_t>(duration_cast<milliseconds>(t.time_since_epoch()).count());
  }
  std::atomic<std::uint64_t> bits_{0};
};

/// What a shard's actor shows of itself to other threads.
struct shard_sight {
  std::atomic<std::uint8_t> claim{0};  ///< shard_claim::state
  std::atomic<std::uint64_t> queued{0};
  std::atomic<std::uint64_t> in_lane{0};  ///< of these, what came in at this node's door
  std::atomic<std::uint64_t> entities{0};
  std::atomic<std::uint64_t> commits{0};
  /// Entries into and exits from the actor's handlers: odd while one runs. Written by the actor alone.
  std::atomic<std::uint64_t> turns{0};
  unserved_sight waits;  ///< as the actor sees it. Written by it alone
  unserved_sight stuck;  ///< an actor in a handler that does not return sees nothing. Written by the member actor

  /// Nothing while messages for the shard find their way, or have waited for a moment only.
  [[nodiscard]] std::optional<unserved> obstacle(steady_time now) const noexcept {
    auto u = stuck.get();
    if (!u) u = waits.get();
    return u && now - u->since > limits::unserved_after ? u : std::nullopt;
  }
};

/// Lasts while a handler of a shard's actor does. A handler that never returns leaves the count odd.
class shard_turn {
public:
  explicit shard_turn(shard_sight& s) noexcept : sight_(s) { count(); }
  ~shard_turn() { count(); }
  shard_turn(const shard_turn&) = delete;
  shard_turn& operator=(const shard_turn&) = delete;

private:
  void count() noexcept {
    sight_.turns.store(sight_.turns.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  shard_sight& sight_;
};

/// What the member actor shows of itself to other threads.
struct member_sight {
  std::shared_ptr<const placement> table = std::make_shared<const placement>();
  member_id self;
  std::string state = "joining";
};

/// How many threads run the shards' actors.
[[nodiscard]] std::size_t worker_threads(const node_options& o);

/// What all actors of one node share. Everything here is immutable after `start`, atomic, or locked.
struct node_host {
  node_host(node_options o, entity_catalog c, json_reader j, dataset_id d, std::uint32_t n, node_metrics& m)
      : options(std::move(o)),
        catalog(std::move(c)),
        from_json(std::move(j)),
        dataset(d),
        shards(n),
        metrics(m),
        threads(worker_threads(options)),
        room({options.node_queue_messages, options.node_queue_bytes}),
        boxes(n),
        sights(n) {}

  const node_options options;
  const entity_catalog catalog;
  const json_reader from_json;
  const dataset_id dataset;
  const std::uint32_t shards;
  node_metrics& metrics;
  const std::size_t threads;  ///< that run the shards' actors

  shard_store* store = nullptr;
  member_store* members = nullptr;
  inbox_watch* inboxes = nullptr;
  std::vector<caf::actor> shard_handles;
  caf::actor member_handle;
  link_hub links;

  queue_room room;  ///< for what `boxes` and the shards' lanes hold
  std::vector<submission_box> boxes;
  std::vector<shard_sight> sights;
  /// Shards whose record may still name this member: claimed, or being given back. A drained node leaves at 0.
  std::atomic<std::uint32_t> held{0};
  std::atomic<bool> store_up{false};  ///< all connections that carry shards are

  [[nodiscard]] member_sight sight() const {
    std::lock_guard lock{mutex_};
    return member_;
  }
  void show(member_sight s) {
    std::lock_guard lock{mutex_};
    member_ = std::move(s);
  }

  /// True for the first who asks about this process of the store: one restart is news once, not once per shard.
  [[nodiscard]] bool is_news(const std::string& run_id) {
    std::lock_guard lock{mutex_};
    return std::exchange(run_id_, run_id) != run_id;
  }

  [[nodiscard]] bool may_move(shard_id s) {
    std::lock_guard lock{mutex_};
    return moves_.enter(s);
  }
  /// Returns the shard whose turn it is then.
  [[nodiscard]] std::optional<shard_id> moved(shard_id s) {
    std::lock_guard lock{mutex_};
    return moves_.leave(s);
  }

  /// Called once, when the node has left the cluster or must end; `why` is empty for an orderly leave.
  std::function<void(std::string why)> on_end;

private:
  mutable std::mutex mutex_;
  member_sight member_;
  std::string run_id_;
  move_gate moves_;
};

[[nodiscard]] instant clock_now();
/// A token that never repeats: counter, node, and 128 random bits.
[[nodiscard]] fencing_token mint_token(const std::string& node);

/// An exception in an actor is a bug; CAF would end that actor and go on without it. Ends the process instead.
[[noreturn]] void stop_on_exception(const char* actor, const std::exception_ptr& why);

}  // namespace pawl
