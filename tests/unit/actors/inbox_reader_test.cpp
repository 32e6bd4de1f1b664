// Goal: an inbox is read on from what is confirmed, in bounded pieces, and what is missing of it is said.
#include "actors/inbox_reader.hpp"
#include "tests/sim/stream.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pawl {
namespace {

using namespace std::chrono_literals;
using news = inbox_reader::news::kind;

struct InboxReader : testing::Test {
  instant now{steady_time{1h}, 1'000'000};
  sim::stream stream;
  inbox_reader reader{policy()};
  inbox_reader::found found;
  inbox_position taken;
  std::optional<entry_id> watched;  ///< asked for by what was taken last

  static inbox_policy policy() {
    inbox_policy p;
    p.enabled = true;
    return p;
  }
  void add(int n, std::size_t bytes = 10) {
    for (int i = 0; i < n; ++i) stream.add(now.wall, {{"payload", std::string(bytes, 'x')}});
  }
  void pass(std::chrono::milliseconds t) {
    now.steady += t;
    now.wall += t.count();
  }
  /// Asks, if it is time to, and gets the answer.
  bool look() {
    const auto r = reader.next(now);
    if (!r) return false;
    found = reader.on_answer(stream.answer(*r), now);
    return true;
  }
  /// As `look`, told that there is something.
  bool hint() {
    reader.on_hint(now);
    return look();
  }
  /// So many of what was found are taken; as a shard does it.
  void take(std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) taken = {found.entries[i].id, found.first_taken + i};
    watched = reader.on_taken(taken, n == found.entries.size(), now);
  }
  void take_all() { take(found.entries.size()); }
};

TEST_F(InboxReader, AsksNothingUnlessItIsStartedAndEnabled) {
  EXPECT_FALSE(reader.next(now));
  inbox_reader off{inbox_policy{}};
  off.start({}, now);
  EXPECT_FALSE(off.next(now));
  EXPECT_FALSE(off.wake());
}

// rule A9
TEST_F(InboxReader, ReadsOnFromWhatIsConfirmedAndOnlyOnceThatIsTaken) {
  add(3);
  reader.start(taken, now);
  ASSERT_TRUE(look());
  EXPECT_EQ(found.entries.size(), 3U);
  EXPECT_EQ(found.first_taken, 1U);
  EXPECT_FALSE(reader.next(now)) << "what was found is not taken yet";
  add(2);
  take_all();
  reader.on_hint(now);
  const auto r = reader.next(now);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->taken, taken.last);
}

TEST_F(InboxReader, AfterARestartItReadsFromTheClaimsPositionNotFromItsOwn) {
  add(4);
  reader.start({}, now);
  ASSERT_TRUE(look());
  reader.stop();
  EXPECT_FALSE(reader.next(now));
  const inbox_position claimed{found.entries[0].id, 1};
  reader.start(claimed, now);
  const auto r = reader.next(now);
  ASSERT_TRUE(r);
  EXPECT_EQ(r->taken, claimed.last);
}

TEST_F(InboxReader, AtTheEndItHasSomebodyElseWatchFromThereOn) {
  add(1);
  reader.start({}, now);
  ASSERT_TRUE(look());
  EXPECT_FALSE(found.watch) << "not while it is taken";
  take_all();
  EXPECT_EQ(watched, taken.last);
  EXPECT_FALSE(look()) << "not before its time";
  add(1);
  ASSERT_TRUE(hint());
  EXPECT_EQ(found.entries.size(), 1U);
  take_all();
  EXPECT_EQ(watched, taken.last);
}

