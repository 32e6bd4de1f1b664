#pragma once

#include "actors/caf/node.hpp"
#include "actors/http/server.hpp"
#include "metrics/metrics.hpp"
#include "persistence/redis/dataset.hpp"
#include "persistence/redis/redis_store.hpp"
#include "tests/bench/bench_order.hpp"
#include "tests/bench/commit_watch.hpp"
#include "tests/bench/recorder.hpp"

#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pawl::bench {

/// A node in this process, of the bench entity if nothing else is said, as `pawl::run` would build it, within reach of
/// what measures it.
class local_node {
public:
  struct setup {
    std::string socket;  ///< of Redis
    std::string name = "n1";
    std::uint32_t shards = 64;
    bool creates = true;  ///< the dataset; else it exists
    bool http = false;    ///< opens a door on a free port
    std::chrono::milliseconds passivate_after{300'000};
    std::vector<entity_type> types{bench_order()};
    commit_watch* watch = nullptr;              ///< told of its commits, if given; outlives the node
    std::optional<std::size_t> record_bytes{};  ///< keep the commits sent, up to so many bytes
  };

  /// Starts the node. It may not own anything yet.
  explicit local_node(const setup& s);
  /// Drains the node, unless it is alone: then it only stops.
  ~local_node();
  local_node(const local_node&) = delete;
  local_node& operator=(const local_node&) = delete;

  /// Name of the cluster in the store.
  static constexpr const char* cluster_name = "bench";

  [[nodiscard]] std::uint32_t shards() const noexcept { return shards_; }
  [[nodiscard]] ingress& door() noexcept { return *node_; }
  [[nodiscard]] std::uint16_t http_port() const noexcept { return http_ ? http_->port() : std::uint16_t{0}; }
  [[nodiscard]] std::uint64_t commits() const;
  [[nodiscard]] std::uint64_t committed_messages() const;
  [[nodiscard]] std::uint64_t resident_entities() const;
  [[nodiscard]] std::uint64_t pending_timers() const;
  /// Sent by entities, and not known to be taken.
  [[nodiscard]] std::uint64_t outbox_messages() const;
  [[nodiscard]] std::uint64_t dead_letters() const;
  [[nodiscard]] const recorder& recorded() const { return *recorder_; }
  /// Waits until the cluster has so many members, all its shards have owners, and this node's are claimed.
  void await_members(std::size_t members);
  /// Waits until nothing is under way between entities. Of a node that is alone, and given nothing meanwhile.
  void await_quiet();

private:
  std::uint32_t shards_;
  dataset_info dataset_;
  std::unique_ptr<node_metrics> metrics_;
  std::promise<void> ended_;
  std::unique_ptr<node> node_;
  std::unique_ptr<http_server> http_;
  std::unique_ptr<redis_store> store_;
  std::unique_ptr<recorder> recorder_;
};

}  // namespace pawl::bench
