#pragma once

#include "cluster/ids.hpp"

#include <string>
#include <vector>

namespace pawl {

enum class member_state : std::uint8_t {
  up,        ///< owns shards
  draining,  ///< still a member, gives its shards away
};

/// A row of the member table.
struct member {
  member_id id;
  member_state state = member_state::up;
  std::string peer_address;  ///< host:port other members dial
  std::string http_address;  ///< host:port of its HTTP door, empty if it has none
  std::uint64_t beat = 0;    ///< heartbeat counter; each observer judges it by its own steady clock
};

/// Numbered member list, sorted by node name. Immutable once published.
struct view {
  view_number number;
  std::vector<member> members;

  [[nodiscard]] const member* find(const member_id& id) const noexcept {
    for (const auto& m : members)
      if (m.id == id) return &m;
    return nullptr;
  }
  [[nodiscard]] const member* find_node(std::string_view node) const noexcept {
    for (const auto& m : members)
      if (m.id.node == node) return &m;
    return nullptr;
  }
};

}  // namespace pawl
