#pragma once

#include "cluster/ids.hpp"
#include "tests/bench/store_relay.hpp"
#include "tests/cluster/process.hpp"
#include "tests/contract/redis_server.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pawl::bench {

/// A Redis and nodes of order_workflow, each a process of its own. All are gone with this value.
///
/// For one thread: the processes die with the one that started them.
class bench_cluster {
public:
  struct setup {
    std::string program;  ///< order_workflow
    std::uint32_t shards = 256;
    std::vector<std::string> flags{};  ///< of every node
    std::string logs{};                ///< directory for what the nodes write, kept; empty: a temporary one
    bool relayed = false;              ///< nodes reach Redis through relays, which may be cut
  };

  /// Starts Redis and creates the dataset. No node yet.
  explicit bench_cluster(setup s);

  /// Starts the process and returns at once.
  void launch(const std::string& node);
  /// Returns once its door takes requests.
  void await_door(const std::string& node);
  /// Returns once these nodes, and no others, are members and own all shards.
  void await_members(std::vector<std::string> nodes);
  /// `await_members` of all nodes that run and are not paused.
  void settle();

  [[nodiscard]] testing::process& node(const std::string& name) { return *nodes_.at(name).program; }
  void pause(const std::string& node);
  void go_on(const std::string& node);
  /// Cuts this node off from Redis, and connects it again. @pre relayed
  void cut(const std::string& node) { relays_.at(node)->cut(); }
  void heal(const std::string& node) { relays_.at(node)->heal(); }
  [[nodiscard]] testing::redis_server& store() { return store_; }
  [[nodiscard]] const testing::redis_server& store() const { return store_; }
  [[nodiscard]] std::uint16_t door(const std::string& node) const { return nodes_.at(node).door; }
  /// Of the nodes that run and are not paused.
  [[nodiscard]] std::vector<std::uint16_t> doors();
  [[nodiscard]] std::vector<std::string> running();
  /// How many shards the node has claimed, by its own account.
  [[nodiscard]] std::uint32_t owned(const std::string& node) const;
  /// The owner of each shard as the node places them.
  [[nodiscard]] std::vector<std::string> owners(const std::string& node) const;
  [[nodiscard]] double metric(const std::string& node, std::string_view sample) const;
  [[nodiscard]] std::string log(const std::string& node) const { return nodes_.at(node).program->log(); }

private:
  struct member {
    std::unique_ptr<testing::process> program;
    std::uint16_t door = 0;
    bool paused = false;
  };
  [[nodiscard]] bool knows(const std::string& node, const std::vector<std::string>& members,
                           std::uint32_t& owned) const;

  setup setup_;
  testing::redis_server store_;
  testing::temporary_directory directory_;
  std::map<std::string, std::unique_ptr<store_relay>> relays_;  ///< by node
  std::map<std::string, member> nodes_;
  int launched_ = 0;
};

}  // namespace pawl::bench
