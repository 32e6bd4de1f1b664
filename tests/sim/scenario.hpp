#pragma once

#include "actors/entity_type.hpp"
#include "tests/sim/store.hpp"
#include "tests/sim/timeline.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::sim {

enum class fault_kind : std::uint8_t {
  crash,          ///< a dies; a new run of it starts later
  freeze,         ///< a stands still, and goes on
  drain,          ///< a is told to leave; a new run of it starts later
  join,           ///< one more node starts
  suspect,        ///< a is evicted although nothing is wrong with it
  cut_pair,       ///< nothing passes between a and b
  cut_one_way,    ///< nothing passes from a to b
  isolate,        ///< nothing passes between a and any other node
  cut_store,      ///< nothing passes between a and the store
  swizzle,        ///< pairs are cut one after the other, and healed in another order
  break_link,     ///< one link breaks
  break_store,    ///< one connection of a to the store breaks
  store_restart,  ///< the store's process ends and comes again, with its data
  store_freeze,   ///< the store stands still, and goes on
  memory_full,    ///< the store refuses commits
  rollback,       ///< the store's process ends and comes again with data from before
};
inline constexpr std::size_t fault_kinds = 16;
[[nodiscard]] std::string_view to_string(fault_kind k) noexcept;

struct fault {
  fault_kind what;
  span at;
  span length;
  std::size_t a = 0;
  std::size_t b = 0;
  bool for_ever = false;  ///< not healed when all else is
};
[[nodiscard]] std::string to_text(const fault& f);

enum class mode : std::uint8_t {
  safety,    ///< faults of every kind, all healed in the end
  liveness,  ///< one of them is never healed; the rest of the cluster must serve
};

/// A world before it begins: all of it follows from a seed. Faults can be left out.
struct scenario {
  std::uint64_t seed = 0;
  mode how = mode::safety;
  std::size_t nodes = 3;   ///< at the beginning
  std::size_t places = 4;  ///< nodes there can be
  std::uint32_t shards = 2;
  std::size_t keys = 3;
  std::size_t messages = 12;  ///< of each key
  std::size_t inboxes = 1;    ///< clients of the store that write into inboxes
  std::size_t journals = 1;   ///< entities whose messages are numbered
  sequencing numbers;         ///< of theirs
  std::chrono::milliseconds retention{60'000};
  std::chrono::milliseconds lease{1'000};
  std::chrono::milliseconds handoff{1'000};
  std::chrono::milliseconds passivate_after{300'000};
  std::size_t resident_max = 65'536;
  std::chrono::milliseconds lane_timeout{2'000};
  std::chrono::milliseconds first_sweep{5'000};
  span busy{0};  ///< until then there are faults
  std::vector<fault> faults;

  std::vector<bool> older;  ///< by place: does not know all messages until the faults are over

  flaw broken = flaw::none;
  bool epoch_tokens = false;  ///< tokens count claims, and are not unique after a rollback

  [[nodiscard]] bool rolls_back() const noexcept;
};

[[nodiscard]] scenario make_scenario(std::uint64_t seed, mode how);

}  // namespace pawl::sim
