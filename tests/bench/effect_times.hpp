#pragma once

#include "tests/bench/commit_watch.hpp"
#include "tests/bench/flow.hpp"
#include "tests/bench/outcomes.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <stdexcept>
#include <vector>

namespace pawl::bench {

/// When the effect of each item of a load was durable, as a `commit_watch` tells it; the tag is the item's number. Each
/// lets the item leave `under_way`.
class effect_times {
public:
  effect_times(std::size_t items, flow& under_way) : at_(items), under_way_(under_way) {}

  /// On one thread.
  void hear(const commit_watch::tags& items, bench_clock::time_point now) {
    for (const auto i : items) {
      if (i >= at_.size() || at_[i] != bench_clock::time_point{}) {
        wrong_ = true;  // of another load, or a second time
        continue;
      }
      at_[i] = now;
    }
    under_way_.leave(items.size());
  }

  /// Once nothing is under way: from when each item was due until its effect, from the first counted one on.
  /// @throws std::runtime_error if an item had no effect, or two
  [[nodiscard]] nlohmann::json latency(std::size_t first,
                                       const std::function<bench_clock::time_point(std::size_t)>& due) const {
    std::vector<float> us;
    for (auto i = first; i < at_.size(); ++i)
      us.push_back(std::chrono::duration<float, std::micro>(at_[i] - due(i)).count());
    for (const auto t : at_)
      if (wrong_ || t == bench_clock::time_point{}) throw std::runtime_error("not every effect was seen once");
    return latency_ms(std::move(us));
  }

private:
  std::vector<bench_clock::time_point> at_;
  flow& under_way_;
  bool wrong_ = false;
};

}  // namespace pawl::bench
