#include "tests/cluster/order_events.hpp"
#include "tests/cluster/order_load.hpp"
#include "tests/cluster/test_cluster.hpp"
#include "tests/cluster/until.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <future>
#include <string>
#include <vector>

namespace pawl::testing {
namespace {

using namespace std::chrono_literals;

const std::vector<std::string> nodes{"n1", "n2", "n3"};

bool all_see_the_store(test_cluster& cluster, double up) {
  return std::ranges::all_of(nodes,
                             [&](const auto& node) { return cluster.client(node).metric("pawl_store_up") == up; });
}

TEST(StoreFaults, redis_killed_and_started_again_under_load_loses_and_doubles_nothing) {
  // With everysec Redis answers before it has written, if its disk is slow: then even a kill loses acknowledged
  // commits.
  test_cluster cluster{{.flags = {"--request-timeout", "500ms"}, .redis = {"--appendfsync", "always"}}};
  cluster.start(nodes);
  order_load load{cluster};
  for (int i = 0; i < 3; ++i) {
    load.every_order_moves_on();
    cluster.store().kill_hard();
    until("all nodes notice", [&] { return all_see_the_store(cluster, 0); });
    cluster.store().start();
  }
  // The short times above were bridged by the nodes. Now the senders have to retry.
  load.every_order_moves_on();
  const auto before = load.retries();
  cluster.store().kill_hard();
  until("senders are told that their messages are not resolved", [&] { return load.retries() > before; });
  cluster.store().start();

  load.every_order_moves_on();
  cluster.settle();
  load.finish_and_check();
}

TEST(StoreFaults, redis_that_stands_still_for_longer_than_the_lease_of_all_evicts_nobody_on_its_return) {
  constexpr auto lease = 1'000ms;
  test_cluster cluster{{.flags = {"--cluster-beat", "100ms", "--cluster-lease", "1s", "--request-timeout", "500ms",
                                  "--redis-timeout", "500ms"}}};
  cluster.start(nodes);
  order_load load{cluster};
  load.every_order_moves_on();
  std::vector<std::uint64_t> before;
  for (const auto& node : nodes) before.push_back(cluster.client(node).status().incarnation);

  const auto began = std::chrono::steady_clock::now();
  cluster.store().pause();
  until("all nodes notice", [&] { return all_see_the_store(cluster, 0); });
  until("leases are over", [&] { return std::chrono::steady_clock::now() - began > 2 * lease; });
  cluster.store().go_on();

  until("all nodes see Redis again", [&] { return all_see_the_store(cluster, 1); });
  load.every_order_moves_on();
  const auto nobody_left = [&] {
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (cluster.client(nodes[i]).status().incarnation != before[i]) return false;
    return true;
  };
  // Whoever was suspected for the time of the standstill would be evicted within a lease.
  EXPECT_TRUE(stays(nobody_left, 2 * lease));
  EXPECT_EQ(cluster.logged("member evicted"), 0);
  cluster.settle();
  load.finish_and_check();
}

TEST(StoreFaults, a_read_never_shows_an_effect_that_is_not_committed) {
  test_cluster cluster{{.flags = {"--request-timeout", "1s", "--redis-timeout", "120s", "--cluster-lease", "120s"}}};
  cluster.start(nodes);
  const auto first = event_of("order-1", 1);
  const auto second = event_of("order-1", 2);
  until("the first event is applied", [&] { return cluster.client("n1").post(first.json).status == 200; });
  const auto before = cluster.client("n1").order("order-1");
  ASSERT_EQ(before.status, 200);

  cluster.store().pause();
  // The sender gives up, but the owner does not: its commit stays under way for as long as Redis stands still.
  const auto sent = cluster.client(before.owner).post(second.json);
  EXPECT_EQ(sent.status, 503) << sent.body;
  ASSERT_EQ(sent.messages.size(), 1U) << sent.body;
  EXPECT_EQ(sent.messages[0].result, "unknown");
  EXPECT_TRUE(sent.retry_after);
  for (const auto& node : nodes) EXPECT_EQ(cluster.client(node).order("order-1").status, 503);
  auto read = std::async(std::launch::async, [&] { return cluster.client(before.owner).order("order-1"); });
  cluster.store().go_on();

  const auto during = read.get();
  if (during.status == 200) {
    EXPECT_EQ(during.chain, replay("order-1", 2).chain) << "the commit came before the read";
  }
  until("the second event is resolved", [&] { return cluster.client("n2").post(second.json).status == 200; });
  for (const auto& node : nodes) {
    const auto after = cluster.client(node).order("order-1");
    EXPECT_EQ(after.events, 2U);
    EXPECT_EQ(after.chain, replay("order-1", 2).chain);
  }
}

}  // namespace
}  // namespace pawl::testing
