#pragma once

#include "cluster/clock.hpp"
#include "cluster/ids.hpp"

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

namespace pawl {

struct stall_policy {
  std::chrono::milliseconds limit{3'000};  ///< a turn, or a time without the store, that lasts longer is a stall
  std::size_t threads = 2;                 ///< workers that run the turns
  /// A look that comes later than this after the last one counts as this: then the process itself stood still, and
  /// nothing is known of its shards.
  std::chrono::milliseconds look_max{2'000};
};

/// Looks from outside whether the shards of a node get on, and answers "should this node go on beating?".
///
/// A node whose shards stand still while it beats keeps them from everybody, without a word. But one stuck handler is
/// no reason to stop beating: its message would follow the shard to the next owner and stop that one too, and so each
/// node in turn. So a stuck shard is only reported, as long as at most half of the workers are stuck; beyond that the
/// others do better with the shards than this node, and the fence keeps its late commits out. The same holds for a node
/// that reaches the store for its beats but not for its shards.
///
/// Performs no I/O; not thread-safe.
class stall_watch {
public:
  stall_watch(std::uint32_t shards, stall_policy policy);

  struct sight {
    std::span<const std::uint64_t> turns;  ///< per shard, counts entries and exits: odd while a turn lasts
    bool shards_connected = true;          ///< to the store, on all connections that carry shards
    bool member_connected = true;          ///< to the store, on the connection that carries the beats
  };
  struct findings {
    std::vector<shard_id> began;  ///< to stall, since the last look
    std::vector<shard_id> ended;
    std::size_t stalled = 0;
    bool progressing = true;
  };

  /// @pre as many turns as shards
  [[nodiscard]] findings look(const sight& s, steady_time now);

  /// How long the shard has been in its turn, at least. Zero if it is in none.
  [[nodiscard]] steady_time::duration in_turn(shard_id s) const { return watched_[s.value].lasted; }

private:
  struct watched {
    std::uint64_t turn = 0;
    steady_time::duration lasted{};
    bool stalled = false;
  };
  stall_policy policy_;
  std::vector<watched> watched_;
  steady_time::duration disconnected_{};
  bool looked_ = false;
  steady_time looked_at_{};
};

}  // namespace pawl
