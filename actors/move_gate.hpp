#pragma once

#include "cluster/ids.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

namespace pawl {

namespace limits {
/// Shards that one node hands over at a time. Those that wait for their turn go on being served.
inline constexpr std::size_t moves_at_once = 16;
}  // namespace limits

/// Lets so many shards of a node be handed over at once, in the order in which they asked. Not thread-safe.
class move_gate {
public:
  /// True: go. False: `leave` of another shard tells when.
  [[nodiscard]] bool enter(shard_id s) {
    if (inside_.size() < limits::moves_at_once) {
      inside_.push_back(s);
      return true;
    }
    waiting_.push_back(s);
    return false;
  }

  /// The shard was handed over, or need not be any more. Returns the one whose turn it is now, if any. Harmless for a
  /// shard that never entered.
  [[nodiscard]] std::optional<shard_id> leave(shard_id s) {
    std::erase(waiting_, s);
    if (std::erase(inside_, s) == 0 || waiting_.empty()) return std::nullopt;
    auto next = waiting_.front();
    waiting_.pop_front();
    inside_.push_back(next);
    return next;
  }

private:
  std::vector<shard_id> inside_;
  std::deque<shard_id> waiting_;
};

}  // namespace pawl
