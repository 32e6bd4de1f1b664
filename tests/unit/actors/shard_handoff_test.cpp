// A shard that is given away, taken over, or asked for under a view that this member or the sender does not know yet.
#include "tests/unit/actors/shard_world.hpp"

#include <gtest/gtest.h>

namespace pawl::test {
namespace {

using namespace std::chrono_literals;
using state = shard_claim::state;

struct ShardHandoff : two_owners {};

// rule B13; design: the old owner stops admitting, finishes its commit, releases
TEST_F(ShardHandoff, ADrainFinishesItsCommitRefusesTheRestAndReleases) {
  begin();
  auto commit = a.next<commit_fields>();
  a.frame({{"m3"}}, 2);
  a.read("k");
  a.place("b", 2, {"a"});
  EXPECT_EQ(a.decide.claim_state(), state::draining);
  EXPECT_EQ(a.answers(), "busy:moved");
  EXPECT_EQ(a.reads.at(0).answer.answer.kind, entity_answer::status::unavailable);
  a.frame({{"m4"}}, 3);
  EXPECT_EQ(a.answers(), "busy:moved");
  a.execute(a.next<load_fields>());  // of the read, which nobody waits for any more
  EXPECT_TRUE(a.sent.empty());
  a.execute(commit);
  EXPECT_EQ(a.answers(), "applied");
  a.execute(a.next<release_shard>());
  EXPECT_TRUE(w.store.record.released);
  EXPECT_EQ(a.told_released, (member_id{"b", 1}));
  EXPECT_EQ(a.decide.claim_state(), state::unclaimed);
  EXPECT_EQ(a.metrics.entities.value(), 0u);
}

// rule C29: what was refused meanwhile stays refused
TEST_F(ShardHandoff, ADrainMayBeTakenBack) {
  begin();
  auto commit = a.next<commit_fields>();
  a.frame({{"m3"}}, 2);
  a.place("b", 2, {"a"});
  a.place("a", 3);
  EXPECT_EQ(a.decide.claim_state(), state::held);
  EXPECT_EQ(a.answers(), "busy:moved");
  a.execute(commit);
  EXPECT_EQ(a.answers(), "applied");
  EXPECT_EQ(a.tell({{"m3"}}), "applied");
  EXPECT_EQ(w.ids(), "m1 m2 m3");
}

TEST_F(ShardHandoff, ADrainWithACommitInDoubtGivesUpAndLeavesItToTheRetry) {
  begin();
  auto commit = a.next<commit_fields>();
  a.place("b", 2, {"a"});
  a.answer(commit, store_outcome::unknown);
  a.settle();
  EXPECT_EQ(a.answers(), "unknown:moved");
  EXPECT_TRUE(w.store.record.released);
  (void)w.store.execute(commit);  // late, but still under the live token
  b.start(2, {"a"});
  EXPECT_EQ(b.tell({{"m2"}}), "duplicate");
  EXPECT_EQ(w.ids(), "m1 m2");
}

TEST_F(ShardHandoff, AnEvictedOwnerAdmitsNothingMore) {
  begin();
  auto commit = a.next<commit_fields>();
  a.evict();
  a.frame({{"m3"}}, 2);
  EXPECT_EQ(a.answers(), "busy:moved");
  a.execute(commit);
  EXPECT_EQ(a.answers(), "applied");
  EXPECT_TRUE(a.asks<release_shard>());
}

TEST_F(ShardHandoff, TakesOverFromALiveOwnerWhenItReleasesAndIsTold) {
  begin();
  a.settle();
  b.connect();
  b.place("b", 2, {"a"});
  b.settle();
  EXPECT_EQ(b.decide.claim_state(), state::waiting);
  b.frame({{"m3"}});
  EXPECT_EQ(b.answers(), "");
  a.place("b", 2, {"a"});
  a.settle();
  b.release_notice();
  b.settle();
  EXPECT_EQ(b.answers(), "applied");
  EXPECT_EQ(w.ids(), "m1 m2 m3");
}

TEST_F(ShardHandoff, AFrameOfASenderWithANewerViewWaitsForOurs) {
  a.connect();
  a.place("b", 1, {"a"});
  a.frame({{"m1"}}, 1, 2);
  EXPECT_EQ(a.answers(), "");
  EXPECT_TRUE(a.wants_view);
  EXPECT_EQ(a.wanted_view.value, 0u);  // a reason to read the view, and not to believe a peer's number
  a.place("a", 2);
  a.settle();
  EXPECT_EQ(a.answers(), "applied");
}

TEST_F(ShardHandoff, AFrameThatWaitedForAViewIsRefusedIfThatNamesAnother) {
  a.connect();
  a.place("b", 1, {"a"});
  a.frame({{"m1"}}, 1, 2);
  a.place("b", 2, {"a"});
  EXPECT_EQ(a.answers(), "busy:moved");
  a.frame({{"m1"}}, 1, 2);
  EXPECT_EQ(a.answers(), "busy:moved");
}

// rule C23
TEST_F(ShardHandoff, AClaimUnderAnOlderViewIsRefusedAndANewerOneFetched) {
  a.start(5);
  b.connect();
  b.place("b", 4);
  b.settle();
  EXPECT_TRUE(b.wants_view);
  EXPECT_EQ(b.wanted_view.value, 5u);
  EXPECT_EQ(w.store.record.owner, a.self);
}

// rules A1, C26: never the live name; the replaced one at 5 s and 60 s
TEST_F(ShardHandoff, DeadNamesAreSweptAfterAClaimAndTheLiveOneIsNot) {
  begin();
  auto late = a.next<commit_fields>();
  b.start(2);
  (void)w.store.execute(late);
  EXPECT_EQ(w.store.hashes.size(), 2u);
  std::size_t sweeps = 0;
  for (int s = 0; s < 70; ++s) {
    b.tick();
    sweeps += b.sent.size();
    b.settle();
    w.pass(1s);
    if (s == 30) (void)w.store.execute(late);  // later still
  }
  EXPECT_EQ(w.store.hashes.size(), 1u);
  EXPECT_TRUE(w.store.hashes.contains(w.store.record.token));
  EXPECT_EQ(sweeps, 3u);  // the token before the former owner's, and that one's twice
}

TEST_F(ShardHandoff, WakesForSweepsAndPassivation) {
  a.start();
  ASSERT_TRUE(a.decide.wake());
  EXPECT_EQ(*a.decide.wake() - w.now.steady, 5s);
  w.pass(60s);
  a.tick();
  EXPECT_EQ(a.decide.wake(), std::nullopt);
  a.tell({{"m1"}});
  ASSERT_TRUE(a.decide.wake());
  EXPECT_GT(*a.decide.wake(), w.now.steady);
}

}  // namespace
}  // namespace pawl::test
