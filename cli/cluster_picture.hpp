#pragma once

#include "cli/exposition.hpp"
#include "cli/node_answer.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pawl::cli {

/// How far a node's wall clock is ahead of ours, give or take half of the time its answer took.
struct clock_reading {
  std::int64_t ahead_ms = 0;
  std::int64_t give_or_take_ms = 0;
};

/// What is known of one node, from itself or only from others.
struct node_picture {
  std::string url;         ///< where it was asked; empty: nobody says where
  std::string name;        ///< empty: it never said
  bool asked_for = false;  ///< named by whoever runs the command
  std::string problem;     ///< why it said nothing, or not all; empty: it said all
  std::optional<node_view> view;
  std::vector<shard_row> shards;
  std::optional<node_counters> counters;
  std::optional<clock_reading> clock;
};

/// What all nodes say, at about one time.
struct cluster_picture {
  std::chrono::steady_clock::time_point taken{};
  std::vector<node_picture> nodes;

  /// The answer with the latest view; nothing if there is no answer.
  [[nodiscard]] const node_view* latest() const;
  [[nodiscard]] const node_picture* find(const std::string& name) const;
};

/// One shard, put together from what all nodes say of it.
struct shard_picture {
  std::uint32_t shard = 0;
  std::string owner;                 ///< by the latest view; empty: none
  std::vector<std::string> holders;  ///< nodes that say they hold its claim
  std::string claim;                 ///< as the owner says; empty: it does not answer
  std::uint64_t queued = 0;          ///< over all nodes
  std::uint64_t entities = 0;        ///< in memory at its holders
  std::uint64_t commits = 0;
  std::string waiting_for;  ///< of the node where messages have waited for longest; empty: nothing is waited for
  std::string waiting_at;   ///< that node
  std::chrono::milliseconds waiting{0};
  bool stopped = false;  ///< its data is missing or was rolled back: nobody serves it before an operator decides
};

/// All shards by number. Empty if no node answered.
[[nodiscard]] std::vector<shard_picture> shards_of(const cluster_picture& p);

}  // namespace pawl::cli
