#pragma once

#include "cli/node_url.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pawl::cli {

/// A load that waits for each answer before the next message, on a few connections at once.
struct closed_loop_plan {
  std::vector<node_url> nodes;  ///< connections take turns; not empty
  std::string type;
  std::string message;
  std::string payload;  ///< JSON object; `{n}` within it becomes the number of the message
  std::uint64_t count = 0;
  std::chrono::milliseconds length{};
  std::size_t connections = 1;
  std::uint64_t keys = 1;  ///< `bench-0` and on, each used by one connection only, so that its messages are in order
  std::chrono::milliseconds timeout{};
};

/// What is told of the latencies: the name and the share of messages that were at least as quick.
inline constexpr std::array<std::pair<const char*, double>, 5> latency_shares{
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1.0}}};

struct closed_loop_result {
  std::uint64_t applied = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t refused = 0;
  std::uint64_t unresolved = 0;  ///< given up at the end of the time
  std::uint64_t retries = 0;
  double seconds = 0;
  std::string problem;                        ///< the reason of the first message that was not applied
  std::vector<std::uint32_t> latencies_us{};  ///< of resolved messages, ascending; from the first attempt on

  [[nodiscard]] double per_second() const;
  [[nodiscard]] double latency_ms(double share) const;
};

/// Runs to the count or the time, whichever is first. Blocks.
[[nodiscard]] closed_loop_result run_closed_loop(const closed_loop_plan& plan);

}  // namespace pawl::cli
