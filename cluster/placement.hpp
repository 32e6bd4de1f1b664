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
