// Which shards stand still, and when a node should stop beating for it. Time is made up; nothing waits.
#include "actors/stall_watch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace pawl {
namespace {

using namespace std::chrono_literals;

struct StallWatch : ::testing::Test {
  stall_policy policy{3'000ms, 4, 2'000ms};
  std::vector<std::uint64_t> turns = std::vector<std::uint64_t>(8, 0);
  bool shards_connected = true;
  bool member_connected = true;
  stall_watch watch{8, policy};
  steady_time now{1h};

  void enter(std::uint32_t shard) { ++turns[shard]; }
  void leave(std::uint32_t shard) { ++turns[shard]; }

  stall_watch::findings look() { return watch.look({turns, shards_connected, member_connected}, now); }

  /// Looks once a second.
  stall_watch::findings after(std::chrono::seconds d) {
    stall_watch::findings last;
    for (auto end = now + d; now < end;) {
      now += 1s;
      last = look();
    }
    return last;
  }
};

TEST_F(StallWatch, ShardsOutsideOfAnyTurnAreNotStalledHoweverLongTheyRest) {
  look();
  auto f = after(100s);
  EXPECT_EQ(f.stalled, 0U);
  EXPECT_TRUE(f.progressing);
}

TEST_F(StallWatch, AShardInTheSameTurnForLongerThanTheLimitIsStalledAndThatIsNewsOnce) {
  enter(3);
  look();
  EXPECT_EQ(after(3s).stalled, 0U) << "not longer than the limit";
  auto f = after(1s);
  EXPECT_EQ(f.began, std::vector<shard_id>{{3}});
  EXPECT_EQ(f.stalled, 1U);
  EXPECT_EQ(watch.in_turn({3}), 4s);
  f = after(1s);
  EXPECT_TRUE(f.began.empty());
  EXPECT_EQ(f.stalled, 1U);
}

TEST_F(StallWatch, ATurnIsTimedFromTheLookThatSeesItFirst) {
  look();
  now += 900ms;
  enter(0);
  EXPECT_EQ(after(3s).stalled, 0U);
  EXPECT_EQ(watch.in_turn({0}), 2s);
}

TEST_F(StallWatch, AShardThatIsInATurnAtEveryLookButInAnotherOneEachTimeIsNotStalled) {
  enter(3);
  look();
  for (int i = 0; i < 20; ++i) {
    leave(3);
    enter(3);
    EXPECT_EQ(after(1s).stalled, 0U);
  }
}

TEST_F(StallWatch, AHandlerThatReturnsAfterAllEndsTheStallAndThatIsNewsOnce) {
  enter(3);
  look();
  ASSERT_EQ(after(4s).stalled, 1U);
  leave(3);
  auto f = after(1s);
  EXPECT_EQ(f.ended, std::vector<shard_id>{{3}});
  EXPECT_EQ(f.stalled, 0U);
  EXPECT_EQ(watch.in_turn({3}), 0s);
  EXPECT_TRUE(after(1s).ended.empty());
}

TEST_F(StallWatch, OneTurnAfterAnotherEndsTheStallToo) {
  enter(3);
  look();
  ASSERT_EQ(after(4s).stalled, 1U);
  leave(3);
  enter(3);
  EXPECT_EQ(after(1s).ended, std::vector<shard_id>{{3}});
}

TEST_F(StallWatch, TheNodeGoesOnBeatingWhileAtMostHalfOfItsWorkersAreStuck) {
  enter(0);
  enter(1);
  look();
  auto f = after(10s);
  EXPECT_EQ(f.stalled, 2U);
  EXPECT_TRUE(f.progressing);
  enter(2);
  f = after(10s);
  EXPECT_EQ(f.stalled, 3U);
  EXPECT_FALSE(f.progressing);
  leave(1);
  EXPECT_TRUE(after(1s).progressing);
}

TEST_F(StallWatch, TheOnlyWorkerStuckIsAllOfThem) {
  stall_watch alone{1, {3'000ms, 1, 2'000ms}};
  const std::vector<std::uint64_t> inside{1};
  bool progressing = true;
  for (int i = 0; i <= 4; ++i) progressing = alone.look({inside, true, true}, steady_time{i * 1s}).progressing;
  EXPECT_FALSE(progressing);
}

TEST_F(StallWatch, ATimeWithoutLooksSaysNothingSinceTheProcessItselfStoodStill) {
  enter(0);
  enter(1);
  enter(2);
  look();
  now += 1h;
  auto f = look();
  EXPECT_EQ(f.stalled, 0U);
  EXPECT_TRUE(f.progressing);
  EXPECT_FALSE(after(2s).progressing) << "but it counts from then on";
}

TEST_F(StallWatch, AStoreThatAnswersBeatsButNotShardsForLongerThanTheLimitStopsTheBeats) {
  look();
  shards_connected = false;
  EXPECT_TRUE(after(3s).progressing);
  auto f = after(1s);
  EXPECT_FALSE(f.progressing);
  EXPECT_EQ(f.stalled, 0U);
  shards_connected = true;
  EXPECT_TRUE(after(1s).progressing);
}

TEST_F(StallWatch, AConnectionThatComesAndGoesIsCountedAnewEachTime) {
  look();
  for (int i = 0; i < 5; ++i) {
    shards_connected = false;
    EXPECT_TRUE(after(3s).progressing);
    shards_connected = true;
    EXPECT_TRUE(after(1s).progressing);
  }
}

TEST_F(StallWatch, WithoutAnyConnectionToTheStoreNothingCountsSinceNobodyCanTakeOver) {
  look();
  shards_connected = member_connected = false;
  EXPECT_TRUE(after(100s).progressing);
  member_connected = true;
  EXPECT_TRUE(after(3s).progressing);
  EXPECT_FALSE(after(1s).progressing);
}

}  // namespace
}  // namespace pawl
