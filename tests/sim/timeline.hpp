#pragma once

#include "cluster/clock.hpp"
#include "tests/sim/dice.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace pawl::sim {

/// What happens, in the order in which it happens. Virtual time: it passes by jumping to the next event.
class timeline {
public:
  using action = std::function<void()>;

  [[nodiscard]] instant now() const noexcept { return {steady_time{start + now_}, wall_start + now_.count() / 1'000}; }
  [[nodiscard]] span elapsed() const noexcept { return now_; }
  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }

  void after(span d, action a) { at(now_ + d, std::move(a)); }
  /// Of two things at one time, that happens first which was said first.
  void at(span when, action a) {
    queue_.push_back({std::max(when, now_), ++order_, std::move(a)});
    std::push_heap(queue_.begin(), queue_.end(), later);
  }
  /// False when nothing is left, or nothing until `end`.
  bool step(span end) {
    if (queue_.empty() || queue_.front().when > end) return false;
    std::pop_heap(queue_.begin(), queue_.end(), later);
    auto e = std::move(queue_.back());
    queue_.pop_back();
    now_ = e.when;
    ++events_;
    e.what();
    return true;
  }

private:
  struct event {
    span when;
    std::uint64_t order;
    action what;
  };
  static bool later(const event& a, const event& b) noexcept {
    return std::pair{a.when, a.order} > std::pair{b.when, b.order};
  }
  static constexpr std::chrono::hours start{1};
  static constexpr std::int64_t wall_start = 1'700'000'000'000;
  std::vector<event> queue_;
  span now_{0};
  std::uint64_t order_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace pawl::sim
