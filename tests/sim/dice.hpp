#pragma once

#include <chrono>
#include <cstdint>

namespace pawl::sim {

using namespace std::chrono_literals;
using span = std::chrono::microseconds;

/// Random numbers that are the same on every machine (SplitMix64). Each part of a world rolls its own, so that leaving
/// a fault out does not change what the others do.
class dice {
public:
  explicit dice(std::uint64_t seed) : state_(seed) {}
  dice(std::uint64_t seed, std::uint64_t part) : state_(seed * 0x9e3779b97f4a7c15u + part * 0xd1342543de82ef95u) {
    next();
  }

  std::uint64_t next() noexcept {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// 0 … n-1.
  std::uint64_t below(std::uint64_t n) noexcept { return n == 0 ? 0 : next() % n; }
  std::uint64_t between(std::uint64_t least, std::uint64_t greatest) noexcept {
    return least + below(greatest - least + 1);
  }
  span between(span least, span greatest) noexcept {
    return span{least.count() +
                static_cast<std::int64_t>(below(static_cast<std::uint64_t>((greatest - least).count()) + 1))};
  }
  bool chance(unsigned percent) noexcept { return below(100) < percent; }

private:
  std::uint64_t state_;
};

}  // namespace pawl::sim
