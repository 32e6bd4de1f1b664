#include "tests/cluster/order_load.hpp"
#include "tests/cluster/seed.hpp"
#include "tests/cluster/test_cluster.hpp"
#include "tests/cluster/until.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace pawl::testing {
namespace {

/// So many changes may be under way at the same time.
constexpr std::size_t unfinished_max = 3;

/// Nodes that come and go in an order the seed decides, each step taken before the ones before it have settled.
class storm {
public:
  explicit storm(test_cluster& cluster, std::vector<std::string> nodes)
      : cluster_(cluster), nodes_(std::move(nodes)), dice_(seed()) {}

  void step() {
    const auto& node = nodes_[dice_() % nodes_.size()];
    const bool gently = dice_() % 3 != 0;
    await_end(node);
    if (!cluster_.running(node)) {
      cluster_.launch(node);
      coming_.push_back(node);
    } else {
      // A process that is told to end before it takes requests would not be one of the cluster yet.
      until(node + " takes requests", [&] { return cluster_.takes_requests(node); });
      std::erase(coming_, node);
      if (gently) cluster_.ask_to_end(node);
      else cluster_.kill(node);
      leaving_.push_back(node);
    }
    until("the storm calms down a little", [&] { return unfinished() <= unfinished_max; });
  }

  /// Ends with all nodes running.
  void end() {
    for (const auto& node : nodes_) {
      await_end(node);
      if (!cluster_.running(node)) cluster_.launch(node);
    }
    cluster_.settle();
  }

private:
  /// If it has been told to end.
  void await_end(const std::string& node) {
    if (std::erase(leaving_, node) != 0) until("the end of " + node, [&] { return !cluster_.running(node); });
  }
  [[nodiscard]] std::size_t unfinished() {
    std::erase_if(coming_, [&](const auto& node) { return cluster_.takes_requests(node); });
    std::erase_if(leaving_, [&](const auto& node) { return !cluster_.running(node); });
    return coming_.size() + leaving_.size();
  }

  test_cluster& cluster_;
  std::vector<std::string> nodes_;
  std::mt19937 dice_;
  std::vector<std::string> coming_;
  std::vector<std::string> leaving_;
};

TEST(Storm, nodes_that_come_and_go_all_the_time_lose_and_double_nothing) {
  test_cluster cluster{{.flags = {"--cluster-beat", "100ms", "--cluster-lease", "1s", "--request-timeout", "1s",
                                  "--cluster-drain", "2s"}}};
  cluster.start({"n1", "n2", "n3", "n4"});
  order_load load{cluster};
  load.every_order_moves_on();

  storm weather{cluster, {"n2", "n3", "n4", "n5", "n6"}};
  for (int i = 0; i < 20; ++i) weather.step();
  weather.end();

  load.every_order_moves_on();
  load.finish_and_check();
}

}  // namespace
}  // namespace pawl::testing
