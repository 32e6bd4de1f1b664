#pragma once

#include "cluster/view.hpp"

#include <cstdint>
#include <vector>

namespace pawl {

/// Which member owns which shard: a pure function of the view, so every member computes the same table and nobody
/// coordinates. Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2018): each member has many
/// points on a ring; a shard goes to the first member clockwise that has room, where room is 1.12 × N / M, at least
/// ceil(N / M). The ring knows nodes by name, so a restarted node finds its former shards.
///
/// One member that comes or goes moves, on average, at most 1.35 times the shards that it must: with 32 or more shards
/// a member up to 16 members, with 80 or more up to 200. Many members with fewer shards each are often full, which
/// moves others' shards: 1.65 times with 32 each, about twice with fewer. Computing it takes M log M + N log M.
///
/// Immutable; may be shared between threads.
class placement {
public:
  placement() = default;
  placement(view v, std::uint32_t shards);

  [[nodiscard]] view_number number() const noexcept { return view_.number; }
  [[nodiscard]] const view& members() const noexcept { return view_; }
  [[nodiscard]] std::uint32_t shards() const noexcept { return static_cast<std::uint32_t>(owners_.size()); }
  /// Null if no member may own shards.
  [[nodiscard]] const member* owner(shard_id s) const noexcept {
    if (s.value >= owners_.size() || owners_[s.value] == nobody) return nullptr;
    return &view_.members[owners_[s.value]];
  }
  [[nodiscard]] bool owned_by(shard_id s, const member_id& id) const noexcept {
    const auto* m = owner(s);
    return m != nullptr && m->id == id;
  }

private:
  static constexpr std::uint16_t nobody = 0xffff;
  view view_;
  std::vector<std::uint16_t> owners_;
};

}  // namespace pawl