TEST_F(InboxReader, AtTheEndItLooksOnceToTidyAndThenSlowly) {
  add(1);
  reader.start({}, now);
  ASSERT_TRUE(look());
  take_all();
  EXPECT_EQ(*reader.wake() - now.steady, 500ms);
  pass(500ms);
  EXPECT_TRUE(reader.next(now)->trim);
  found = reader.on_answer({}, now);
  pass(299'999ms);
  EXPECT_FALSE(look());
  pass(1ms);
  ASSERT_TRUE(look());
  EXPECT_EQ(found.watch, taken.last) << "in case that was forgotten";
}

TEST_F(InboxReader, BeforeTheEndNobodyWatchesAndItReadsOnAtOnce) {
  add(65);
  reader.start({}, now);
  ASSERT_TRUE(look());
  EXPECT_EQ(found.entries.size(), 64U);
  take_all();
  EXPECT_FALSE(watched);
  ASSERT_TRUE(look());
  EXPECT_EQ(found.entries.size(), 1U);
}

TEST_F(InboxReader, WithoutAHintTheSlowLookFindsIt) {
  reader.start({}, now);
  ASSERT_TRUE(look());
  EXPECT_EQ(found.watch, (entry_id{}));
  add(1);
  pass(5min);
  ASSERT_TRUE(look());
  EXPECT_EQ(found.entries.size(), 1U);
}

TEST_F(InboxReader, RemovesOnlyWhatItHasTakenSince) {
  add(2);
  reader.start({}, now);
  EXPECT_TRUE(reader.next(now)->trim) << "the owner before may not have got to it";
  reader.start({}, now);
  ASSERT_TRUE(look());
  take_all();
  pass(500ms);
  ASSERT_TRUE(look());
  pass(5min);
  EXPECT_FALSE(reader.next(now)->trim);
}

TEST_F(InboxReader, ReadsAboutAsManyBytesAsAreWantedAtATime) {
  add(5'000);
  reader.start({}, now);
  std::size_t most = 0;
  for (int i = 0; i < 20 && look() && !found.entries.empty(); ++i) {
    most = std::max(most, found.entries.size());
    take_all();
  }
  EXPECT_EQ(most, 1'024U);
  add(1, 512 * 1024);
  ASSERT_TRUE(hint());
  take_all();
  add(50, 512 * 1024);
  ASSERT_TRUE(hint());
  EXPECT_LE(found.entries.size(), 2U);
}

TEST_F(InboxReader, WhatCannotBeReadIsAskedForLessAndLessOftenAndOneByOne) {
  add(5);
  reader.start({}, now);
  auto pause = 0ms;
  for (int i = 0; i < 10; ++i) {
    const auto r = reader.next(now);
    ASSERT_TRUE(r);
    EXPECT_EQ(r->count, i == 0 ? 64U : 1U);
    const auto n = reader.on_failure(true, "cut", now);
    EXPECT_EQ(n.what, news::failed);
    // A broken connection means a fresh claim, and with it a start.
    reader.stop();
    reader.start({}, now);
    const auto next = *reader.wake() - now.steady;
    EXPECT_GE(next, pause);
    EXPECT_FALSE(reader.next(now));
    pause = std::chrono::duration_cast<std::chrono::milliseconds>(next);
    pass(pause);
  }
  EXPECT_EQ(pause, 60'000ms);
  ASSERT_TRUE(look());
  EXPECT_EQ(found.entries.size(), 1U);
}

TEST_F(InboxReader, AnEntryThatIsNotTakenIsTriedAgainAndAtLastGivenUp) {
  add(3);
  reader.start({}, now);
  ASSERT_TRUE(look());
  take(1);
  EXPECT_FALSE(look()) << "not at once";
  int tries = 0;
  for (pass(1s); look() && !found.first_given_up; pass(1s)) {
    ++tries;
    EXPECT_EQ(found.entries.size(), 2U);
    EXPECT_GE(reader.lag(now), std::chrono::seconds{tries});
    take(0);
  }
  EXPECT_EQ(tries, 59);
  EXPECT_TRUE(found.first_given_up);
  take_all();
  add(1);
  ASSERT_TRUE(hint());
  EXPECT_FALSE(found.first_given_up);
  take_all();
  EXPECT_EQ(reader.lag(now), 0ms);
}

// rule A9
TEST_F(InboxReader, AStreamBehindWhatWasTakenStopsItUntilItsIdsAreAboveAgain) {
  add(3);
  reader.start({{5'000'000, 0}, 3}, now);
  ASSERT_TRUE(look());
  ASSERT_TRUE(found.said);
  EXPECT_EQ(found.said->what, news::stopped);
  EXPECT_NE(found.said->text.find("5000000-0"), std::string::npos);
  EXPECT_TRUE(found.entries.empty());
  EXPECT_TRUE(reader.stopped());
  reader.on_hint(now);
  EXPECT_FALSE(look()) << "a hint does not help";
  pass(5s);
  ASSERT_TRUE(look());
  EXPECT_FALSE(found.said) << "said once";
  stream.set_last({5'000'000, 0});
  add(1);
  pass(5s);
  ASSERT_TRUE(look());
  ASSERT_TRUE(found.said);
  EXPECT_EQ(found.said->what, news::resumed);
  EXPECT_FALSE(reader.stopped());
  EXPECT_EQ(found.entries.size(), 1U);
}

TEST_F(InboxReader, AStreamThatIsGoneStopsIt) {
  reader.start({{5, 0}, 3}, now);
  ASSERT_TRUE(look());
  ASSERT_TRUE(found.said);
  EXPECT_EQ(found.said->what, news::stopped);
  EXPECT_NE(found.said->text.find("gone"), std::string::npos);
}

TEST_F(InboxReader, OneThatNeverWasThereIsNoLoss) {
  reader.start({}, now);
  ASSERT_TRUE(look());
  EXPECT_FALSE(found.said);
  EXPECT_FALSE(reader.stopped());
}

TEST_F(InboxReader, EntriesThatWereRemovedUnreadAreCountedAndSaidOnce) {
  add(5);
  reader.start({}, now);
  ASSERT_TRUE(look());
  take_all();
  add(4);
  stream.trim(stream.entries()[7].id);
  ASSERT_TRUE(hint());
  ASSERT_TRUE(found.said);
  EXPECT_EQ(found.said->what, news::lost);
  EXPECT_NE(found.said->text.find("3 entries"), std::string::npos);
  EXPECT_EQ(reader.lost(), 3U);
  EXPECT_EQ(found.entries.size(), 1U);
  EXPECT_EQ(found.first_taken, 9U);
  take_all();
  reader.stop();
  reader.start(taken, now);
  ASSERT_TRUE(look());
  EXPECT_FALSE(found.said);
  EXPECT_EQ(reader.lost(), 3U);
}

TEST_F(InboxReader, AStreamMadeAnewIsSaidAndReadOn) {
  add(2);
  reader.start({{10, 0}, 50}, now);
  ASSERT_TRUE(look());
  ASSERT_TRUE(found.said);
  EXPECT_EQ(found.said->what, news::lost);
  EXPECT_NE(found.said->text.find("made anew"), std::string::npos);
  EXPECT_EQ(found.entries.size(), 2U);
  EXPECT_EQ(found.first_taken, 1U);
  take_all();
  add(1);
  ASSERT_TRUE(hint());
  EXPECT_FALSE(found.said);
}

}  // namespace
}  // namespace pawl
