// What messages for a shard wait for at a node, and since when; and how long a lane has waited for its owner.
#include "actors/lane.hpp"
#include "actors/unserved.hpp"

#include "tests/unit/actors/diary.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pawl::test {
namespace {

using namespace std::chrono_literals;
using reason = unserved_reason;
using facts = unserved_watch::facts;

facts served_here() {
  facts f;
  f.view = f.owner = f.here = f.linked = f.connected = f.serving = true;
  return f;
}

facts served_elsewhere() {
  facts f;
  f.view = f.owner = f.linked = f.connected = true;
  return f;
}

struct Unserved : ::testing::Test {
  unserved_watch watch;
  steady_time now{1h};

  reason why(const facts& f) {
    auto u = watch.look(f, now);
    return u ? u->why : reason::none;
  }
  std::chrono::seconds lasts(const facts& f) {
    auto u = watch.look(f, now);
    return u ? std::chrono::duration_cast<std::chrono::seconds>(now - u->since) : -1s;
  }
};

TEST_F(Unserved, AShardHeldHereOrReachableElsewhereIsServed) {
  EXPECT_EQ(why(served_here()), reason::none);
  EXPECT_EQ(why(served_elsewhere()), reason::none);
}

TEST_F(Unserved, EachObstacleHasItsReason) {
  struct row {
    reason expected;
    facts base;
    std::function<void(facts&)> change;
  };
  const std::vector<row> rows{
      {reason::no_view, served_here(), [](facts& f) { f.view = false; }},
      {reason::store_down, served_here(), [](facts& f) { f.view = f.connected = false; }},
      {reason::no_owner, served_here(), [](facts& f) { f.owner = f.here = f.linked = false; }},
      {reason::no_link, served_elsewhere(), [](facts& f) { f.linked = false; }},
      {reason::claiming, served_here(), [](facts& f) { f.serving = false; }},
      {reason::evicted, served_here(), [](facts& f) { f.evicted = true, f.serving = false; }},
      {reason::store_down, served_here(), [](facts& f) { f.connected = f.serving = false; }},
      {reason::stopped, served_here(), [](facts& f) { f.stopped = true, f.serving = false; }},
      {reason::store_silent, served_here(), [](facts& f) { f.waiting_since = steady_time{59min}; }},
      {reason::owner_silent, served_elsewhere(), [](facts& f) { f.waiting_since = steady_time{59min}; }},
  };
  for (const auto& r : rows) {
    auto f = r.base;
    r.change(f);
    EXPECT_EQ(why(f), r.expected) << to_text(r.expected, "n3", "held");
  }
}

TEST_F(Unserved, WhatIsOnlyOfThisNodeDoesNotMatterForAShardThatAnotherServes) {
  auto f = served_elsewhere();
  f.connected = false;
  f.evicted = true;
  f.stopped = true;
  EXPECT_EQ(why(f), reason::none);
}

TEST_F(Unserved, AStretchLastsUntilTheShardIsServedAlsoIfItsReasonChanges) {
  auto f = served_elsewhere();
  f.linked = false;
  EXPECT_EQ(lasts(f), 0s);
  now += 2s;
  EXPECT_EQ(lasts(f), 2s);
  f = served_here();
  f.serving = false;
  now += 1s;
  EXPECT_EQ(why(f), reason::claiming);
  EXPECT_EQ(lasts(f), 3s);
  EXPECT_EQ(why(served_here()), reason::none);
  EXPECT_EQ(lasts(f), 0s) << "another stretch";
}

TEST_F(Unserved, MessagesThatWaitedForASilentOwnerHaveWaitedAllTheTimeWhenTheShardComesHere) {
  auto f = served_elsewhere();
  f.waiting_since = now;
  now += 3s;
  EXPECT_EQ(lasts(f), 3s);
  f.here = true;
  EXPECT_EQ(why(f), reason::claiming);
  EXPECT_EQ(lasts(f), 3s);
}

TEST_F(Unserved, ReasonsAreTextsForPeople) {
  EXPECT_EQ(to_text(reason::no_link, "n3", "held"), "no link to n3");
  EXPECT_EQ(to_text(reason::owner_silent, "n3", "unclaimed"), "owner n3 does not answer");
  EXPECT_EQ(to_text(reason::claiming, "n1", "waiting"), "being claimed here (waiting)");
  EXPECT_EQ(to_text(reason::store_down, "n1", "unclaimed"), "the store cannot be reached");
  EXPECT_EQ(to_text(reason::none, "n1", "held"), "");
}

const message_result applied{result_kind::applied, reason_code::none, {}};
const message_result moved{result_kind::busy, reason_code::moved, {}};
const message_result full{result_kind::busy, reason_code::store_full, {}};
const message_result unknown{result_kind::unknown, reason_code::none, {}};

struct WaitingLane : ::testing::Test {
  static constexpr link_number owner_a = 7;
  static constexpr link_number owner_b = 8;
  lane queue{shard_id{5}, {.timeout = 5s}};
  instant now{steady_time{1h}, 0};
  std::uint64_t frame_number = 0;

