#include "tests/cluster/order_events.hpp"
#include "tests/cluster/order_load.hpp"
#include "tests/cluster/test_cluster.hpp"
#include "tests/cluster/until.hpp"

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

namespace pawl::testing {
namespace {

const std::vector<std::string> nodes{"n1", "n2", "n3"};

TEST(Faults, an_owner_killed_under_load_is_replaced_and_nothing_is_lost_or_doubled) {
  test_cluster cluster;
  cluster.start(nodes);
  order_load load{cluster};
  load.every_order_moves_on();

  cluster.kill("n2");

  load.every_order_moves_on();
  cluster.settle();
  load.finish_and_check();
  EXPECT_GT(load.retries(), 0U) << "nobody noticed that a node was killed";
}

TEST(Faults, an_owner_that_was_stopped_for_longer_than_its_lease_changes_nothing_and_joins_again) {
  test_cluster cluster{{.flags = {"--cluster-beat", "100ms", "--cluster-lease", "1s"}}};
  cluster.start(nodes);
  order_load load{cluster};
  load.every_order_moves_on();
  const auto before = cluster.client("n2").status();
  ASSERT_GT(before.shards_owned, 0U);

  cluster.pause("n2");
  cluster.settle();  // without it
  load.every_order_moves_on();
  cluster.go_on("n2");

  until("n2 is a member again", [&] {
    const auto now = cluster.client("n2").status();
    return now.state == "up" && now.incarnation > before.incarnation;
  });
  EXPECT_EQ(cluster.client("n2").metric("pawl_evictions_total"), 1);
  cluster.settle();
  EXPECT_GT(cluster.client("n2").status().shards_owned, 0U);
  load.every_order_moves_on();
  load.finish_and_check();
}

TEST(Faults, a_stopped_owner_that_wakes_with_requests_at_its_door_acknowledges_nothing_that_will_not_last) {
  test_cluster cluster{{.flags = {"--cluster-beat", "100ms", "--cluster-lease", "1s"}}};
  cluster.start(nodes);
  std::vector<std::string> keys;
  for (int i = 0; i < 60; ++i) {
    const auto key = "order-" + std::to_string(i);
    const auto first = event_of(key, 1).json;
    until("the first event of " + key + " is applied", [&] { return cluster.client("n1").post(first).status == 200; });
    if (cluster.client("n1").order(key).owner == "n2") keys.push_back(key);
  }
  ASSERT_FALSE(keys.empty());

  cluster.pause("n2");
  std::vector<std::future<post_answer>> answers;
  answers.reserve(keys.size());
  for (const auto& key : keys)
    answers.push_back(std::async(std::launch::async, [client = cluster.client("n2"), key]() mutable {
      return client.post(event_of(key, 2).json);
    }));
  cluster.settle();  // the others own the shards
  cluster.go_on("n2");

  // It still takes itself for the owner, and has all it needs in memory; but its token is dead.
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto a = answers[i].get();
    const bool resolved = a.messages.size() == 1 && a.messages[0].resolved();
    const auto second = event_of(keys[i], 2).json;
    if (!resolved)
      until("the second event is resolved", [&] { return cluster.client("n1").post(second).status == 200; });
    cluster.settle();
    EXPECT_EQ(cluster.client("n1").order(keys[i]).chain, replay(keys[i], 2).chain) << "n2 said: " << a.body;
  }
}

}  // namespace
}  // namespace pawl::testing
