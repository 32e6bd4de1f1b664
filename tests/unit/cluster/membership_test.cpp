// The membership tables of cluster/PROTOCOL.md, row by row, then how others are judged, and the races that the rules
// name. Time is made up; nothing waits.
#include "cluster/membership.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>

namespace pawl {
namespace {

using namespace std::chrono_literals;
using state = membership::state;
using kind = membership::request::kind;

const member_id me{"a", 7};
const member_id other{"b", 2};
constexpr std::uint64_t established = 1'000;  // beats; nobody takes such a member for one that just started

member row(const member_id& id, std::uint64_t beat = established, member_state s = member_state::up) {
  return {id, s, "127.0.0.1:7421", "", beat};
}

std::string to_text(kind k) {
  switch (k) {
  case kind::read: return "read";
  case kind::join: return "join";
  case kind::beat: return "beat";
  case kind::drain: return "drain";
  case kind::leave: return "leave";
  case kind::evict: return "evict";
  case kind::raise: return "raise";
  }
  return "?";
}

/// Effects in the order in which they are carried out, one word each.
std::string to_text(const membership::effects& e) {
  std::string out;
  auto word = [&out](const std::string& w) { out += (out.empty() ? "" : " ") + w; };
  for (const auto& r : e.requests) word(to_text(r.what));
  if (e.publish) word("publish");
  if (e.evicted) word("evicted");
  if (e.left) word("left");
  if (!e.fatal.empty()) word("fatal");
  return out;
}

struct member_world {
  membership_policy policy;
  membership self{"a", policy};
  instant now{steady_time{1h}, 0};
  membership::effects last;

  member_world& then(membership::effects e) {
    last = std::move(e);
    return *this;
  }
  member_world& after(std::chrono::milliseconds d) {
    now.steady += d;
    return *this;
  }
  member_world& connection(bool up) { return then(self.on_connection(up, now)); }
  member_world& tick() { return then(self.tick(now)); }
  member_world& drain() { return then(self.drain(now)); }
  member_world& leave() { return then(self.leave(now)); }
  member_world& failed(kind k) { return then(self.on_failed(k, now)); }
  member_world& fenced(kind k, std::vector<member> rows = {}, std::uint64_t number = 1) {
    return then(self.on_fenced(k, {{number}, std::move(rows)}, now));
  }
  member_world& answer(kind k, std::vector<member> rows, std::uint64_t number = 1) {
    return then(self.on_table(k, {{number}, std::move(rows)}, k == kind::join ? std::optional{me} : std::nullopt, now));
  }
  /// A beat every `policy.beat`, answered with this table.
  member_world& watch(std::chrono::milliseconds d, const std::vector<member>& rows) {
    for (auto end = now.steady + d; now.steady < end;) {
      after(policy.beat).tick().answer(kind::beat, rows);
      if (!last.requests.empty()) break;
    }
    return *this;
  }

