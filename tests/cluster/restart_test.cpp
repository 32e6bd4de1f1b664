#include "tests/cluster/order_events.hpp"
#include "tests/cluster/order_load.hpp"
#include "tests/cluster/test_cluster.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pawl::testing {
namespace {

constexpr int orders = 60;

/// Sends the first event of all orders to a node, and counts the results of one kind.
int count(test_cluster& cluster, const std::string& node, const std::string& result) {
  auto client = cluster.client(node);
  int found = 0;
  for (int i = 0; i < orders; ++i) {
    const auto a = client.post(event_of("order-" + std::to_string(i), 1).json);
    if (a.messages.size() == 1 && a.messages[0].result == result) ++found;
  }
  return found;
}

TEST(Restart, duplicates_are_recognised_at_every_node_and_after_a_restart_of_all_nodes_and_of_redis) {
  // With everysec Redis may hold its writes back for a while after its answers, and a kill then loses them.
  test_cluster cluster{{.flags = {"--request-timeout", "30s"}, .redis = {"--appendfsync", "always"}}};
  cluster.start({"n1", "n2", "n3"});
  EXPECT_EQ(count(cluster, "n1", "applied"), orders);
  EXPECT_EQ(count(cluster, "n2", "duplicate"), orders);
  EXPECT_EQ(count(cluster, "n3", "duplicate"), orders);

  for (const auto* node : {"n1", "n2", "n3"}) cluster.kill(node);
  cluster.store().kill_hard();
  cluster.store().start();
  cluster.start({"n1", "n2", "n3"});

  EXPECT_EQ(count(cluster, "n3", "duplicate"), orders);
  for (int i = 0; i < orders; ++i) {
    const auto key = "order-" + std::to_string(i);
    EXPECT_EQ(cluster.client("n2").order(key).chain, replay(key, 1).chain);
  }
}

TEST(Restart, a_killed_node_started_again_at_once_under_its_name_takes_the_place_of_the_dead_one) {
  test_cluster cluster;
  cluster.start({"n1", "n2", "n3"});
  order_load load{cluster};
  load.every_order_moves_on();
  const auto before = cluster.client("n2").status().incarnation;

  cluster.kill("n2");
  cluster.start({"n2"});

  EXPECT_GT(cluster.client("n2").status().incarnation, before);
  EXPECT_GT(cluster.client("n2").status().shards_owned, 0U);
  load.every_order_moves_on();
  load.finish_and_check();
}

TEST(Restart, all_nodes_restarted_one_after_the_other_lose_nothing_whether_they_drain_or_are_killed) {
  test_cluster cluster;
  const std::vector<std::string> nodes{"n1", "n2", "n3"};
  cluster.start(nodes);
  order_load load{cluster};
  load.every_order_moves_on();
  for (const auto& node : nodes) {
    EXPECT_EQ(cluster.terminate(node), 0);
    cluster.start({node});
    load.every_order_moves_on();
  }
  for (const auto& node : nodes) {
    cluster.kill(node);
    cluster.start({node});
    load.every_order_moves_on();
  }
  load.finish_and_check();
}

TEST(Restart, a_second_process_under_a_name_in_use_ends_with_the_remedy_and_the_first_goes_on) {
  test_cluster cluster;
  cluster.start({"n1", "n2"});
  const auto before = cluster.client("n1").status();

  auto words = cluster.arguments();
  words.insert(words.end(), {"--node", "n1", "--http-port", "0", "--peer-port", "0"});
  const auto second = run_order_workflow(words);

  EXPECT_EQ(second.exit_status, 1);
  EXPECT_NE(second.text.find("node name 'n1' is in use"), std::string::npos) << second.text;
  EXPECT_NE(second.text.find("--node"), std::string::npos) << second.text;
  const auto after = cluster.client("n1").status();
  EXPECT_EQ(after.state, "up");
  EXPECT_EQ(after.incarnation, before.incarnation);
  EXPECT_EQ(after.shards_owned, before.shards_owned);
  EXPECT_EQ(cluster.client("n2").post(event_of("order-1", 1).json).status, 200);
}

}  // namespace
}  // namespace pawl::testing
