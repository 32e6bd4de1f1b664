#pragma once

#include <atomic>
#include <cstddef>

namespace pawl::bench {

/// Messages under way, bounded. One thread enters; any may leave.
class flow {
public:
  explicit flow(std::size_t most) : most_(most) {}

  /// Waits until there is room for so many.
  void enter(std::size_t n) {
    wait_until_at_most(most_ > n ? most_ - n : 0);
    under_way_.fetch_add(n, std::memory_order_relaxed);
  }
  void leave(std::size_t n) {
    under_way_.fetch_sub(n, std::memory_order_release);
    under_way_.notify_one();
  }
  void wait_empty() const { wait_until_at_most(0); }
  [[nodiscard]] bool has_room(std::size_t n) const { return under_way_.load(std::memory_order_acquire) + n <= most_; }

private:
  void wait_until_at_most(std::size_t n) const {
    for (auto now = under_way_.load(std::memory_order_acquire); now > n;
         now = under_way_.load(std::memory_order_acquire))
      under_way_.wait(now, std::memory_order_acquire);
  }

  const std::size_t most_;
  std::atomic<std::size_t> under_way_{0};
};

}  // namespace pawl::bench
