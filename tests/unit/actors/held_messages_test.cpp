// Goal: early messages are held within bounds, follow what they waited for, and gaps are noticed when they are late.
#include "actors/held_messages.hpp"

#include "tests/unit/actors/diary.hpp"

#include <gtest/gtest.h>

namespace pawl::test {
namespace {

using namespace std::chrono_literals;
using outcome = held_messages::outcome;

struct HeldMessages : testing::Test {
  shard_metrics metrics{2};
  held_messages held{metrics};
  steady_time now{1h};
  sequencing how{.on_gap = gap::wait, .gap_timeout = 10s, .hold = 3};

  outcome hold(std::uint64_t seq, std::uint64_t expected, const std::string& key = "k", std::size_t bytes = 1,
               type_index type = 0) {
    const std::string payload(bytes, 'x');
    message m;
    m.type = type == 0 ? "order" : "cart";
    m.key = key;
    m.name = "Write";
    m.id = "id";
    m.payload = payload;
    m.seq = seq;
    return held.hold(type, m, expected, how, now);
  }
  /// "k: 3 4, l: 7"
  static std::string text(const std::vector<held_messages::run>& runs) {
    std::string out;
    for (const auto& r : runs) {
      out += (out.empty() ? "" : ", ") + std::string{r.messages.front()->messages.front().key} + ":";
      for (const auto& m : r.messages) out += " " + std::to_string(m->messages.front().seq);
    }
    return out;
  }
  std::string ready() { return text(held.take_ready()); }
  /// Runs, and gaps reported: "k waits for 2 (2 from 4)".
  std::string late(std::chrono::milliseconds idle = 1h) {
    auto [runs, gaps] = held.take_late(now, idle);
    auto out = text(runs);
    for (const auto& g : gaps)
      out += (out.empty() ? "" : ", ") + g.key + " waits for " + std::to_string(g.expected) + " (" +
             std::to_string(g.held) + " from " + std::to_string(g.first) + ")";
    return out;
  }
  const message_metrics& counted() const { return metrics.messages[0]; }
};

TEST_F(HeldMessages, WhatFollowsANumberIsReadyWithAllBehindIt) {
  hold(3, 2);
  hold(4, 2);
  hold(6, 2);
  held.reached(0, "k", 1);
  EXPECT_EQ(ready(), "");
  held.reached(0, "k", 2);
  EXPECT_EQ(ready(), "k: 3 4");
  EXPECT_EQ(held.count(0, "k"), 3u);
  held.confirmed(0, "k", 4, false);
  EXPECT_EQ(held.count(0, "k"), 1u);
}

TEST_F(HeldMessages, ARunIsGivenOutOnceUntilItIsReturned) {
  hold(3, 2);
  held.reached(0, "k", 2);
  EXPECT_EQ(ready(), "k: 3");
  held.reached(0, "k", 2);
  EXPECT_EQ(ready(), "");
  // More came meanwhile, and the commit says that it is its turn: once the first run is back.
  hold(4, 2);
  held.confirmed(0, "k", 3, false);
  EXPECT_EQ(ready(), "");
  held.returned(0, "k");
  EXPECT_EQ(ready(), "k: 4");
}

TEST_F(HeldMessages, ABatchThatIsForgottenLeavesThemHeld) {
  hold(3, 2);
  held.reached(0, "k", 2);
  EXPECT_EQ(ready(), "k: 3");
  held.returned(0, "k");  // without a commit
  EXPECT_EQ(held.count(0, "k"), 1u);
  held.reached(0, "k", 2);
  EXPECT_EQ(ready(), "k: 3");
}

TEST_F(HeldMessages, ARepetitionIsNotHeldTwice) {
  EXPECT_EQ(hold(3, 2), outcome::held);
  EXPECT_EQ(hold(3, 2), outcome::held);
  EXPECT_EQ(held.count(0, "k"), 1u);
  EXPECT_EQ(counted().early_held.value(), 2u);
  EXPECT_EQ(counted().held.value(), 1u);
}

TEST_F(HeldMessages, AnEntityHoldsSoMany) {
  for (auto n : {3u, 4u, 5u}) EXPECT_EQ(hold(n, 2), outcome::held);
  EXPECT_EQ(hold(6, 2), outcome::full);
  EXPECT_EQ(hold(3, 2), outcome::held);
  EXPECT_EQ(hold(6, 2, "l"), outcome::held);
  EXPECT_EQ(counted().early_full.value(), 1u);
}

TEST_F(HeldMessages, WithNoRoomLeftTheHighestNumberGivesWay) {
  for (auto n : {5u, 6u, 7u}) hold(n, 2);
  EXPECT_EQ(hold(3, 2), outcome::held);
  EXPECT_EQ(held.count(0, "k"), 3u);
  held.reached(0, "k", 2);
  EXPECT_EQ(ready(), "k: 3");
  held.confirmed(0, "k", 3, false);
  held.returned(0, "k");
  held.reached(0, "k", 4);
  EXPECT_EQ(ready(), "k: 5 6");
  EXPECT_EQ(counted().held.value(), 2u);
}

TEST_F(HeldMessages, ALargeMessageTakesThePlacesOfSeveralAndOfTheOnlyOne) {
  for (auto n : {5u, 6u, 7u}) hold(n, 2, "k", 600'000);
  EXPECT_EQ(hold(4, 2, "k", 1'000'000), outcome::held);
  EXPECT_EQ(held.count(0, "k"), 2u);
  how.hold = 1;
  hold(9, 2, "l");
  EXPECT_EQ(hold(8, 2, "l"), outcome::held);
  EXPECT_EQ(held.count(0, "l"), 1u);
  held.reached(0, "l", 7);
  EXPECT_EQ(ready(), "l: 8");
}

TEST_F(HeldMessages, OneThatMakesRoomInVainLeavesNothingBehind) {
  hold(9, 2, "k", 1);
  for (int i = 0; i < 8; ++i) hold(3, 2, "k" + std::to_string(i), 1'000'000);
  EXPECT_EQ(hold(3, 2, "k", 1'000'000), outcome::full);
  EXPECT_EQ(held.count(0, "k"), 0u);
  now += 10s;
  EXPECT_EQ(late().find("k waits"), std::string::npos);
}

TEST_F(HeldMessages, AnEntityHoldsSoManyBytes) {
  EXPECT_EQ(hold(3, 2, "k", 1'500'000), outcome::held);
  EXPECT_EQ(hold(4, 2, "k", 700'000), outcome::full);
  EXPECT_EQ(hold(4, 2, "k", 1), outcome::held);
}

TEST_F(HeldMessages, AShardHoldsSoMany) {
  for (std::size_t i = 0; i < limits::held_per_shard; ++i)
    ASSERT_EQ(hold(3, 2, "k" + std::to_string(i)), outcome::held);
  EXPECT_EQ(hold(3, 2, "another"), outcome::full);
  EXPECT_EQ(held.count(0, "another"), 0u);
  held.confirmed(0, "k7", 3, false);
  EXPECT_EQ(hold(3, 2, "another"), outcome::held);
}

TEST_F(HeldMessages, AShardHoldsSoManyBytes) {
  for (int i = 0; i < 8; ++i) ASSERT_EQ(hold(3, 2, "k" + std::to_string(i), 1'000'000), outcome::held);
  EXPECT_EQ(hold(3, 2, "another", 1'000'000), outcome::full);
  held.clear();
  EXPECT_EQ(hold(3, 2, "another", 1'000'000), outcome::held);
}

TEST_F(HeldMessages, ANumberThatMakesNoSenseIsNotHeld) {
  EXPECT_EQ(hold(~std::uint64_t{0}, 1), outcome::too_far);
  EXPECT_EQ(hold(1 + limits::numbers_ahead, 1), outcome::held);
}

TEST_F(HeldMessages, AGapThatLastsIsReportedOnce) {
  hold(4, 2);
  hold(5, 2);
  now += 9s;
  EXPECT_EQ(late(), "");
  now += 1s;
  EXPECT_EQ(held.next_late(), now);
  EXPECT_EQ(late(), "k waits for 2 (2 from 4)");
  now += 10s;
  EXPECT_EQ(late(), "");
  EXPECT_EQ(counted().gaps_timed_out.value(), 1u);
  held.confirmed(0, "k", 3, false);
  EXPECT_EQ(counted().gaps_filled.value(), 1u);
  EXPECT_EQ(ready(), "k: 4 5");
}

TEST_F(HeldMessages, TheNextGapIsAsOldAsTheOldestMessageBehindIt) {
  hold(3, 2);
  now += 6s;
  hold(5, 2);
  now += 3s;
  held.confirmed(0, "k", 3, false);
  EXPECT_EQ(held.next_late(), steady_time{1h} + 16s);
  EXPECT_EQ(counted().gaps_opened.value(), 2u);
  EXPECT_EQ(counted().gaps_filled.value(), 1u);
}

TEST_F(HeldMessages, AGapThatIsSkippedGivesOutWhatFollowsWithoutAnother) {
  how.on_gap = gap::skip;
  hold(4, 2);
  hold(5, 2);
  hold(7, 2);
  now += 10s;
  const auto [runs, gaps] = held.take_late(now, 1h);
  EXPECT_EQ(text(runs), "k: 4 5");
  EXPECT_EQ(runs.at(0).on_gap, gap::skip);
  EXPECT_EQ(gaps.size(), 1u);
  held.confirmed(0, "k", 5, true);
  held.returned(0, "k");
  EXPECT_EQ(counted().gaps_filled.value(), 0u);
  EXPECT_EQ(counted().gaps_timed_out.value(), 1u);
  EXPECT_EQ(held.next_late(), now);  // the next is as late
}

TEST_F(HeldMessages, DeadLettersAreMadeOfAllThatAreHeld) {
  how.on_gap = gap::dead_letter;
  hold(4, 2);
  hold(7, 2);
  now += 10s;
  EXPECT_EQ(late(), "k: 4 7, k waits for 2 (2 from 4)");
}

TEST_F(HeldMessages, WhatCouldNotBePassedIsTriedAgainLater) {
  how.on_gap = gap::skip;
  hold(4, 2);
  now += 10s;
  EXPECT_EQ(late(), "k: 4, k waits for 2 (1 from 4)");
  now += 10s;
  EXPECT_EQ(late(), "");  // under way
  held.returned(0, "k");
  now += 10s;
  EXPECT_EQ(late(), "k: 4");
}

TEST_F(HeldMessages, WhatIsNextAndWasNotHandledIsTriedAgainLater) {
  hold(3, 2);
  held.confirmed(0, "k", 2, false);
  EXPECT_EQ(ready(), "k: 3");
  held.returned(0, "k");
  EXPECT_EQ(ready(), "");
  now += 10s;
  EXPECT_EQ(late(), "k: 3");
}

TEST_F(HeldMessages, WhoseSendersAreSilentAreForgotten) {
  hold(3, 2);
  now += 10s;
  EXPECT_EQ(late(30s), "k waits for 2 (1 from 3)");
  now += 15s;
  hold(3, 2);  // its sender still is there
  now += 15s;
  EXPECT_EQ(late(30s), "");
  EXPECT_EQ(held.count(0, "k"), 1u);
  now += 20s;
  EXPECT_EQ(late(30s), "");
  EXPECT_EQ(held.count(0, "k"), 0u);
  EXPECT_TRUE(held.empty());
  EXPECT_EQ(counted().held.value(), 0u);
  EXPECT_FALSE(held.next_late());
}

TEST_F(HeldMessages, TypesAreTwoAlthoughTheKeyIsOne) {
  hold(3, 2, "k", 1, 0);
  hold(3, 2, "k", 1, 1);
  held.confirmed(0, "k", 3, false);
  EXPECT_EQ(held.count(0, "k"), 0u);
  EXPECT_EQ(held.count(1, "k"), 1u);
  held.clear();
  EXPECT_EQ(metrics.messages[1].held.value(), 0u);
}

TEST_F(HeldMessages, NumbersThatWereConfirmedBeforeChangeNothing) {
  hold(5, 3);
  held.confirmed(0, "k", 2, false);
  held.confirmed(0, "other", 9, false);
  EXPECT_EQ(held.count(0, "k"), 1u);
  EXPECT_EQ(ready(), "");
}

}  // namespace
}  // namespace pawl::test
