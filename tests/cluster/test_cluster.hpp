#pragma once

#include "tests/cluster/network.hpp"
#include "tests/cluster/node_client.hpp"
#include "tests/cluster/process.hpp"
#include "tests/contract/redis_server.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace pawl::testing {

/// What a program said, and how it ended.
struct finished_program {
  int exit_status = 0;
  std::string text;
};

/// Runs order_workflow until it ends by itself.
[[nodiscard]] finished_program run_order_workflow(std::vector<std::string> arguments,
                                                  const std::vector<std::string>& environment = {});

/// Where a node takes requests.
struct door {
  std::string node;
  std::uint16_t port = 0;
};

/// Redis and nodes of order_workflow, each a process of its own, all in temporary directories and gone with this value.
/// If the test fails, what the nodes logged last is printed.
///
/// Not thread-safe but for `doors`; all processes are started by the caller's thread, and die with it.
class test_cluster {
public:
  struct setup {
    std::uint32_t shards = 32;
    std::vector<std::string> flags{};           ///< of every node and of init
    std::vector<std::string> environment{};     ///< of every node and of init, NAME=value
    std::vector<std::string> redis{};           ///< settings of the server
    std::string program = PAWL_ORDER_WORKFLOW;  ///< of every node
    bool wired = false;                         ///< nodes reach each other, and Redis, through `wires()` only
  };

  /// Starts Redis and creates the dataset. No node yet.
  test_cluster() : test_cluster(setup{}) {}
  explicit test_cluster(setup s);
  ~test_cluster();
  test_cluster(const test_cluster&) = delete;
  test_cluster& operator=(const test_cluster&) = delete;

  /// Starts nodes at once, one after the other, and returns when the cluster has settled with them. A name that has
  /// been killed or terminated may be started again.
  void start(const std::vector<std::string>& nodes);
  /// Starts a node and waits for nothing.
  void launch(const std::string& node);
  /// True once a launched node takes requests; it need not be a member yet.
  [[nodiscard]] bool takes_requests(const std::string& node);
  /// SIGKILL.
  void kill(const std::string& node);
  /// SIGTERM; waits for the end and returns the exit status.
  [[nodiscard]] int terminate(const std::string& node);
  /// SIGTERM alone.
  void ask_to_end(const std::string& node);
  /// False also for a node that was never started. Notices an end.
  [[nodiscard]] bool running(const std::string& node);
  /// SIGSTOP: the others will take it for dead, and `settle` leaves it out.
  void pause(const std::string& node);
  void go_on(const std::string& node);

  /// Waits until all nodes that run agree who is a member, and own all shards together.
  void settle();

  [[nodiscard]] redis_server& store() { return store_; }
  /// Only if `wired`.
  [[nodiscard]] network& wires() { return network_.value(); }
  [[nodiscard]] process& node(const std::string& name) { return *nodes_.at(name).program; }
  [[nodiscard]] node_client client(const std::string& name) { return node_client{nodes_.at(name).http_port}; }
  [[nodiscard]] std::uint16_t peer_port(const std::string& name) const { return nodes_.at(name).peer_port; }
  /// Arguments with which a program finds this cluster, past the wires.
  [[nodiscard]] std::vector<std::string> arguments() const;
  [[nodiscard]] std::uint32_t shards() const noexcept { return setup_.shards; }
  /// For files of the test.
  [[nodiscard]] const std::string& directory() const noexcept { return directory_.path(); }
  /// All nodes started so far, dead and paused ones included: senders find out. From any thread.
  [[nodiscard]] std::vector<door> doors() const;
  /// Those that run and are not paused.
  [[nodiscard]] std::vector<std::string> active();
  /// How often the nodes, in all their runs, logged a line with these words.
  [[nodiscard]] int logged(const std::string& words) const;

private:
  struct member {
    std::unique_ptr<process> program;
    std::uint16_t http_port = 0;
    std::uint16_t peer_port = 0;
    bool paused = false;
  };
  [[nodiscard]] std::vector<std::string> arguments_at(const std::string& redis_socket) const;
  [[nodiscard]] bool settled();
  void print_logs() const;

  setup setup_;
  redis_server store_;
  temporary_directory directory_;
  std::optional<network> network_;
  std::map<std::string, member> nodes_;
  std::vector<std::string> logs_;
  mutable std::mutex mutex_;  ///< of doors_
  std::map<std::string, std::uint16_t> doors_;
};

}  // namespace pawl::testing
