#pragma once

#include "tests/bench/bench_cluster.hpp"
#include "tests/bench/order_traffic.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::bench {

/// What one fault cost, once.
struct fault_cost {
  std::vector<double> serving_ms;  ///< per shard, from the fault on; of a planned move: when all had moved, once
  std::vector<double> wait_ms;     ///< per key and move: the longest wait of one message
  std::vector<double> gap_ms;      ///< per key and move: the longest time without an answer
  double view_ms = 0;              ///< from the fault until the last node had the view that follows from it
  double store_ms = 0;             ///< of a restart of Redis: its own part
  double lag_ms = 0;               ///< the driver's own part
  std::uint64_t retries = 0;
  std::uint64_t resolved = 0;  ///< messages, of all keys
  double seconds = 0;          ///< for which this was looked at
};

/// A cluster under load, whole before and after each fault.
struct fault_scene {
  bench_cluster& cluster;
  order_traffic& traffic;
  std::uint32_t shards;
  std::vector<std::string> nodes;
  int round = 0;
};

enum class judged : std::uint8_t { last_shard, waits };

/// Something that happens to a cluster, and how long it may keep messages waiting.
struct fault {
  std::string_view name;
  std::string_view what;
  std::size_t nodes;
  judged by;
  double median_ms;  ///< aim: the last shard's time, or the 99th percentile of the waits; median over the rounds
  double most_ms;    ///< aim: the worst of all rounds
  std::string_view aim;
  fault_cost (*strike)(fault_scene&);
  bool relayed = false;  ///< nodes reach Redis through relays
};

[[nodiscard]] std::span<const fault> faults();

}  // namespace pawl::bench