  WaitingLane() { take(queue.on_route(owner_a, {1})); }

  void take(const lane_effects& e) {
    if (e.send) frame_number = e.send->number;
  }
  void submit(const std::string& id) {
    auto one = alone({.id = id});
    take(queue.submit({&one, 1}, now));
  }
  void answer(std::uint64_t number, std::vector<message_result> results, link_number from = owner_a) {
    take(queue.on_answer(from, {{5}, number, {1}, std::move(results)}, now));
  }
  void after(std::chrono::milliseconds d) {
    now.steady += d;
    take(queue.tick(now));
  }
  /// Nothing waits: -1.
  [[nodiscard]] std::chrono::seconds waits() const {
    auto since = queue.waiting_since();
    return since ? std::chrono::duration_cast<std::chrono::seconds>(now.steady - *since) : -1s;
  }
};

TEST_F(WaitingLane, IsCountedFromTheFirstMessageThatNobodyJudged) {
  EXPECT_EQ(waits(), -1s);
  submit("1");
  after(2s);
  submit("2");
  EXPECT_EQ(waits(), 2s);
}

TEST_F(WaitingLane, EndsWhenAllIsAnswered) {
  submit("1");
  after(2s);
  answer(frame_number, {applied});
  EXPECT_EQ(waits(), -1s);
}

TEST_F(WaitingLane, BeginsAnewWithEachAnswerWhileMoreWaits) {
  submit("1");
  submit("2");
  after(2s);
  answer(frame_number, {applied});  // the second is on its way now
  EXPECT_EQ(waits(), 0s);
  after(1s);
  EXPECT_EQ(waits(), 1s);
}

TEST_F(WaitingLane, IsNotEndedByAnOwnerThatSendsMessagesAway) {
  submit("1");
  after(2s);
  answer(frame_number, {moved});
  after(1s);
  answer(frame_number, {unknown});
  EXPECT_EQ(waits(), 3s);
}

TEST_F(WaitingLane, IsEndedByAnOwnerThatJudgesAlsoIfItRefuses) {
  submit("1");
  after(2s);
  answer(frame_number, {full});
  EXPECT_EQ(waits(), -1s);
}

TEST_F(WaitingLane, GoesOnWhenItsMessagesAreGivenUpSinceTheOwnerIsStillSilent) {
  submit("1");
  after(6s);
  ASSERT_EQ(queue.size(), 0U);
  EXPECT_EQ(waits(), 6s);
  submit("1");
  after(1s);
  EXPECT_EQ(waits(), 7s);
}

TEST_F(WaitingLane, EndsWhenTheOwnerAnswersAtLastWhatWasGivenUp) {
  submit("1");
  after(6s);
  ASSERT_EQ(queue.size(), 0U);
  answer(frame_number, {applied});
  EXPECT_EQ(waits(), -1s);
}

TEST_F(WaitingLane, IsNotEndedByALateAnswerWhileOthersWait) {
  submit("1");
  auto given_up = frame_number;
  after(6s);
  submit("2");
  answer(given_up, {applied});
  EXPECT_EQ(waits(), 6s);
}

TEST_F(WaitingLane, EndsWithAnotherOwnerIfNothingWaitsForIt) {
  submit("1");
  after(6s);
  ASSERT_EQ(queue.size(), 0U);
  take(queue.on_route(owner_b, {2}));
  EXPECT_EQ(waits(), -1s);
}

TEST_F(WaitingLane, GoesOnWithAnotherOwnerIfMessagesWait) {
  submit("1");
  after(2s);
  take(queue.on_route(std::nullopt, {2}));
  after(1s);
  take(queue.on_route(owner_b, {2}));
  EXPECT_EQ(waits(), 3s);
  answer(frame_number, {applied}, owner_b);
  EXPECT_EQ(waits(), -1s);
}

}  // namespace
}  // namespace pawl::test
