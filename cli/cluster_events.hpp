#pragma once

#include "cli/cluster_picture.hpp"
#include "cli/verdict.hpp"

#include <string>
#include <vector>

namespace pawl::cli {

/// Something that changed between two looks at the cluster.
struct cluster_event {
  std::string code;  ///< stable, for programs: `node_joined`, `shards_moved`, …
  std::string text;  ///< for people; not yet fit for a terminal
  health tone = health::healthy;
};

/// Compares each picture of a cluster with the one before. Pure: no I/O, no clock.
class event_watch {
public:
  /// What changed since the last call. The first call tells where things stand.
  [[nodiscard]] std::vector<cluster_event> look(const cluster_picture& p);

private:
  cluster_picture before_;
  bool looked_ = false;
  health level_ = health::healthy;
  double rate_told_ = 0;  ///< messages per second, as last told
};

}  // namespace pawl::cli
