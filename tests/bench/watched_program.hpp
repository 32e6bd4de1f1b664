#pragma once

#include "tests/bench/dialogue.hpp"
#include "tests/bench/local_node.hpp"

#include <functional>

namespace pawl::bench {

/// What a program of the part `workflow` works with.
struct watched_node {
  local_node& node;
  const local_node::setup& setup;
  bench_clock::time_point began;  ///< when the node was started
};

/// Starts a node of these types, as the command line says, and serves `orders` besides these:
///
///   account   CPU so far, memory, commits
///   pending   waits until so many timers are pending; how long ago the node was started
///
/// Ready when the node, alone in its cluster, owns all shards. Returns the exit status.
[[nodiscard]] int serve_watched(int argc, char** argv, const char* about, std::vector<entity_type> types,
                                commit_watch& watch, const std::function<void(watched_node, dialogue&)>& orders);

/// What every load says: so many of what it measures, begun then, with so much CPU used by then.
[[nodiscard]] nlohmann::json load_account(std::size_t count, bench_clock::time_point began, double cpu_before);

}  // namespace pawl::bench
