#pragma once

#include "tests/bench/workload.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::bench {

/// What every order must be: its messages applied one after the other, each once.
class ledger {
public:
  /// Takes in a workload whose messages were all resolved.
  void take(const workload& w);
  /// Takes in one of which some were turned away: `applied[i]` is not 0 if event i took effect.
  /// @throws std::runtime_error if a message took effect twice
  void take(const workload& w, std::span<const std::uint8_t> applied);

  [[nodiscard]] std::size_t orders() const noexcept { return orders_.size(); }
  [[nodiscard]] std::string key(std::size_t order) const;
  /// What it takes of this process's memory, to be left out where that is measured.
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return orders_.capacity() * sizeof(expected); }
  /// Whether the order is what it must be, given its encoded state; empty: it does not exist.
  [[nodiscard]] bool right(std::size_t order, std::string_view state) const;

private:
  struct expected {
    std::int64_t total = 0;
    std::uint64_t count = 0;
    std::array<char, 16> chain{};  ///< of no message yet: see `apply`
  };
  struct sender {
    std::string prefix;
    std::size_t first;  ///< its first order
    std::size_t orders;
  };
  [[nodiscard]] std::size_t first_order_of(const workload_options& w);
  void apply(const workload& w, const event& e, std::size_t first, workload::words& words);

  std::vector<sender> senders_;
  std::vector<expected> orders_;
};

}  // namespace pawl::bench
