#include "cluster/placement.hpp"
#include "tests/cluster/order_load.hpp"
#include "tests/cluster/test_cluster.hpp"
#include "tests/cluster/until.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

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

/// How many shards another node owns once these are the members.
unsigned moves_between(const std::vector<std::string>& before, const std::vector<std::string>& after) {
  const auto placed = [](const std::vector<std::string>& nodes) {
    view v;
    for (const auto& node : nodes) v.members.push_back({{node, 1}, member_state::up, {}, {}, 0});
    return placement{std::move(v), shards};
  };
  const auto from = placed(before), to = placed(after);
  unsigned moved = 0;
  for (std::uint32_t s = 0; s < shards; ++s) moved += from.owner({s})->id != to.owner({s})->id ? 1 : 0;
  return moved;
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
  cluster.settle();
  const auto owned = cluster.client("n2").status().shards_owned;
  ASSERT_GT(owned, 0U);
  const auto given_before = given(cluster);

  EXPECT_EQ(cluster.terminate("n2"), 0);
  cluster.settle();

  load.every_order_moves_on();
  // None had to be taken from a dead owner. With the room of two members a shard of one may move to the other as well.
  const auto moved = moves_between({"n1", "n2", "n3"}, {"n1", "n3"});
  EXPECT_GE(moved, owned);
  EXPECT_EQ(given(cluster) - given_before, moved);
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

TEST(Membership, a_node_killed_while_it_drains_is_replaced_and_nothing_is_lost) {
  test_cluster cluster{{.shards = shards, .flags = {"--cluster-beat", "100ms", "--cluster-lease", "1s"}}};
  cluster.start({"n1", "n2", "n3"});
  order_load load{cluster};
  load.every_order_moves_on();

  // While Redis stands still no shard can be given back, so it dies in the middle; what it asked for last runs later.
  cluster.store().pause();
  cluster.ask_to_end("n2");
  until("n2 drains", [&] { return cluster.node("n2").log().find(" draining ") != std::string::npos; });
  cluster.kill("n2");
  cluster.store().go_on();

  cluster.settle();
  load.every_order_moves_on();
  load.finish_and_check();
}

TEST(Membership, eight_nodes_started_at_once_make_one_placement) {
  const std::vector<std::string> eight{"n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8"};
  // As long as eight processes may take to start on a busy machine.
  test_cluster cluster{{.shards = shards, .flags = {"--cluster-settle", "2s"}}};
  cluster.start(eight);

  double claims = 0;
  double first_claims = 0;
  for (const auto& node : eight) {
    claims += cluster.client(node).metric("pawl_claims_total");
    first_claims += handoffs(cluster, node, "start");
  }
  EXPECT_EQ(claims, shards) << "a shard was claimed more than once";
  EXPECT_EQ(first_claims, shards);
  const auto view = cluster.store().ask({"GET", "pawl:test:{members}:view"}).text;
  for (std::uint32_t shard = 0; shard < shards; ++shard) {
    const auto record = "pawl:test:{" + std::to_string(shard) + "}:rec";
    EXPECT_EQ(cluster.store().ask({"HGET", record, "view"}).text, view) << record << " is of an earlier view";
  }
}

// Without messages nobody asks the former owner, who is still where they would be sent first.
TEST(Membership, a_shard_that_was_given_away_is_not_missed_by_its_former_owner) {
  test_cluster cluster;
  cluster.start({"n1"});
  cluster.start({"n2"});
  EXPECT_TRUE(
      stays([&] { return cluster.client("n1").get("/v1/shards").find("\"waiting_for\":\"") == std::string::npos; },
            std::chrono::seconds{3}));
}

}  // namespace
}  // namespace pawl::testing
