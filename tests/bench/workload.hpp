#pragma once

#include "actors/message.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

namespace pawl::bench {

struct workload_options {
  std::uint32_t orders = 1'000;
  std::uint64_t messages = 400'000;  ///< duplicates included
  double duplicates = 0.05;          ///< of all messages: sent again up to 200 messages later
  std::size_t payload_bytes = 100;
};

/// Order events, round robin over the orders in shuffled rounds, as typical streams interleave; a share of them comes
/// twice with the same id. The sequence depends on the options alone.
class workload {
public:
  explicit workload(workload_options o);

  /// The next at most `most` messages, as a door would hand them in. Empty when all were given.
  [[nodiscard]] std::shared_ptr<const message_block> next(std::size_t most);
  /// Per key: how many distinct messages it was sent, and the hash chain over their ids in order, as the entity keeps
  /// it.
  struct expected {
    std::uint64_t events = 0;
    std::string chain = "0000000000000000";
  };
  [[nodiscard]] const std::unordered_map<std::string, expected>& expectation() const noexcept { return expected_; }
  [[nodiscard]] std::uint64_t distinct() const noexcept { return distinct_; }

private:
  workload_options options_;
  std::mt19937_64 random_{1};
  std::vector<std::uint32_t> round_;
  std::size_t at_ = 0;
  std::uint64_t given_ = 0;
  std::uint64_t distinct_ = 0;
  std::string payload_;
  std::vector<std::pair<std::string, std::string>> recent_;  ///< (key, id) that may come again
  std::unordered_map<std::string, expected> expected_;
};

}  // namespace pawl::bench
