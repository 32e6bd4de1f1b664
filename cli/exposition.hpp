#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::cli {

/// One sample of the Prometheus text format, as views into the text.
struct sample {
  std::string_view name;
  std::string_view labels;  ///< what stands between the braces
  double value = 0;
};

/// Calls `take` for each sample of the text. Lines that are none are skipped.
void for_each_sample(std::string_view text, const std::function<void(const sample&)>& take);

/// Value of a label; empty if there is no such label. Escapes are left as they are.
[[nodiscard]] std::string_view label(std::string_view labels, std::string_view name);

/// Messages counted up to each bound, bounds ascending, the last one infinite.
struct latency_bucket {
  double seconds = 0;
  double messages = 0;
};

/// What the command reads of a node's `/metrics`, summed over entity types.
struct node_counters {
  double applied = 0;
  double duplicate = 0;
  double refused = 0;
  double busy = 0;
  double unknown = 0;
  double violations = 0;  ///< messages applied out of their sender's order
  double stalled = 0;     ///< shards in a handler that does not return, now
  double open_files = 0;
  double open_files_max = 0;
  std::vector<latency_bucket> latency;
};

[[nodiscard]] node_counters read_counters(std::string_view exposition);

/// Seconds within which a share of the messages between two scrapes of one node were committed, by linear interpolation
/// within a bucket, as Prometheus does it. Negative: none were.
[[nodiscard]] double latency_quantile(const node_counters& before, const node_counters& after, double share);

}  // namespace pawl::cli
