#pragma once

#include "actors/caf/host.hpp"
#include "actors/stall_watch.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pawl {

/// Looks at all shards of a node once a second and says, in the log and the metrics, which of them stand still and what
/// messages wait for. One line for all shards of which there is the same to say: a failure seldom comes to one alone.
class node_watch {
public:
  explicit node_watch(node_host& host);

  /// Whether this node should go on beating; nothing if it is not time for a look yet.
  /// @param member_connected the connection to the store that carries the beats is up
  [[nodiscard]] std::optional<bool> look(bool member_connected, steady_time now);

private:
  void tell_stalls(const stall_watch::findings& f, steady_time now);
  void tell_unserved(steady_time now);

  node_host& host_;
  stall_watch stalls_;
  std::vector<std::uint64_t> turns_;
  std::vector<bool> told_;  ///< by shard: that it is not served
  bool progressing_ = true;
  steady_time next_{};
};

}  // namespace pawl
