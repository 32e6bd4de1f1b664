#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>

namespace pawl {

/// How much waits, or may.
struct queue_load {
  std::size_t messages = 0;
  std::size_t bytes = 0;
};

/// The room for messages that wait at one node, whatever shard they are for. Thread-safe, lock-free.
///
/// One shard may fill as much of it as the others leave free, up to a bound of its own: half of it at most, and ever
/// less the more shards are busy. So shards that stand still cannot take the room from those that go on, and no share
/// is kept for shards that want nothing (Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet
/// switches", 1998).
class queue_room {
public:
  explicit queue_room(queue_load most) noexcept : most_(most) {}

  /// False: there is no room for it. What is alone always has.
  [[nodiscard]] bool enter(queue_load l) noexcept {
    const auto messages = messages_.fetch_add(l.messages, std::memory_order_relaxed);
    const auto bytes = bytes_.fetch_add(l.bytes, std::memory_order_relaxed);
    if (messages == 0 || (messages + l.messages <= most_.messages && bytes + l.bytes <= most_.bytes)) return true;
    leave(l);
    return false;
  }
  void leave(queue_load l) noexcept {
    messages_.fetch_sub(l.messages, std::memory_order_relaxed);
    bytes_.fetch_sub(l.bytes, std::memory_order_relaxed);
  }
  /// At a moment that has passed already.
  [[nodiscard]] queue_load left() const noexcept {
    return {most_.messages - std::min(most_.messages, messages_.load(std::memory_order_relaxed)),
            most_.bytes - std::min(most_.bytes, bytes_.load(std::memory_order_relaxed))};
  }

private:
  const queue_load most_;
  std::atomic<std::size_t> messages_{0};
  std::atomic<std::size_t> bytes_{0};
};

}  // namespace pawl
