#include "cli/verdict.hpp"

#include "pictures.hpp"

#include <gtest/gtest.h>

// Every rule by which a cluster is judged: what the nodes say, and the level and reason that must follow.

namespace pawl::cli {
namespace {

using std::chrono::milliseconds;

void expect(const cluster_picture& p, health level, const std::string& code) {
  const auto v = judge(p);
  EXPECT_EQ(to_string(v.level), to_string(level));
  EXPECT_TRUE(has(v, code)) << code;
}

TEST(Verdict, AllNodesUpAndEachShardHeldOnceIsHealthy) {
  const auto v = judge(healthy_cluster());
  EXPECT_EQ(v.level, health::healthy);
  EXPECT_TRUE(v.reasons.empty());
}

TEST(Verdict, NobodyAnsweringIsUnreachableWithAReasonForEach) {
  auto p = healthy_cluster();
  for (const auto* n : {"n1", "n2", "n3"}) silence(p, n);
  const auto v = judge(p);
  EXPECT_EQ(v.level, health::unreachable);
  EXPECT_EQ(v.reasons.size(), 3u);
}

TEST(Verdict, NoNodeAtAllIsUnreachable) { EXPECT_EQ(judge({}).level, health::unreachable); }

TEST(Verdict, AMemberThatDoesNotAnswerDegrades) {
  auto p = healthy_cluster();
  silence(p, "n3");
  expect(p, health::degraded, "node_silent");
  // Its shards may well be served: nobody who answers can tell.
  expect(p, health::degraded, "shards_unheld");
}

TEST(Verdict, ANodeThatWasAskedForAndIsNoMemberDegradesToo) {
  auto p = healthy_cluster();
  node_picture gone;
  gone.url = "http://127.0.0.1:9";
  gone.problem = "Connection refused";
  p.nodes.push_back(gone);
  EXPECT_EQ(judge(p).level, health::healthy);
  p.nodes.back().asked_for = true;
  expect(p, health::degraded, "node_silent");
}

TEST(Verdict, AnAnswerThatIsOnlyHalfUnderstoodDegrades) {
  auto p = healthy_cluster();
  node_of(p, "n2").problem = "its answer to /v1/shards is not understood: no JSON";
  expect(p, health::degraded, "answer_incomplete");
}

TEST(Verdict, ANodeThatIsNotUpDegrades) {
  for (const auto* state : {"joining", "draining", "evicted"}) {
    auto p = healthy_cluster();
    node_of(p, "n2").view->state = state;
    expect(p, health::degraded, "node_state");
  }
}

TEST(Verdict, ANodeThatTheOthersDoNotKnowDegrades) {
  auto p = healthy_cluster();
  node_of(p, "n2").view->incarnation = 8;
  expect(p, health::degraded, "not_a_member");
}

TEST(Verdict, RedisOutOfReachOfSomeDegradesAndOfAllFails) {
  auto p = healthy_cluster();
  node_of(p, "n1").view->store_up = false;
  expect(p, health::degraded, "store_down");
  node_of(p, "n2").view->store_up = node_of(p, "n3").view->store_up = false;
  expect(p, health::failed, "store_down");
}

TEST(Verdict, DifferentViewsDegradeAndTheLatestOneCounts) {
  auto p = healthy_cluster();
  node_of(p, "n2").view->view = 6;
  expect(p, health::degraded, "views_differ");
  EXPECT_EQ(p.latest()->node, "n2");
}

TEST(Verdict, NodesOfDifferentClustersFail) {
  auto p = healthy_cluster();
  node_of(p, "n2").view->dataset = "another";
  expect(p, health::failed, "mixed_clusters");
}

TEST(Verdict, AShardHeldByNobodyDegrades) {
  auto p = healthy_cluster();
  node_of(p, "n1").shards[0].claim = "waiting";
  expect(p, health::degraded, "shards_unheld");
}

TEST(Verdict, AShardHeldTwiceDegradesSinceTheStoreRefusesOneOfThem) {
  auto p = healthy_cluster();
  node_of(p, "n2").shards[0].claim = "held";
  expect(p, health::degraded, "shards_held_twice");
}

TEST(Verdict, AShardNotServedDegradesAtFirstAndFailsWhenItLasts) {
  auto p = healthy_cluster();
  wait_for(p, "n1", 0, "no link to n3", milliseconds{1'500});
  expect(p, health::degraded, "shards_unserved");
  wait_for(p, "n1", 0, "no link to n3", unserved_failed_after + milliseconds{1});
  expect(p, health::failed, "shards_unserved");
}

TEST(Verdict, AStoppedShardFailsAtOnce) {
  auto p = healthy_cluster();
  node_of(p, "n1").shards[0].claim = "lost";
  expect(p, health::failed, "shards_stopped");
}

TEST(Verdict, ShardsThatWaitForTheSameAreOneReason) {
  auto p = healthy_cluster();
  wait_for(p, "n1", 0, "no link to n3", milliseconds{1'500});
  wait_for(p, "n1", 2, "no link to n3", milliseconds{1'500});
  const auto v = judge(p);
  ASSERT_EQ(v.reasons.size(), 1u);
  EXPECT_EQ(v.reasons[0].text, "shards 0, 2 not served for 1 s: no link to n3");
}

TEST(Verdict, MessagesAppliedOutOfOrderAndStuckHandlersDegrade) {
  auto p = healthy_cluster();
  node_of(p, "n1").counters->violations = 1;
  node_of(p, "n2").counters->stalled = 2;
  expect(p, health::degraded, "order_violated");
  expect(p, health::degraded, "handlers_stuck");
}

TEST(Verdict, DifferentVersionsAreWorthANoteOnly) {
  auto p = healthy_cluster();
  node_of(p, "n1").view->version = "2";
  const auto v = judge(p);
  EXPECT_EQ(v.level, health::healthy);
  EXPECT_EQ(v.notes.size(), 1u);
}

TEST(Verdict, TheWorstReasonComesFirst) {
  auto p = healthy_cluster();
  silence(p, "n2");
  node_of(p, "n1").shards[0].claim = "lost";
  const auto v = judge(p);
  ASSERT_GE(v.reasons.size(), 2u);
  EXPECT_EQ(v.reasons.front().level, health::failed);
}

TEST(Verdict, NodesThatDisagreeAboutTheNumberOfShardsDoNotConfuseIt) {
  auto p = healthy_cluster();
  node_of(p, "n2").shards.resize(1);
  node_of(p, "n3").view->shards = 16'384;
  expect(p, health::degraded, "shards_unheld");
}

TEST(Verdict, OfOneShardLooksAtThatShardOnly) {
  auto p = healthy_cluster();
  wait_for(p, "n1", 1, "the store does not answer", milliseconds{11'000});
  EXPECT_EQ(judge_shard(p, 0).level, health::healthy);
  EXPECT_EQ(judge_shard(p, 1).level, health::failed);
  silence(p, "n1");
  EXPECT_TRUE(has(judge_shard(p, 0), "node_silent"));
}

TEST(Verdict, LongListsOfShardsAreCut) {
  std::vector<std::uint32_t> many(100);
  for (std::uint32_t i = 0; i < many.size(); ++i) many[i] = i;
  EXPECT_EQ(numbers_text(many), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 88 more");
  EXPECT_EQ(numbers_text({7}), "7");
}

}  // namespace
}  // namespace pawl::cli
