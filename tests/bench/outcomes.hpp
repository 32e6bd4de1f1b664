#pragma once

#include "tests/bench/pace.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::bench {

/// What became of each message of a load, and when. Different messages may be set from different threads.
class outcomes {
public:
  enum class kind : std::uint8_t { open, applied, duplicate, turned_away };

  explicit outcomes(std::size_t messages) : kinds_(messages), latency_us_(messages) {}

  void set(std::size_t message, kind k, bench_clock::duration latency) {
    kinds_[message] = k;
    latency_us_[message] = std::chrono::duration<float, std::micro>(latency).count();
  }
  [[nodiscard]] kind of(std::size_t message) const { return kinds_[message]; }
  [[nodiscard]] std::uint64_t count(kind k) const;
  /// For the ledger: 1 for each that was applied.
  [[nodiscard]] std::vector<std::uint8_t> applied() const;

  /// Adds the latencies of the messages that were resolved, from the given one on.
  void add_latencies(std::size_t first, std::vector<float>& us) const;

private:
  std::vector<kind> kinds_;
  std::vector<float> latency_us_;
};

/// Quantiles, in milliseconds, as figures; null of none.
[[nodiscard]] nlohmann::json latency_ms(std::vector<float> us);
/// How many messages of an open loop are left out of them: those of the first second, while caches and maps fill.
[[nodiscard]] std::size_t first_counted(std::size_t messages, double rate);

}  // namespace pawl::bench
