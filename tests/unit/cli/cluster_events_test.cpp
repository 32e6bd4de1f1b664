#include "cli/cluster_events.hpp"

#include "pictures.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace pawl::cli {
namespace {

std::vector<std::string> codes(const std::vector<cluster_event>& events) {
  std::vector<std::string> out(events.size());
  std::transform(events.begin(), events.end(), out.begin(), [](const cluster_event& e) { return e.code; });
  return out;
}

const cluster_event* find(const std::vector<cluster_event>& events, const std::string& code) {
  const auto found = std::find_if(events.begin(), events.end(), [&](const auto& e) { return e.code == code; });
  return found == events.end() ? nullptr : &*found;
}

struct ClusterEvents : ::testing::Test {
  /// What is told when a healthy cluster becomes `p`.
  std::vector<cluster_event> after(cluster_picture p) {
    static_cast<void>(watch.look(healthy_cluster()));
    p.taken += std::chrono::seconds{1};
    return watch.look(p);
  }
  event_watch watch;
};

TEST_F(ClusterEvents, TheFirstLookTellsWhereThingsStand) {
  const auto events = watch.look(healthy_cluster());
  ASSERT_EQ(codes(events), std::vector<std::string>{"verdict"});
  EXPECT_EQ(events[0].text, "healthy");
}

TEST_F(ClusterEvents, NothingChangedIsNoEvent) { EXPECT_TRUE(after(healthy_cluster()).empty()); }

TEST_F(ClusterEvents, AKilledNodeGoesSilentAndLeavesAndItsShardsMove) {
  auto silent = healthy_cluster();
  silence(silent, "n3");
  const auto first = after(silent);
  EXPECT_NE(find(first, "node_silent"), nullptr);
  ASSERT_NE(find(first, "shards_moved"), nullptr);
  EXPECT_EQ(find(first, "shards_moved")->text, "2 shards n3 → nobody: 2, 5");
  EXPECT_EQ(find(first, "verdict")->tone, health::degraded);

  auto smaller = healthy_cluster({"n1", "n2"});
  for (auto& n : smaller.nodes) n.view->view = 6;
  const auto second = watch.look(smaller);
  EXPECT_EQ(find(second, "node_left")->text, "n3 is no longer a member");
  EXPECT_EQ(find(second, "view_changed")->text, "view 5 → 6: 2 members");
  EXPECT_EQ(find(second, "verdict")->text, "healthy");
}

TEST_F(ClusterEvents, ANodeThatJoinsDrainsOrRestartsIsTold) {
  EXPECT_NE(find(after(healthy_cluster({"n1", "n2", "n3", "n4"})), "node_joined"), nullptr);
  auto draining = healthy_cluster();
  for (auto& n : draining.nodes) n.view->members[1].state = "draining";
  EXPECT_EQ(find(after(draining), "node_state")->text, "n2 is draining");
  auto restarted = healthy_cluster();
  node_of(restarted, "n2").view->incarnation = 8;
  EXPECT_NE(find(after(restarted), "node_restarted"), nullptr);
}

TEST_F(ClusterEvents, LosingAndFindingRedisIsTold) {
  auto down = healthy_cluster();
  node_of(down, "n1").view->store_up = false;
  EXPECT_NE(find(after(down), "store_down"), nullptr);
  EXPECT_NE(find(watch.look(healthy_cluster()), "store_up"), nullptr);
}

TEST_F(ClusterEvents, ShardsThatAreNotServedAreToldOnceUntilTheyAreServedAgain) {
  auto waiting = healthy_cluster();
  wait_for(waiting, "n1", 4, "no link to n2", std::chrono::milliseconds{1'500});
  EXPECT_EQ(find(after(waiting), "shards_unserved")->text, "not served: 4: no link to n2");
  wait_for(waiting, "n1", 4, "no link to n2", std::chrono::milliseconds{2'500});
  EXPECT_EQ(find(watch.look(waiting), "shards_unserved"), nullptr);
  EXPECT_EQ(find(watch.look(healthy_cluster()), "shards_served")->text, "served again: 4");
}

TEST_F(ClusterEvents, ARateIsToldWhenItDoublesOrHalvesAndWhenItEnds) {
  auto p = healthy_cluster();
  const auto next = [&](double messages) {
    p.taken += std::chrono::seconds{1};
    node_of(p, "n1").counters->applied += messages;
    const auto events = watch.look(p);
    const auto* e = find(events, "rate_changed");
    return e == nullptr ? std::string{} : e->text;
  };
  static_cast<void>(watch.look(p));
  EXPECT_EQ(next(1'000), "0.0 → 1,000 messages/s");
  EXPECT_EQ(next(1'200), "");
  EXPECT_EQ(next(3'000), "1,000 → 3,000 messages/s");
  EXPECT_EQ(next(1), "3,000 → 1.0 messages/s");
  EXPECT_EQ(next(0), "");
}

}  // namespace
}  // namespace pawl::cli