  member_world& reach(state s) {
    connection(true);
    if (s == state::reading) return *this;
    if (s == state::observing || s == state::refused) {
      answer(kind::read, {row({"a", 5})});
      if (s == state::refused) after(1s).tick().answer(kind::read, {row({"a", 5}, established + 1)});
      return *this;
    }
    answer(kind::read, {});
    if (s == state::joining) return *this;
    if (s == state::settling) return answer(kind::join, {row(me, 0)});
    answer(kind::join, {row(me, 0), row(other)});
    if (s == state::up) return *this;
    if (s == state::evicted) return fenced(kind::beat);
    drain();
    if (s == state::left) leave().answer(kind::leave, {row(other)});
    return *this;
  }
};

constexpr state all_states[] = {state::reading,  state::observing, state::joining, state::settling, state::up,
                                state::draining, state::evicted,   state::left,    state::refused};

struct outcome {
  state from;
  state to;
  const char* effects;
};

void expect_rows(const char* input, const std::function<void(member_world&)>& give,
                 const std::vector<outcome>& changes) {
  for (auto from : all_states) {
    member_world w;
    w.reach(from);
    ASSERT_EQ(w.self.current_state(), from) << static_cast<int>(from);
    w.last = {};
    give(w);
    outcome expected{from, from, ""};
    for (const auto& c : changes)
      if (c.from == from) expected = c;
    EXPECT_EQ(w.self.current_state(), expected.to) << input << " in state " << static_cast<int>(from);
    EXPECT_EQ(to_text(w.last), expected.effects) << input << " in state " << static_cast<int>(from);
  }
}

// Every state × input; what is not listed changes nothing and asks for nothing. ---------------------------------------

TEST(MembershipTable, ANewConnectionBeginsAgainOrSaysWhatTheOldOneMayNotHaveSaid) {
  expect_rows("connection up", [](member_world& w) { w.connection(true); },
              {{state::reading, state::reading, "read"},
               {state::observing, state::reading, "read"},
               {state::joining, state::reading, "read"},
               {state::settling, state::settling, "beat"},
               {state::up, state::up, "beat"},
               {state::draining, state::draining, "drain"}});
}

TEST(MembershipTable, ABrokenConnectionChangesNothing) {
  expect_rows("connection down", [](member_world& w) { w.connection(false); }, {});
}

TEST(MembershipTable, ATickBeatsAndEndsWaits) {
  expect_rows("tick", [](member_world& w) { w.after(1h).tick(); },
              {{state::observing, state::observing, "read"},
               {state::settling, state::up, "beat"},
               {state::up, state::up, "beat"},
               {state::draining, state::draining, "drain"},
               {state::evicted, state::reading, "read"}});
}

TEST(MembershipTable, ATickAsksNothingWithoutAConnection) {
  expect_rows("tick, not connected", [](member_world& w) { w.connection(false).after(1h).tick(); },
              {{state::settling, state::up, ""}, {state::evicted, state::reading, ""}});
}

TEST(MembershipTable, ADrainIsToldIfThereMayBeARow) {  // rule C29
  expect_rows("drain", [](member_world& w) { w.drain(); },
              {{state::reading, state::left, "left"},
               {state::observing, state::left, "left"},
               {state::settling, state::draining, "drain"},
               {state::up, state::draining, "drain"},
               {state::evicted, state::left, "left"},
               {state::left, state::left, "left"},
               {state::refused, state::left, "left"}});
}

TEST(MembershipTable, LeavingRemovesTheRowIfThereMayBeOne) {
  expect_rows("leave", [](member_world& w) { w.leave(); },
              {{state::reading, state::left, "left"},
               {state::observing, state::left, "left"},
               {state::settling, state::draining, "leave"},
               {state::up, state::draining, "leave"},
               {state::draining, state::draining, "leave"},
               {state::evicted, state::left, "left"},
               {state::left, state::left, "left"},
               {state::refused, state::left, "left"}});
}

TEST(MembershipTable, AWantedViewIsReadByAMember) {  // rule C23
  expect_rows("view wanted", [](member_world& w) { w.then(w.self.on_view_wanted({}, w.now)); },
              {{state::up, state::up, "beat"}, {state::draining, state::draining, "beat"}});
}

TEST(MembershipTable, WhatFailsBeforeTheJoinIsDoneBeginsAgain) {
  const std::vector<outcome> again{{state::reading, state::reading, ""},
                                   {state::observing, state::reading, ""},
                                   {state::joining, state::reading, ""}};
  for (auto k : {kind::read, kind::join})
    expect_rows(
        "failed", [k](member_world& w) { w.failed(k); }, again);
  member_world w;
  w.reach(state::joining).failed(kind::join).after(w.policy.beat).tick();
  EXPECT_EQ(to_text(w.last), "read");
}

TEST(MembershipTable, WhatFailsForAMemberIsRepeatedByTicks) {
  auto nothing = [](kind k) {
    expect_rows("failed", [k](member_world& w) { w.failed(k); },
                {{state::observing, state::reading, ""}, {state::joining, state::reading, ""}});
  };
  for (auto k : {kind::beat, kind::drain, kind::evict, kind::raise}) nothing(k);
  member_world w;
  w.reach(state::draining).failed(kind::drain).after(w.policy.beat).tick();
  EXPECT_EQ(to_text(w.last), "drain");
}

TEST(MembershipTable, ALeaveThatIsNotAnsweredDoesNotKeepTheProcess) {
  expect_rows("failed leave", [](member_world& w) { w.failed(kind::leave); },
              {{state::observing, state::reading, ""},
               {state::joining, state::reading, ""},
               {state::draining, state::left, "left"}});
}

TEST(MembershipTable, AFencedSignOfLifeMeansEvicted) {
  for (auto k : {kind::beat, kind::drain, kind::leave})
    expect_rows("fenced", [k](member_world& w) { w.fenced(k); },
                {{state::settling, state::evicted, "evicted"},
                 {state::up, state::evicted, "evicted"},
                 {state::draining, state::left, "evicted left"}});
}

TEST(MembershipTable, AFencedJoinLooksAgain) {
  expect_rows("fenced join", [](member_world& w) { w.fenced(kind::join); }, {{state::joining, state::reading, "read"}});
}

TEST(MembershipTable, AnAnswerToAnythingElseShowsTheTable) {
  // A table without our row; `evict` and `raise` mean the same, done or fenced.
  const std::vector<outcome> gone{{state::up, state::evicted, "evicted"},
                                  {state::draining, state::left, "evicted left"}};
  for (auto k : {kind::beat, kind::evict, kind::raise})
    expect_rows(
        "table without us", [k](member_world& w) { w.answer(k, {row(other)}); }, gone);
  for (auto k : {kind::evict, kind::raise})
    expect_rows(
        "fenced", [k](member_world& w) { w.fenced(k, {row(other)}); }, gone);
  const std::vector<outcome> there{{state::up, state::up, "publish"}, {state::draining, state::draining, "publish"}};
  for (auto k : {kind::beat, kind::evict, kind::raise})
    expect_rows(
        "table with us",
        [k](member_world& w) {
          w.answer(k, {row(me, 1), row(other)}, 2);
        },
        there);
}

TEST(MembershipTable, AReadBeforeTheJoinFindsTheNameFreeOrInUse) {
  expect_rows("read with the name",
              [](member_world& w) {
                w.answer(kind::read, {row(me, 1), row(other)});
              },
              {{state::reading, state::observing, ""}, {state::observing, state::refused, "fatal"}});
  expect_rows("read without the name", [](member_world& w) { w.answer(kind::read, {row(other)}); },
              {{state::reading, state::joining, "join"},
               {state::observing, state::joining, "join"},
               {state::up, state::evicted, "evicted"},
               {state::draining, state::left, "evicted left"}});
}

TEST(MembershipTable, OnlyAMemberThatAskedToLeaveHasLeft) {
  expect_rows("left", [](member_world& w) { w.answer(kind::leave, {row(other)}); },
              {{state::settling, state::left, "left"},
               {state::up, state::left, "left"},
               {state::draining, state::left, "left"}});
}

// Joining
// --------------------------------------------------------------------------------------------------------------

TEST(Membership, JoinsWithoutReplacingAnybodyIfTheNameIsFree) {
  member_world w;
  w.reach(state::joining);
  ASSERT_EQ(to_text(w.last), "join");
  EXPECT_TRUE(w.last.requests[0].target.empty());
  w.answer(kind::join, {row(me, 0), row(other)}, 4);
  EXPECT_EQ(w.self.self(), me);
  EXPECT_EQ(to_text(w.last), "publish");
  EXPECT_EQ(w.self.current().number, view_number{4});
}

TEST(Membership, ReplacesARowOfItsNameWhoseBeatStoodStill) {  // rule C25: the previous run, by name re-use
  member_world w;
  w.connection(true).answer(kind::read, {row({"a", 5}, 33)});
  w.after(3 * w.policy.beat - 1ms).tick();
  EXPECT_EQ(to_text(w.last), "");
  w.after(1ms).tick().answer(kind::read, {row({"a", 5}, 33)});
  ASSERT_EQ(to_text(w.last), "join");
  EXPECT_EQ(w.last.requests[0].target, (member_id{"a", 5}));
  EXPECT_EQ(w.last.requests[0].beat, 33u);
}

TEST(Membership, RefusesToTakeANameThatIsInUse) {
  member_world w;
  w.reach(state::refused);
  EXPECT_EQ(to_text(w.last), "fatal");
  EXPECT_NE(w.last.fatal.find("'a' is in use"), std::string::npos) << w.last.fatal;
  EXPECT_NE(w.last.fatal.find("--node"), std::string::npos) << w.last.fatal;
}

TEST(Membership, RefusesToTakeANameThatAnotherRunTookMeanwhile) {
  member_world w;
  w.reach(state::observing).after(1s).tick().answer(kind::read, {row({"a", 6})});
  EXPECT_EQ(w.self.current_state(), state::refused);
}

TEST(Membership, FindsAndReplacesTheRowOfAJoinThatWasNotAnswered) {
  member_world w;
  w.reach(state::joining).failed(kind::join).after(w.policy.beat).tick();
  w.answer(kind::read, {row({"a", 6}, 0)}).after(1s).tick().answer(kind::read, {row({"a", 6}, 0)});
  ASSERT_EQ(to_text(w.last), "join");
  EXPECT_EQ(w.last.requests[0].target, (member_id{"a", 6}));
}

TEST(Membership, AskedToGoWhileJoiningItRemovesTheRowTheJoinMade) {
  member_world w;
  w.reach(state::joining).drain();
  EXPECT_EQ(w.self.current_state(), state::joining);
  w.leave();
  EXPECT_EQ(to_text(w.last), "");
  w.answer(kind::join, {row(me, 0), row(other)});
  EXPECT_EQ(to_text(w.last), "leave");
  EXPECT_EQ(w.last.requests[0].target, me);
  EXPECT_EQ(to_text(w.answer(kind::leave, {row(other)}).last), "left");
}

TEST(Membership, AskedToGoWhileJoiningItGoesIfTheJoinCameToNothing) {
  EXPECT_EQ(to_text(member_world{}.reach(state::joining).drain().failed(kind::join).last), "left");
  EXPECT_EQ(to_text(member_world{}.reach(state::joining).drain().fenced(kind::join).last), "left");
}

// Cold start (rule C25)
// ------------------------------------------------------------------------------------------------

TEST(Membership, TheFirstMemberSettlesBeforeItsViewIsUsed) {  // rule C25
  member_world w;
  w.reach(state::settling);
  EXPECT_EQ(to_text(w.last), "");
  w.after(w.policy.beat).tick();
  EXPECT_EQ(to_text(w.last), "beat");  // it is a member all the same
  EXPECT_EQ(to_text(w.answer(kind::beat, {row(me, 1), row({"b", 8}, 0)}, 2).last), "");
  w.after(w.policy.settle - w.policy.beat).tick();
  EXPECT_EQ(w.self.current_state(), state::up);
  w.answer(kind::beat, {row(me, 2), row({"b", 8}, 0)}, 2);
  EXPECT_EQ(to_text(w.last), "publish");
  EXPECT_EQ(w.self.current().members.size(), 2u);
}

TEST(Membership, NodesThatStartTogetherAllSettle) {  // rule C25: one placement, not N
  member_world w;
  w.reach(state::joining).answer(kind::join, {row(me, 0), row({"b", 8}, 1), row({"c", 9}, 0)});
  EXPECT_EQ(w.self.current_state(), state::settling);
  EXPECT_EQ(to_text(w.last), "");
}

TEST(Membership, AMemberThatJoinsARunningClusterIsUpAtOnce) {
  member_world w;
  w.reach(state::joining).answer(kind::join, {row(me, 0), row({"b", 8}, 0), row({"c", 9}, 2)});
  EXPECT_EQ(w.self.current_state(), state::up);
}

TEST(Membership, EvictedWhileSettlingItJoinsAgain) {
  member_world w;
  w.reach(state::settling).fenced(kind::beat);
  EXPECT_EQ(w.self.current_state(), state::evicted);
}

// Beats
// ----------------------------------------------------------------------------------------------------------------

TEST(Membership, HasOneBeatUnderWayAtATime) {
  member_world w;
  w.reach(state::up).after(w.policy.beat).tick();
  EXPECT_EQ(to_text(w.last), "beat");
  EXPECT_EQ(to_text(w.after(1h).tick().last), "");
  EXPECT_EQ(to_text(w.failed(kind::beat).tick().last), "beat");
  w.answer(kind::beat, {row(me, 1), row(other)});
  EXPECT_EQ(to_text(w.after(w.policy.beat - 1ms).tick().last), "");
  EXPECT_EQ(to_text(w.after(1ms).tick().last), "beat");
}

TEST(Membership, PublishesAViewOnlyIfItIsNewOrSomebodyWantsIt) {
  member_world w;
  w.reach(state::up).answer(kind::beat, {row(me, 1), row(other)});
  EXPECT_EQ(to_text(w.last), "");
  w.then(w.self.on_view_wanted({}, w.now)).answer(kind::beat, {row(me, 2), row(other)});
  EXPECT_EQ(to_text(w.last), "publish");
  w.answer(kind::beat, {row(me, 3)}, 2);
  EXPECT_EQ(to_text(w.last), "publish");
}

TEST(Membership, PublishesAfterAReconnectEvenIfTheNumberIsTheSame) {
  // A store that was rolled back may show other members under the same number.
  member_world w;
  w.reach(state::up).connection(false).connection(true).answer(kind::beat, {row(me, 1), row({"c", 3})});
  EXPECT_EQ(to_text(w.last), "publish");
}

TEST(Membership, RaisesATableThatIsBehindARecord) {  // rule C23
  member_world w;
  w.reach(state::up).then(w.self.on_view_wanted({9}, w.now));
  w.answer(kind::beat, {row(me, 1), row(other)}, 3);
  ASSERT_EQ(to_text(w.last), "raise publish");
  EXPECT_EQ(w.last.requests[0].view, view_number{9});
  EXPECT_EQ(to_text(w.answer(kind::raise, {row(me, 1), row(other)}, 9).last), "publish");
}

TEST(Membership, AWantedViewIsNotLostIfABeatIsUnderWayOrThereIsNoConnection) {
  member_world w;
  w.reach(state::up).after(w.policy.beat).tick();
  EXPECT_EQ(to_text(w.then(w.self.on_view_wanted({}, w.now)).last), "");
  EXPECT_EQ(to_text(w.answer(kind::beat, {row(me, 1), row(other)}).last), "publish");
  w.connection(false).then(w.self.on_view_wanted({}, w.now));
  EXPECT_EQ(to_text(w.last), "");
  EXPECT_EQ(to_text(w.connection(true).answer(kind::beat, {row(me, 2), row(other)}).last), "publish");
}

TEST(Membership, RepeatsADrainUntilTheTableShowsItThenBeats) {
  member_world w;
  w.reach(state::draining).after(w.policy.beat).tick();
  EXPECT_EQ(to_text(w.last), "drain");
  w.answer(kind::drain, {row(me, 0, member_state::draining), row(other)}, 2);
  EXPECT_EQ(to_text(w.last), "publish");
  EXPECT_EQ(to_text(w.after(w.policy.beat).tick().last), "beat");
}

TEST(Membership, LeavesAtOnceIfTheStoreIsAway) {
  member_world w;
  EXPECT_EQ(to_text(w.reach(state::draining).connection(false).leave().last), "left");
}

// Judging others
// -------------------------------------------------------------------------------------------------------

TEST(Membership, EvictsAMemberWhoseBeatStoodStillForALeaseThatItWatched) {  // rule C24
  member_world w;
  w.reach(state::up);
  auto from = w.now.steady;
  w.watch(1h, {row(me), row(other, 40)});
  ASSERT_EQ(to_text(w.last), "evict");
  EXPECT_EQ(w.last.requests[0].target, other);
  EXPECT_EQ(w.last.requests[0].beat, 40u);  // the store compares: a beat in between saves it
  // The join showed another beat than the first answer, so the count began with that.
  EXPECT_EQ(w.now.steady - from, w.policy.beat + w.policy.lease);
}

TEST(Membership, ANewObserverJudgesNobodyBeforeAFullLease) {  // rule C24
  member_world w;
  w.reach(state::up);
  auto from = w.now.steady;
  w.watch(1h, {row(me), row(other), row({"c", 3}, 7)});
  ASSERT_EQ(to_text(w.last), "evict");
  EXPECT_EQ(w.last.requests[0].target, other);
  EXPECT_GE(w.now.steady - from, w.policy.lease);
}

TEST(Membership, ABeatEndsTheSuspicion) {
  member_world w;
  w.reach(state::up).watch(w.policy.lease - w.policy.beat, {row(me), row(other)});
  w.watch(w.policy.beat, {row(me), row(other, established + 1)});
  w.watch(w.policy.lease - w.policy.beat, {row(me), row(other, established + 1)});
  EXPECT_EQ(to_text(w.last), "");
}

TEST(Membership, EvictsSoonerWhoRefusesConnections) {  // rule C24: the process is gone
  member_world w;
  w.reach(state::up);
  w.self.on_refused(other, w.now);
  auto from = w.now.steady;
  w.watch(1h, {row(me), row(other)});
  ASSERT_EQ(to_text(w.last), "evict");
  EXPECT_LE(w.now.steady - from, w.policy.refused_lease + w.policy.beat);
}

TEST(Membership, ALiveMemberBehindARefusingAddressIsNotEvicted) {  // rule C24
  member_world w;
  w.reach(state::up);
  w.self.on_refused(other, w.now);
  for (std::uint64_t beat = 1; beat < 100; ++beat) {
    w.watch(w.policy.beat, {row(me), row(other, established + beat)});
    ASSERT_EQ(to_text(w.last), "") << beat;
  }
}

TEST(Membership, AMemberThatIsReachedAgainHasTheWholeLease) {
  member_world w;
  w.reach(state::up);
  w.self.on_refused(other, w.now);
  w.self.on_reached(other);
  w.watch(w.policy.lease - w.policy.beat, {row(me), row(other)});
  EXPECT_EQ(to_text(w.last), "");
}

TEST(Membership, ARefusalBySomebodyUnknownIsIgnored) {
  member_world w;
  w.reach(state::up);
  w.self.on_refused({"z", 1}, w.now);
  w.self.on_reached({"z", 1});
  w.watch(w.policy.refused_lease + 2 * w.policy.beat, {row(me), row(other)});
  EXPECT_EQ(to_text(w.last), "");
}

TEST(Membership, NobodyIsEvictedForATimeWithoutTheStore) {  // all nodes lose the store together
  member_world w;
  w.reach(state::up).connection(false).after(1h).connection(true);
  w.answer(kind::beat, {row(me), row(other)});
  EXPECT_EQ(to_text(w.last), "publish");
  // And the suspicion then takes a lease, not more.
  auto from = w.now.steady;
  w.watch(1h, {row(me), row(other)});
  EXPECT_EQ(to_text(w.last), "evict");
  EXPECT_LE(w.now.steady - from, w.policy.lease + w.policy.beat);
}

TEST(Membership, NobodyIsEvictedForATimeInWhichTheStoreAnsweredErrors) {
  member_world w;
  w.reach(state::up);
  for (int i = 0; i < 100; ++i) w.after(w.policy.beat).tick().failed(kind::beat);
  w.answer(kind::beat, {row(me), row(other)});
  EXPECT_EQ(to_text(w.last), "");
}

TEST(Membership, NobodyIsEvictedForATimeInWhichThisProcessWasFrozen) {
  member_world w;
  w.reach(state::up).after(w.policy.beat).tick();
  w.after(1h).answer(kind::beat, {row(me), row(other)});
  EXPECT_EQ(to_text(w.last), "");
}

TEST(Membership, AsksForAnEvictionOncePerLease) {
  member_world w;
  w.reach(state::up).watch(1h, {row(me), row(other)});
  ASSERT_EQ(to_text(w.last), "evict");
  w.fenced(kind::evict, {row(me), row(other)});
  w.watch(w.policy.lease - w.policy.beat, {row(me), row(other)});
  EXPECT_EQ(to_text(w.last), "");
}

// After an eviction
// ----------------------------------------------------------------------------------------------------

TEST(Membership, RejoinsWithADoublingPauseUpToAMinute) {  // rule C24
  member_world w;
  w.reach(state::up);
  auto pause = w.policy.rejoin;
  for (int i = 0; i < 8; ++i) {
    w.fenced(kind::beat);
    ASSERT_EQ(w.self.current_state(), state::evicted);
    EXPECT_TRUE(w.self.self().empty());
    EXPECT_EQ(to_text(w.after(pause - 1ms).tick().last), "");
    EXPECT_EQ(to_text(w.after(1ms).tick().last), "read");
    w.answer(kind::read, {row(other)}).answer(kind::join, {row(me), row(other)});
    EXPECT_EQ(to_text(w.last), "publish");
    pause = std::min(2 * pause, w.policy.rejoin_max);
  }
  EXPECT_EQ(pause, 60s);
}

TEST(Membership, BeginsWithTheShortPauseAgainAfterALongStay) {
  member_world w;
  w.reach(state::up).fenced(kind::beat).after(1s).tick().answer(kind::read, {row(other)});
  w.answer(kind::join, {row(me), row(other)}).after(3min).tick().fenced(kind::beat);
  EXPECT_EQ(to_text(w.after(w.policy.rejoin).tick().last), "read");
}

TEST(Membership, TheRowOfAnotherRunIsNotItsOwn) {  // same node name twice
  member_world w;
  w.reach(state::up).answer(kind::beat, {row({"a", 8}), row(other)}, 2);
  EXPECT_EQ(to_text(w.last), "evicted");
}

TEST(Membership, SurvivesAnyNumberInTheTable) {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  member_world w;
  w.reach(state::up).answer(kind::beat, {row(me, most), row({"b", most}, most), row({"c", 0}, 0)}, most);
  EXPECT_EQ(to_text(w.last), "publish");
  EXPECT_EQ(to_text(w.then(w.self.on_view_wanted({most}, w.now)).answer(kind::beat, {row(me)}, most).last), "publish");
}

TEST(Membership, EveryStateShowsAsAWordForPeople) {
  EXPECT_EQ(to_string(state::reading), "joining");
  EXPECT_EQ(to_string(state::observing), "joining");
  EXPECT_EQ(to_string(state::joining), "joining");
  EXPECT_EQ(to_string(state::settling), "joining");
  EXPECT_EQ(to_string(state::up), "up");
  EXPECT_EQ(to_string(state::draining), "draining");
  EXPECT_EQ(to_string(state::evicted), "evicted");
  EXPECT_EQ(to_string(state::left), "left");
  EXPECT_EQ(to_string(state::refused), "refused");
}

}  // namespace
}  // namespace pawl
