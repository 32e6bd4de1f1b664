#pragma once

#include "actors/batch.hpp"
#include "actors/caf/link_hub.hpp"
#include "actors/node_options.hpp"
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
#include <vector>

namespace pawl {

/// What a shard's actor shows of itself to other threads.
struct shard_sight {
  std::atomic<std::uint8_t> claim{0};  ///< shard_claim::state
  std::atomic<std::uint64_t> queued{0};
  std::atomic<std::uint64_t> entities{0};
  std::atomic<std::uint64_t> commits{0};
};

/// What the member actor shows of itself to other threads.
struct member_sight {
  std::shared_ptr<const placement> table = std::make_shared<const placement>();
  member_id self;
  std::string state = "joining";
};

/// What all actors of one node share. Everything here is immutable after `start`, atomic, or locked.
struct node_host {
  node_host(node_options o, entity_catalog c, dataset_id d, std::uint32_t n, node_metrics& m)
      : options(std::move(o)), catalog(std::move(c)), dataset(d), shards(n), metrics(m), sights(n) {}

  const node_options options;
  const entity_catalog catalog;
  const dataset_id dataset;
  const std::uint32_t shards;
  node_metrics& metrics;

  shard_store* store = nullptr;
  member_store* members = nullptr;
  std::vector<caf::actor> shard_handles;
  caf::actor member_handle;
  link_hub links;

  std::vector<shard_sight> sights;
  /// Shards whose record may still name this member: claimed, or being given back. A drained node leaves at 0.
  std::atomic<std::uint32_t> held{0};
  std::atomic<bool> store_up{false};

  [[nodiscard]] member_sight sight() const {
    std::lock_guard lock{mutex_};
    return member_;
  }
  void show(member_sight s) {
    std::lock_guard lock{mutex_};
    member_ = std::move(s);
  }

  /// Called once, when the node has left the cluster or must end; `why` is empty for an orderly leave.
  std::function<void(std::string why)> on_end;

private:
  mutable std::mutex mutex_;
  member_sight member_;
};

[[nodiscard]] instant clock_now();
/// A token that never repeats: counter, node, and 128 random bits.
[[nodiscard]] fencing_token mint_token(const std::string& node);

/// An exception in an actor is a bug; CAF would end that actor and go on without it. Ends the process instead.
[[noreturn]] void stop_on_exception(const char* actor, const std::exception_ptr& why);

}  // namespace pawl
