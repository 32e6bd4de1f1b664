#include "tests/cluster/order_load.hpp"
#include "tests/cluster/test_cluster.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pawl::testing {
namespace {

constexpr std::uint32_t shards = 64;

double handoffs(test_cluster& cluster, const std::string& node, const std::string& reason) {
  return cluster.client(node).metric("pawl_handoffs_total{reason=\"" + reason + "\"}");
}

/// Shards that n1 and n3 got from owners that were there to give them away.
double given(test_cluster& cluster) {
  double sum = 0;
  for (const auto* node : {"n1", "n3"})
    for (const auto* reason : {"join", "drain"}) sum += handoffs(cluster, node, reason);
  return sum;
}

TEST(Membership, the_events_of_an_order_keep_their_order_under_eight_senders_and_repeated_messages) {
  test_cluster cluster{{.shards = shards}};
  cluster.start({"n1", "n2", "n3"});
  order_load load{cluster};
  load.reaches(5'000);
  load.finish_and_check();
  EXPECT_EQ(cluster.client("n1").metric("pawl_ordering_violations_total{entity_type=\"order\"}"), 0);
}

TEST(Membership, a_node_that_joins_takes_its_share_of_the_shards_and_nothing_is_lost) {
  test_cluster cluster{{.shards = shards}};
  cluster.start({"n1", "n2", "n3"});
  order_load load{cluster};
  load.every_order_moves_on();

  cluster.start({"n4"});

  load.every_order_moves_on();
  // Nobody has room for more than 1.12 times the mean, here 18 of 64: so each has at least 10.
  const auto owned = cluster.client("n4").status().shards_owned;
  EXPECT_GE(owned, 10U);
  EXPECT_LE(owned, 18U);
  EXPECT_EQ(handoffs(cluster, "n4", "join"), owned);
  load.finish_and_check();
}

TEST(Membership, a_node_told_to_end_hands_its_shards_over_first_and_nothing_is_lost) {
  test_cluster cluster{{.shards = shards}};
  cluster.start({"n1", "n2", "n3"});
  order_load load{cluster};
  load.every_order_moves_on();
  const auto owned = cluster.client("n2").status().shards_owned;
  ASSERT_GT(owned, 0U);
  const auto given_before = given(cluster);

  EXPECT_EQ(cluster.terminate("n2"), 0);
  cluster.settle();

  load.every_order_moves_on();
  // None had to be taken from a dead owner.
  EXPECT_EQ(given(cluster) - given_before, owned);
  EXPECT_EQ(handoffs(cluster, "n1", "takeover") + handoffs(cluster, "n3", "takeover"), 0);
  EXPECT_EQ(cluster.node("n2").log().find("drain deadline passed"), std::string::npos);
  load.finish_and_check();
}

TEST(Membership, the_last_node_told_to_end_gives_its_shards_back_and_another_finds_them) {
  test_cluster cluster{{.shards = shards}};
  cluster.start({"n1"});
  order_load load{cluster};
  load.every_order_moves_on();

  EXPECT_EQ(cluster.terminate("n1"), 0);
  EXPECT_EQ(cluster.node("n1").log().find("drain deadline passed"), std::string::npos);
  cluster.start({"n2"});

  load.every_order_moves_on();
  load.finish_and_check();
}

}  // namespace
}  // namespace pawl::testing
