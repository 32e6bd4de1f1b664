#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>

namespace pawl::testing {

/// Draws from a seed, the same on every platform (the distributions of the standard library are not).
class chance {
public:
  explicit chance(std::uint64_t seed) : draws_(seed) {}

  [[nodiscard]] bool happens(double probability) {
    return probability > 0 && static_cast<double>(draws_() >> 11) * 0x1p-53 < probability;
  }
  /// One of `n`. @pre n > 0
  [[nodiscard]] std::size_t below(std::size_t n) { return draws_() % n; }
  /// From 1 ms to `most`.
  [[nodiscard]] std::int64_t span_ms(std::chrono::milliseconds most) {
    return 1 + static_cast<std::int64_t>(draws_() % static_cast<std::uint64_t>(most.count()));
  }

private:
  std::mt19937_64 draws_;
};

}  // namespace pawl::testing
