// The membership table of cluster/PROTOCOL.md, input by input in every state, then how others are watched, judged and
// accused, and the races that the rules name. Time is made up; nothing waits.
#include "cluster/membership.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

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
  case kind::accuse: return "accuse";
  case kind::acquit: return "acquit";
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
  explicit member_world(member_id id = me) : identity(std::move(id)) {}

  member_id identity;
  membership_policy policy;
  membership self{identity.node, policy};
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
  member_world& progress(bool yes) { return then(self.on_progress(yes, now)); }
  member_world& tick() { return then(self.tick(now)); }
  member_world& drain() { return then(self.drain(now)); }
  member_world& leave() { return then(self.leave(now)); }
  member_world& done(kind k) { return then(self.on_done(k, now)); }
  member_world& failed(kind k) { return then(self.on_failed(k, now)); }
  member_world& fenced(kind k) { return then(self.on_fenced(k, now)); }
  member_world& wanted(std::uint64_t at_least = 0) { return then(self.on_view_wanted({at_least}, now)); }
  member_world& unreachable(const member_id& id, bool refused = false) {
    return then(self.on_unreachable(id, refused, now));
  }
  member_world& reached(const member_id& id) { return then(self.on_reached(id, now)); }
  /// The answer to a read, a join or a beat that shows the whole table.
  member_world& table(kind k, std::vector<member> rows, std::uint64_t number = 1) {
    return then(
        self.on_table(k, {{number}, std::move(rows)}, k == kind::join ? std::optional{identity} : std::nullopt, now));
  }
  /// The answer to a beat that knew the view.
  member_world& beats(const std::vector<member>& rows) { return then(self.on_beats(rows, now)); }
  member_world& change(std::uint64_t number, const member& m) {
    return then(self.on_change({number}, m.id.node, m, now));
  }
  member_world& gone(std::uint64_t number, const std::string& node) {
    return then(self.on_change({number}, node, std::nullopt, now));
  }
  /// A beat every `policy.beat`, answered with these rows, until something is asked for.
  member_world& watch(std::chrono::milliseconds d, const std::vector<member>& rows) {
    for (auto end = now.steady + d; now.steady < end;) {
      after(policy.beat).tick().beats(rows);
      if (!last.requests.empty()) break;
    }
    return *this;
  }

  /// A member of a running cluster with these others.
  member_world& join(std::vector<member> others, std::uint64_t number = 1) {
    others.push_back(row(identity, 0));
    std::sort(others.begin(), others.end(), [](const member& x, const member& y) { return x.id < y.id; });
    return connection(true).table(kind::read, {}).table(kind::join, std::move(others), number);
  }

  member_world& reach(state s) {
    if (s == state::up) return join({row(other)});
    connection(true);
    if (s == state::reading) return *this;
    if (s == state::observing || s == state::refused) {
      table(kind::read, {row({"a", 5})});
      if (s == state::refused) after(1s).tick().table(kind::read, {row({"a", 5}, established + 1)});
      return *this;
    }
    table(kind::read, {});
    if (s == state::joining) return *this;
    if (s == state::settling) return table(kind::join, {row(me, 0), row(other, 0)});
    table(kind::join, {row(me, 0), row(other)});
    if (s == state::evicted) return fenced(kind::beat);
    drain();
    if (s == state::left) leave().done(kind::leave);
    return *this;
  }
};

constexpr state all_states[] = {state::reading,  state::observing, state::joining, state::settling, state::up,
                                state::draining, state::evicted,   state::left,    state::refused};
constexpr kind all_kinds[] = {kind::read,  kind::join,   kind::beat,   kind::drain, kind::leave,
                              kind::evict, kind::accuse, kind::acquit, kind::raise};

struct outcome {
  state from;
  state to;
  const char* effects;
};

/// Gives the input in every state. What is not listed changes nothing and asks for nothing.
void expect_rows(const std::string& input, const std::function<void(member_world&)>& give,
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

// Every input in every state.

TEST(MembershipTable, ANewConnectionBeginsAgainOrSaysWhatTheOldOneMayNotHaveSaid) {
  expect_rows("connection up", [](member_world& w) { w.connection(true); },
              {{state::reading, state::reading, "read"},
               {state::observing, state::reading, "read"},
               {state::joining, state::reading, "read"},
               {state::settling, state::settling, "beat"},
               {state::up, state::up, "beat"},
               {state::draining, state::draining, "drain beat"}});
}

TEST(MembershipTable, ABrokenConnectionChangesNothing) {
  expect_rows("connection down", [](member_world& w) { w.connection(false); }, {});
}

TEST(MembershipTable, ATickBeatsAndEndsWaits) {
  expect_rows("tick", [](member_world& w) { w.after(1h).tick(); },
              {{state::observing, state::observing, "read"},
               {state::settling, state::up, "beat"},
               {state::up, state::up, "beat"},
               {state::draining, state::draining, "drain beat"},
               {state::evicted, state::reading, "read"}});
}

TEST(MembershipTable, ATickBeforeItsTimeDoesNothing) {
  expect_rows("tick, too early", [](member_world& w) { w.after(w.policy.beat - 1ms).tick(); }, {});
}

TEST(MembershipTable, ATickAsksNothingWithoutAConnection) {
  expect_rows("tick, not connected", [](member_world& w) { w.connection(false).after(1h).tick(); },
              {{state::settling, state::up, ""}, {state::evicted, state::reading, ""}});
}

// What is left of a lease is counted from here: observers may have seen the beat as soon as it was sent.
TEST(MembershipTable, AConfirmedBeatCountsFromWhenItWasSent) {
  member_world w;
  EXPECT_FALSE(w.self.confirmed_beat());
  w.join({row(other)});
  EXPECT_FALSE(w.self.confirmed_beat());  // there is a row, but nobody has seen it beat
  w.after(200ms).tick();
  const auto sent = w.now.steady;
  EXPECT_FALSE(w.self.confirmed_beat());
  w.after(50ms).beats({row(other)});
  EXPECT_EQ(w.self.confirmed_beat(), sent);
  w.after(200ms).tick().after(1s).failed(kind::beat);
  EXPECT_EQ(w.self.confirmed_beat(), sent);  // it may have been counted, or not
  w.tick();
  const auto again = w.now.steady;
  w.after(10ms).table(kind::beat, {row(me), row(other)});
  EXPECT_EQ(w.self.confirmed_beat(), again);
  w.after(200ms).tick().fenced(kind::beat);
  EXPECT_FALSE(w.self.confirmed_beat());  // its row is gone
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
  expect_rows("view wanted", [](member_world& w) { w.wanted(); },
              {{state::up, state::up, "beat"}, {state::draining, state::draining, "beat"}});
  expect_rows("view wanted, not connected", [](member_world& w) { w.connection(false).wanted(); }, {});
}

TEST(MembershipTable, AReadFindsTheNameFreeOrInUse) {
  expect_rows("read with the name",
              [](member_world& w) {
                w.table(kind::read, {row(me, 1), row(other)});
              },
              {{state::reading, state::observing, ""}, {state::observing, state::refused, "fatal"}});
  expect_rows("read with the row seen first",
              [](member_world& w) {
                w.table(kind::read, {row({"a", 5})});
              },
              {{state::reading, state::observing, ""}, {state::observing, state::joining, "join"}});
  expect_rows("read without the name", [](member_world& w) { w.table(kind::read, {row(other)}); },
              {{state::reading, state::joining, "join"}, {state::observing, state::joining, "join"}});
}

TEST(MembershipTable, AJoinThatWasDoneMakesAMember) {
  expect_rows("join among others",
              [](member_world& w) {
                w.table(kind::join, {row(me, 0), row(other)});
              },
              {{state::joining, state::up, "publish"}});
  expect_rows("join alone", [](member_world& w) { w.table(kind::join, {row(me, 0)}); },
              {{state::joining, state::settling, ""}});
}

TEST(MembershipTable, ABeatAnsweredWithTheTableShowsTheView) {
  expect_rows("new table",
              [](member_world& w) {
                w.table(kind::beat, {row(me, 1), row(other)}, 2);
              },
              {{state::up, state::up, "publish"}, {state::draining, state::draining, "publish"}});
  expect_rows("the same table", [](member_world& w) { w.table(kind::beat, {row(me, 1), row(other)}); }, {});
  // While settling, a beat of a member without a row is fenced.
  expect_rows("table without us", [](member_world& w) { w.table(kind::beat, {row(other)}, 2); },
              {{state::up, state::evicted, "evicted"}, {state::draining, state::left, "evicted left"}});
  expect_rows("table behind a wanted view",
              [](member_world& w) {
                w.wanted(9).table(kind::beat, {row(me, 1), row(other)}, 2);
              },
              {{state::up, state::up, "raise publish"}, {state::draining, state::draining, "raise publish"}});
}

TEST(MembershipTable, ATableThatAnswersNothingOfThatKindIsNotTaken) {
  for (auto k : all_kinds) {
    if (k == kind::read || k == kind::join || k == kind::beat) continue;
    expect_rows("table, " + to_text(k), [k](member_world& w) { w.table(k, {row(other)}, 2); }, {});
  }
}

TEST(MembershipTable, ABeatAnsweredWithBeatsConfirmsTheView) {
  expect_rows("beats", [](member_world& w) { w.beats({row(other, established + 1)}); }, {});
  expect_rows("beats, view wanted", [](member_world& w) { w.wanted().beats({row(other, established + 1)}); },
              {{state::up, state::up, "publish"}, {state::draining, state::draining, "publish"}});
  expect_rows("beats, later view wanted", [](member_world& w) { w.wanted(9).beats({row(other)}); },
              {{state::up, state::up, "raise publish"}, {state::draining, state::draining, "raise publish"}});
}

TEST(MembershipTable, AChangeInTurnIsTheNextView) {
  const std::vector<outcome> next{{state::up, state::up, "publish"}, {state::draining, state::draining, "publish"}};
  expect_rows(
      "a member joined",
      [](member_world& w) {
        w.change(2, row({"c", 8}, 0));
      },
      next);
  expect_rows(
      "a member drains", [](member_world& w) { w.change(2, row(other, 9, member_state::draining)); }, next);
  expect_rows(
      "a member is gone", [](member_world& w) { w.gone(2, "b"); }, next);
  expect_rows(
      "in turn, not connected", [](member_world& w) { w.connection(false).gone(2, "b"); }, next);
}

TEST(MembershipTable, AnOldChangeIsIgnored) {
  expect_rows("old change", [](member_world& w) { w.gone(1, "a"); }, {});
}

TEST(MembershipTable, AChangeWithSomeMissingBeforeItIsAReasonToRead) {
  const std::vector<outcome> read{{state::settling, state::settling, "beat"},
                                  {state::up, state::up, "beat"},
                                  {state::draining, state::draining, "beat"}};
  expect_rows(
      "gap", [](member_world& w) { w.gone(3, "a"); }, read);
  expect_rows(
      "only the number", [](member_world& w) { w.gone(2, ""); }, read);
  expect_rows("gap, not connected", [](member_world& w) { w.connection(false).gone(3, "a"); }, {});
}

TEST(MembershipTable, AChangeOfItsOwnRow) {
  const std::vector<outcome> lost{{state::up, state::evicted, "evicted"},
                                  {state::draining, state::left, "evicted left"}};
  expect_rows(
      "own row gone", [](member_world& w) { w.gone(2, "a"); }, lost);
  expect_rows(
      "own name taken",
      [](member_world& w) {
        w.change(2, row({"a", 8}, 0));
      },
      lost);
  expect_rows("own drain", [](member_world& w) { w.change(2, row(me, 3, member_state::draining)); },
              {{state::up, state::up, "publish"}, {state::draining, state::draining, "publish"}});
}

TEST(MembershipTable, OnlyALeaveThatWasDoneMeansAnything) {
  for (auto k : all_kinds) {
    std::vector<outcome> rows;
    if (k == kind::leave) rows = {{state::draining, state::left, "left"}};
    expect_rows(
        "done " + to_text(k), [k](member_world& w) { w.done(k); }, rows);
  }
}

TEST(MembershipTable, AFencedSignOfLifeMeansEvicted) {
  for (auto k : all_kinds) {
    std::vector<outcome> rows;
    if (k == kind::beat || k == kind::drain || k == kind::leave)
      rows = {{state::settling, state::evicted, "evicted"},
              {state::up, state::evicted, "evicted"},
              {state::draining, state::left, "evicted left"}};
    // Somebody took the name meanwhile.
    if (k == kind::join) rows = {{state::joining, state::reading, "read"}};
    expect_rows(
        "fenced " + to_text(k), [k](member_world& w) { w.fenced(k); }, rows);
  }
}

TEST(MembershipTable, WhatFailsBeforeTheJoinBeginsAgainAndForAMemberIsRepeatedByTicks) {
  for (auto k : all_kinds) {
    std::vector<outcome> rows{{state::observing, state::reading, ""}, {state::joining, state::reading, ""}};
    // A leave that is not answered does not keep the process.
    if (k == kind::leave) rows.push_back({state::draining, state::left, "left"});
    expect_rows(
        "failed " + to_text(k), [k](member_world& w) { w.failed(k); }, rows);
  }
}

TEST(MembershipTable, AMemberThatCannotBeReachedIsAccused) {
  const std::vector<outcome> accused{{state::settling, state::settling, "accuse"},
                                     {state::up, state::up, "accuse"},
                                     {state::draining, state::draining, "accuse"}};
  expect_rows(
      "unreachable", [](member_world& w) { w.unreachable(other); }, accused);
  expect_rows(
      "refused", [](member_world& w) { w.unreachable(other, true); }, accused);
  expect_rows("unreachable, not connected", [](member_world& w) { w.connection(false).unreachable(other); }, {});
  expect_rows("itself", [](member_world& w) { w.unreachable(me); }, {});
  expect_rows("a stranger", [](member_world& w) { w.unreachable({"b", 3}); }, {});
}

TEST(MembershipTable, AMemberThatIsReachedAgainIsAcquitted) {
  expect_rows("reached", [](member_world& w) { w.reached(other); }, {});
  expect_rows("reached again", [](member_world& w) { w.unreachable(other).reached(other); },
              {{state::settling, state::settling, "acquit"},
               {state::up, state::up, "acquit"},
               {state::draining, state::draining, "acquit"}});
}

TEST(MembershipTable, WithoutProgressItDoesNotBeatAndWithProgressAgainItDoes) {
  expect_rows("progress lost", [](member_world& w) { w.progress(false); }, {});
  expect_rows("progress again", [](member_world& w) { w.progress(false).progress(true); },
              {{state::settling, state::settling, "beat"},
               {state::up, state::up, "beat"},
               {state::draining, state::draining, "beat"}});
  expect_rows("progress again, not connected",
              [](member_world& w) { w.connection(false).progress(false).progress(true); }, {});
  expect_rows("tick without progress", [](member_world& w) { w.progress(false).after(1h).tick(); }, {});
  expect_rows("connection up without progress", [](member_world& w) { w.progress(false).connection(true); },
              {{state::observing, state::reading, ""},
               {state::joining, state::reading, ""},
               {state::draining, state::draining, "drain"}});
}

// Joining

TEST(Membership, JoinsWithoutReplacingAnybodyIfTheNameIsFree) {
  member_world w;
  w.reach(state::joining);
  ASSERT_EQ(to_text(w.last), "join");
  EXPECT_TRUE(w.last.requests[0].target.empty());
  w.table(kind::join, {row(me, 0), row(other)}, 4);
  EXPECT_EQ(w.self.self(), me);
  EXPECT_EQ(to_text(w.last), "publish");
  EXPECT_EQ(w.self.current().number, view_number{4});
}

TEST(Membership, ReplacesARowOfItsNameWhoseBeatStoodStill) {  // rule C25: the previous run, by name re-use
  member_world w;
  w.connection(true).table(kind::read, {row({"a", 5}, 33)});
  w.after(3 * w.policy.beat - 1ms).tick();
  EXPECT_EQ(to_text(w.last), "");
  w.after(1ms).tick().table(kind::read, {row({"a", 5}, 33)});
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
  w.reach(state::observing).after(1s).tick().table(kind::read, {row({"a", 6})});
  EXPECT_EQ(w.self.current_state(), state::refused);
}

TEST(Membership, FindsAndReplacesTheRowOfAJoinThatWasNotAnswered) {
  member_world w;
  w.reach(state::joining).failed(kind::join).after(w.policy.beat).tick();
  EXPECT_EQ(to_text(w.last), "read");
  w.table(kind::read, {row({"a", 6}, 0)}).after(1s).tick().table(kind::read, {row({"a", 6}, 0)});
  ASSERT_EQ(to_text(w.last), "join");
  EXPECT_EQ(w.last.requests[0].target, (member_id{"a", 6}));
}

TEST(Membership, AskedToGoWhileJoiningItRemovesTheRowTheJoinMade) {
  member_world w;
  w.reach(state::joining).drain();
  EXPECT_EQ(w.self.current_state(), state::joining);
  w.leave();
  EXPECT_EQ(to_text(w.last), "");
  w.table(kind::join, {row(me, 0), row(other)});
  EXPECT_EQ(to_text(w.last), "leave");
  EXPECT_EQ(w.last.requests[0].target, me);
  EXPECT_EQ(to_text(w.done(kind::leave).last), "left");
}

TEST(Membership, AskedToGoWhileJoiningItGoesIfTheJoinCameToNothing) {
  EXPECT_EQ(to_text(member_world{}.reach(state::joining).drain().failed(kind::join).last), "left");
  EXPECT_EQ(to_text(member_world{}.reach(state::joining).drain().fenced(kind::join).last), "left");
}

// Cold start

TEST(Membership, TheFirstMemberSettlesBeforeItsViewIsUsed) {  // rule C25
  member_world w;
  w.reach(state::joining).table(kind::join, {row(me, 0)});
  EXPECT_EQ(to_text(w.last), "");
  EXPECT_EQ(to_text(w.after(w.policy.beat).tick().last), "beat");  // it is a member all the same
  EXPECT_EQ(to_text(w.table(kind::beat, {row(me, 1), row({"b", 8}, 0)}, 2).last), "");
  EXPECT_EQ(to_text(w.change(3, row({"c", 9}, 0)).last), "");
  w.after(w.policy.settle - w.policy.beat).tick();
  EXPECT_EQ(w.self.current_state(), state::up);
  EXPECT_EQ(to_text(w.last), "beat");
  EXPECT_EQ(to_text(w.beats({row({"b", 8}, 1), row({"c", 9}, 0)}).last), "publish");
  EXPECT_EQ(w.self.current().number, view_number{3});
  EXPECT_EQ(w.self.current().members.size(), 3u);
}

TEST(Membership, NodesThatStartTogetherAllSettle) {  // rule C25: one placement, not N
  member_world w;
  w.reach(state::joining).table(kind::join, {row(me, 0), row({"b", 8}, 1), row({"c", 9}, 0)});
  EXPECT_EQ(w.self.current_state(), state::settling);
  EXPECT_EQ(to_text(w.last), "");
}

TEST(Membership, AMemberThatJoinsARunningClusterIsUpAtOnce) {
  member_world w;
  w.reach(state::joining).table(kind::join, {row(me, 0), row({"b", 8}, 0), row({"c", 9}, 2)});
  EXPECT_EQ(w.self.current_state(), state::up);
}

TEST(Membership, ABeatUnderWayWhenTheWaitEndsPublishesWithItsAnswer) {
  member_world w;
  w.reach(state::settling).after(w.policy.settle - 1ms).tick();
  ASSERT_EQ(to_text(w.last), "beat");
  EXPECT_EQ(to_text(w.after(1ms).tick().last), "");
  EXPECT_EQ(w.self.current_state(), state::up);
  EXPECT_EQ(to_text(w.beats({row(other, 1)}).last), "publish");
}

// Beats

TEST(Membership, HasOneBeatUnderWayAtATime) {
  member_world w;
  w.reach(state::up).after(w.policy.beat).tick();
  EXPECT_EQ(to_text(w.last), "beat");
  EXPECT_EQ(to_text(w.after(1h).tick().last), "");
  EXPECT_EQ(to_text(w.failed(kind::beat).tick().last), "beat");
  w.beats({row(other)});
  EXPECT_EQ(to_text(w.after(w.policy.beat - 1ms).tick().last), "");
  EXPECT_EQ(to_text(w.after(1ms).tick().last), "beat");
}

TEST(Membership, ABeatNamesTheViewItKnows) {
  member_world w;
  w.reach(state::up).change(2, row({"c", 8}, 0)).after(w.policy.beat).tick();
  ASSERT_EQ(to_text(w.last), "beat");
  EXPECT_EQ(w.last.requests[0].target, me);
  EXPECT_EQ(w.last.requests[0].view, view_number{2});
}

TEST(Membership, PublishesAViewOnlyIfItIsNewOrSomebodyWantsIt) {
  member_world w;
  w.reach(state::up).table(kind::beat, {row(me, 1), row(other)});
  EXPECT_EQ(to_text(w.last), "");
  EXPECT_EQ(to_text(w.beats({row(other)}).last), "");
  EXPECT_EQ(to_text(w.wanted().beats({row(other)}).last), "publish");
  EXPECT_EQ(to_text(w.wanted().table(kind::beat, {row(me, 2), row(other)}).last), "publish");
  EXPECT_EQ(to_text(w.table(kind::beat, {row(me, 3)}, 2).last), "publish");
}

TEST(Membership, AWantedViewIsAskedForAgainIfTheBeatUnderWayMayBeOlderThanTheReason) {
  for (bool whole : {false, true}) {
    member_world w;
    w.reach(state::up).after(w.policy.beat).tick();
    ASSERT_EQ(to_text(w.last), "beat");
    EXPECT_EQ(to_text(w.wanted().last), "");
    if (whole) w.table(kind::beat, {row(me, 1), row(other)}, 2);
    else w.beats({row(other)});
    EXPECT_EQ(to_text(w.last), "beat publish");
    EXPECT_EQ(to_text(w.beats({row(other)}).last), "");  // once
  }
}

TEST(Membership, AWantedViewIsNotLostWithoutAConnection) {
  member_world w;
  w.reach(state::up).connection(false).wanted();
  EXPECT_EQ(to_text(w.last), "");
  EXPECT_EQ(to_text(w.connection(true).table(kind::beat, {row(me, 2), row(other)}).last), "publish");
}

TEST(Membership, RaisesATableThatIsBehindARecordUntilItIsNot) {  // rule C23
  member_world w;
  w.reach(state::up).wanted(9).table(kind::beat, {row(me, 1), row(other)}, 3);
  ASSERT_EQ(to_text(w.last), "raise publish");
  EXPECT_EQ(w.last.requests[0].view, view_number{9});
  w.failed(kind::raise).after(w.policy.beat).tick().beats({row(other)});
  EXPECT_EQ(to_text(w.last), "raise");
  EXPECT_EQ(to_text(w.done(kind::raise).last), "");
  EXPECT_EQ(to_text(w.gone(9, "").last), "beat");
  EXPECT_EQ(to_text(w.table(kind::beat, {row(me, 3), row(other)}, 9).last), "publish");
  EXPECT_EQ(to_text(w.after(w.policy.beat).tick().beats({row(other)}).last), "");
}

TEST(Membership, RepeatsADrainUntilTheViewShowsItThenBeats) {
  member_world w;
  w.reach(state::draining).failed(kind::drain).after(w.policy.beat).tick();
  EXPECT_EQ(to_text(w.last), "drain beat");
  w.done(kind::drain).change(2, row(me, 1, member_state::draining));
  EXPECT_EQ(to_text(w.last), "publish");
  w.beats({row(other)});
  EXPECT_EQ(to_text(w.after(w.policy.beat).tick().last), "beat");
}

TEST(Membership, LeavesAtOnceIfTheStoreIsAway) {
  member_world w;
  EXPECT_EQ(to_text(w.reach(state::draining).connection(false).leave().last), "left");
}

// Changes

std::vector<std::string> nodes(const view& v) {
  std::vector<std::string> out;
  for (const auto& m : v.members) out.push_back(m.id.node + std::to_string(m.id.incarnation));
  return out;
}

TEST(Membership, ChangesKeepTheMembersInOrder) {
  member_world w;
  w.reach(state::up);
  using names = std::vector<std::string>;
  EXPECT_EQ(nodes(w.change(2, row({"c", 8}, 0)).self.current()), (names{"a7", "b2", "c8"}));
  EXPECT_EQ(nodes(w.change(3, row({"0", 9}, 0)).self.current()), (names{"09", "a7", "b2", "c8"}));
  EXPECT_EQ(nodes(w.change(4, row({"b", 10}, 0)).self.current()), (names{"09", "a7", "b10", "c8"}));
  EXPECT_EQ(nodes(w.gone(5, "c").self.current()), (names{"09", "a7", "b10"}));
  EXPECT_EQ(w.self.current().number, view_number{5});
}

TEST(Membership, AGapFoundWhileABeatIsUnderWayIsReadWithTheNext) {
  member_world w;
  w.reach(state::up).after(w.policy.beat).tick();
  EXPECT_EQ(to_text(w.gone(5, "b").last), "");
  EXPECT_EQ(to_text(w.beats({row(other)}).last), "beat");
  EXPECT_EQ(w.last.requests[0].view, view_number{1});
  EXPECT_EQ(to_text(w.table(kind::beat, {row(me)}, 5).last), "publish");
}

TEST(Membership, AnAnswerOvertakenByAChangeDoesNotBringTheOldViewBack) {
  member_world w;
  w.reach(state::up).gone(3, "b");
  ASSERT_EQ(to_text(w.last), "beat");
  // The server answered with view 3; before that came, the changes to 2, 3 and 4 did.
  w.change(2, row({"c", 8}, 0)).change(3, row({"d", 9}, 0)).change(4, row({"e", 10}, 0));
  w.table(kind::beat, {row(me), row(other), row({"c", 8}, 0), row({"d", 9}, 0)}, 3);
  EXPECT_EQ(to_text(w.last), "beat");
  EXPECT_EQ(w.self.current().number, view_number{4});
  // A table that is behind for another reason is the truth.
  EXPECT_EQ(to_text(w.table(kind::beat, {row(me), row(other)}, 3).last), "publish");
  EXPECT_EQ(w.self.current().number, view_number{3});
}

// A store that was rolled back

TEST(Membership, AfterAReconnectTheFirstBeatsReadTheWholeTableWhateverItsNumber) {
  member_world w;
  w.reach(state::up).connection(false).connection(true);
  ASSERT_EQ(to_text(w.last), "beat");
  EXPECT_EQ(w.last.requests[0].view, view_number{});
  w.failed(kind::beat).after(w.policy.beat).tick();
  EXPECT_EQ(w.last.requests[0].view, view_number{});
  EXPECT_EQ(to_text(w.table(kind::beat, {row(me, 1), row({"c", 3})}).last), "publish");  // other members, same number
  w.after(w.policy.beat).tick();
  EXPECT_EQ(w.last.requests[0].view, view_number{1});
}

TEST(Membership, AfterAReconnectAChangeIsNotAppliedToAViewThatMayNeverHaveBeen) {
  member_world w;
  w.reach(state::up).connection(false).connection(true);
  // View 1 was lost and made again with c in it; then d joined, and b is not there.
  EXPECT_EQ(to_text(w.change(2, row({"d", 9}, 0)).last), "");
  EXPECT_EQ(w.self.current().number, view_number{1});
  w.table(kind::beat, {row(me, 1), row({"c", 3}), row({"d", 9}, 0)}, 2);
  EXPECT_EQ(to_text(w.last), "beat publish");
  EXPECT_EQ(nodes(w.self.current()), (std::vector<std::string>{"a7", "c3", "d9"}));
}

TEST(Membership, AMemberThatJoinedKnowsTheTable) {
  member_world w;
  w.reach(state::evicted).connection(false).connection(true).after(1h).tick();
  w.table(kind::read, {row(other)}, 4).table(kind::join, {row(me, 0), row(other)}, 5).after(w.policy.beat).tick();
  ASSERT_EQ(to_text(w.last), "beat");
  EXPECT_EQ(w.last.requests[0].view, view_number{5});
}

// Whom it watches

std::vector<member> twelve(std::uint64_t beat = established) {
  std::vector<member> out;
  for (std::uint64_t i = 0; i < 12; ++i)
    out.push_back(row({"m" + std::string(i < 10 ? "0" : "") + std::to_string(i), i + 1}, beat));
  return out;
}

/// m05 of twelve.
member_world one_of_twelve() {
  member_world w{{"m05", 6}};
  auto others = twelve();
  others.erase(others.begin() + 5);
  w.join(others);
  return w;
}

std::vector<std::string> watched(member_world& w) {
  w.after(w.policy.beat).tick();
  auto beat =
      std::find_if(w.last.requests.begin(), w.last.requests.end(), [](const auto& r) { return r.what == kind::beat; });
  return beat == w.last.requests.end() ? std::vector<std::string>{} : beat->watched;
}

TEST(Membership, WatchesTheEightThatFollowItByNameAroundTheEnd) {
  auto w = one_of_twelve();
  EXPECT_EQ(watched(w), (std::vector<std::string>{"m06", "m07", "m08", "m09", "m10", "m11", "m00", "m01"}));
}

TEST(Membership, WatchesAllOthersOfASmallCluster) {
  member_world w;
  EXPECT_EQ(watched(w.reach(state::up)), (std::vector<std::string>{"b"}));
  w.gone(2, "b").beats({});
  EXPECT_TRUE(watched(w).empty());
}

TEST(Membership, WatchesWhomItAccuses) {
  auto w = one_of_twelve();
  w.unreachable({"m03", 4}).unreachable({"m07", 8});
  auto names = watched(w);
  EXPECT_EQ(names.size(), 9u);  // m07 is watched anyway
  EXPECT_EQ(names.back(), "m03");
  w.beats(twelve()).reached({"m03", 4});
  EXPECT_EQ(watched(w).size(), 8u);
}

TEST(Membership, EveryMemberOfALargeClusterIsWatchedByEight) {
  std::map<std::string, int> watchers;
  for (std::size_t i = 0; i < 12; ++i) {
    auto others = twelve();
    member_world w{others[i].id};
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    w.join(others);
    for (const auto& node : watched(w)) ++watchers[node];
  }
  EXPECT_EQ(watchers.size(), 12u);
  for (const auto& [node, count] : watchers) EXPECT_EQ(count, 8) << node;
}

TEST(Membership, JudgesOnlyWhomItWatches) {
  auto w = one_of_twelve();
  w.watch(1h, twelve());
  std::vector<std::string> evicted;
  for (const auto& r : w.last.requests) evicted.push_back(to_text(r.what) + " " + r.target.node);
  EXPECT_EQ(evicted, (std::vector<std::string>{"evict m00", "evict m01", "evict m06", "evict m07", "evict m08",
                                               "evict m09", "evict m10", "evict m11"}));
}

TEST(Membership, JudgesWhomItAccusesFromThatMomentOn) {
  auto w = one_of_twelve();
  auto beating = twelve();
  std::uint64_t beat = established;
  auto live = [&](const std::string& dead) {
    ++beat;
    for (auto& m : beating)
      if (m.id.node != dead) m.beat = beat;
  };
  for (int i = 0; i < 20; ++i) {
    live("m03");
    w.watch(w.policy.beat, beating);
    ASSERT_EQ(to_text(w.last), "");
  }
  w.unreachable({"m03", 4});
  auto from = w.now.steady;
  do {
    live("m03");
    w.watch(w.policy.beat, beating);
  } while (w.last.requests.empty() && w.now.steady < from + 1h);
  ASSERT_EQ(to_text(w.last), "evict");
  EXPECT_EQ(w.last.requests[0].target, (member_id{"m03", 4}));
  EXPECT_EQ(w.now.steady - from, w.policy.beat + w.policy.lease);
}

// Judging others

TEST(Membership, EvictsAMemberWhoseBeatStoodStillForALeaseThatItWatched) {  // rule C24
  member_world w;
  w.reach(state::up);
  auto from = w.now.steady;
  w.watch(1h, {row(other, 40)});
  ASSERT_EQ(to_text(w.last), "evict");
  EXPECT_EQ(w.last.requests[0].target, other);
  EXPECT_EQ(w.last.requests[0].beat, 40u);  // the store compares: a beat in between saves it
  // The join showed another beat than the first answer, so the count began with that.
  EXPECT_EQ(w.now.steady - from, w.policy.beat + w.policy.lease);
}

TEST(Membership, AWholeTableIsJudgedLikeBeats) {
  member_world w;
  w.reach(state::up);
  for (std::uint64_t number = 2; w.last.requests.empty() && number < 100; ++number)
    w.after(w.policy.beat).table(kind::beat, {row(me), row(other)}, number);
  EXPECT_EQ(to_text(w.last), "evict publish");
}

TEST(Membership, ANewMemberIsJudgedAfterAFullLease) {  // rule C24
  member_world w;
  const member_id c{"c", 3};
  w.reach(state::up).watch(1s, {row(other)}).change(2, row(c, 0));
  auto from = w.now.steady;
  for (std::uint64_t beat = 1; w.last.requests.empty() && beat < 100; ++beat)
    w.watch(w.policy.beat, {row(other, established + beat), row(c, 0)});
  ASSERT_EQ(to_text(w.last), "evict");
  EXPECT_EQ(w.last.requests[0].target, c);
  EXPECT_EQ(w.now.steady - from, w.policy.beat + w.policy.lease);
}

TEST(Membership, ABeatEndsTheCount) {
  member_world w;
  w.reach(state::up).watch(w.policy.lease - w.policy.beat, {row(other)});
  w.watch(w.policy.beat, {row(other, established + 1)});
  w.watch(w.policy.lease - w.policy.beat, {row(other, established + 1)});
  EXPECT_EQ(to_text(w.last), "");
}

TEST(Membership, EvictsSoonerWhoseAddressRefusesConnections) {  // rule C24: the process is gone
  member_world w;
  w.reach(state::up).unreachable(other, true);
  auto from = w.now.steady;
  w.watch(1h, {row(other)});
  ASSERT_EQ(to_text(w.last), "evict");
  EXPECT_GE(w.now.steady - from, w.policy.refused_lease);
  EXPECT_LT(w.now.steady - from, w.policy.refused_lease + w.policy.beat);
}

TEST(Membership, LooksMoreOftenAtOneWhoseAddressRefusesConnections) {  // rule C24
  member_world w;
  w.reach(state::up).unreachable(other, true);
  w.beats({row(other)});
  w.after(w.policy.beat / 4 - 1ms).tick();
  EXPECT_EQ(to_text(w.last), "");
  w.after(1ms).tick();
  EXPECT_EQ(to_text(w.last), "beat");
  w.beats({row(other)}).then(w.self.on_reached(other, w.now));
  w.after(w.policy.beat - 1ms).tick();
  EXPECT_EQ(to_text(w.last), "");
}

TEST(Membership, AMemberThatIsOnlyUnreachableHasTheWholeLease) {
  member_world w;
  w.reach(state::up).unreachable(other);
  w.watch(w.policy.lease - w.policy.beat, {row(other)});
  EXPECT_EQ(to_text(w.last), "");
  EXPECT_EQ(to_text(w.watch(w.policy.beat, {row(other)}).last), "evict");
}

TEST(Membership, ALiveMemberBehindARefusingAddressIsNotEvictedByOneAlone) {  // rule C24
  member_world w;
  w.reach(state::up).unreachable(other, true);
  for (std::uint64_t beat = 1; beat < 100; ++beat) {
    w.watch(w.policy.beat, {row(other, established + beat)});
    ASSERT_EQ(to_text(w.last), "") << beat;
  }
}

TEST(Membership, AMemberThatIsReachedAgainHasTheWholeLease) {
  member_world w;
  w.reach(state::up).unreachable(other, true).reached(other);
  w.watch(w.policy.lease - w.policy.beat, {row(other)});
  EXPECT_EQ(to_text(w.last), "");
}

TEST(Membership, NobodyIsEvictedForATimeWithoutTheStore) {  // rule C22
  member_world w;
  w.reach(state::up).connection(false).after(1h).connection(true);
  w.table(kind::beat, {row(me), row(other)});
  EXPECT_EQ(to_text(w.last), "publish");
  // And the count then takes a lease, not more.
  auto from = w.now.steady;
  w.watch(1h, {row(other)});
  EXPECT_EQ(to_text(w.last), "evict");
  EXPECT_LE(w.now.steady - from, w.policy.lease + w.policy.beat);
}

TEST(Membership, NobodyIsEvictedForATimeInWhichTheStoreAnsweredErrors) {  // rule C22
  member_world w;
  w.reach(state::up);
  for (int i = 0; i < 100; ++i) w.after(w.policy.beat).tick().failed(kind::beat);
  EXPECT_EQ(to_text(w.beats({row(other)}).last), "");
}

TEST(Membership, ATimeInWhichThisProcessWasFrozenIsNotCounted) {
  member_world w;
  w.reach(state::up).watch(w.policy.lease - w.policy.beat, {row(other)}).after(w.policy.beat).tick();
  EXPECT_EQ(to_text(w.after(1h).beats({row(other)}).last), "");
  // What was counted before is not forgotten.
  EXPECT_EQ(to_text(w.watch(w.policy.beat, {row(other)}).last), "evict");
}

TEST(Membership, AsksForAnEvictionOncePerLease) {
  member_world w;
  w.reach(state::up).watch(1h, {row(other)});
  ASSERT_EQ(to_text(w.last), "evict");
  w.fenced(kind::evict).watch(w.policy.lease - w.policy.beat, {row(other)});
  EXPECT_EQ(to_text(w.last), "");
}

// Accusing others

TEST(Membership, AnAccusationIsToldOnce) {
  member_world w;
  w.reach(state::up);
  EXPECT_EQ(to_text(w.unreachable(other).last), "accuse");
  EXPECT_EQ(w.last.requests[0].target, other);
  EXPECT_EQ(to_text(w.unreachable(other, true).last), "");
  EXPECT_EQ(to_text(w.done(kind::accuse).after(w.policy.beat).tick().last), "beat");
}

TEST(Membership, AnAccusationThatFailedIsRepeatedWithTheNextBeat) {
  member_world w;
  w.reach(state::up).unreachable(other).failed(kind::accuse);
  EXPECT_EQ(to_text(w.last), "");
  EXPECT_EQ(to_text(w.after(w.policy.beat).tick().last), "beat accuse");
  w.beats({row(other)}).reached(other).failed(kind::acquit);
  EXPECT_EQ(to_text(w.after(w.policy.beat).tick().last), "beat acquit");
  EXPECT_EQ(to_text(w.beats({row(other)}).after(w.policy.beat).tick().last), "beat");
}

TEST(Membership, AfterAReconnectAccusationsAreToldAgain) {  // the store may have been rolled back
  member_world w;
  w.reach(state::up).unreachable(other).connection(false).connection(true);
  EXPECT_EQ(to_text(w.last), "beat accuse");
  w.reached(other).connection(false).connection(true);
  EXPECT_EQ(to_text(w.last), "beat acquit");
}

TEST(Membership, WhatIsFoundWithoutAConnectionIsToldWithTheNext) {
  member_world w;
  EXPECT_EQ(to_text(w.reach(state::up).connection(false).unreachable(other).connection(true).last), "beat accuse");
}

TEST(Membership, WithEachNewViewAccusationsAreToldAgain) {  // of fewer members, fewer votes suffice
  member_world w;
  w.join({row(other), row({"c", 3})}).unreachable(other).gone(2, "c");
  EXPECT_EQ(to_text(w.after(w.policy.beat).tick().last), "beat accuse");
  w.beats({row(other)}).reached(other).change(3, row({"c", 9}, 0));
  EXPECT_EQ(to_text(w.after(w.policy.beat).tick().last), "beat");
}

TEST(Membership, AnAccusationEndsWithItsMember) {
  member_world w;
  w.reach(state::up).unreachable(other).change(2, row({"b", 9}, 0)).connection(true);
  EXPECT_EQ(to_text(w.last), "beat");
  EXPECT_EQ(to_text(w.unreachable(other).last), "");
  EXPECT_EQ(to_text(w.reached(other).last), "");
}

TEST(Membership, AMemberThatRejoinsBringsNoAccusationsAndMakesThemAnew) {
  member_world w;
  w.reach(state::up).unreachable(other).fenced(kind::beat).after(w.policy.rejoin).tick();
  w.table(kind::read, {row(other)}).table(kind::join, {row(me, 0), row(other)});
  EXPECT_EQ(to_text(w.after(w.policy.beat).tick().last), "beat");
  EXPECT_EQ(to_text(w.unreachable(other).last), "accuse");
}

// After an eviction

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
    w.table(kind::read, {row(other)}).table(kind::join, {row(me), row(other)});
    EXPECT_EQ(to_text(w.last), "publish");
    pause = std::min(2 * pause, w.policy.rejoin_max);
  }
  EXPECT_EQ(pause, 60s);
}

// rule C24: found by the simulator; three nodes that the fourth had thrown out never met in the table
TEST(Membership, RejoinsAsSoonAsAnotherNodeJoins) {
  member_world w;
  w.reach(state::up).fenced(kind::beat).after(1ms);
  EXPECT_EQ(to_text(w.gone(9, "b").tick().last), "");
  EXPECT_EQ(to_text(w.change(10, row({"a", 8}, 0)).tick().last), "");
  EXPECT_EQ(to_text(w.change(11, row({"c", 9}, 0, member_state::draining)).tick().last), "");
  EXPECT_EQ(to_text(w.change(12, row({"c", 10}, 0)).last), "");
  EXPECT_EQ(to_text(w.tick().last), "read");
}

TEST(Membership, BeginsWithTheShortPauseAgainAfterALongStay) {
  member_world w;
  w.reach(state::up).fenced(kind::beat).after(1s).tick().table(kind::read, {row(other)});
  w.table(kind::join, {row(me), row(other)}).after(3min).tick().fenced(kind::beat);
  EXPECT_EQ(to_text(w.after(w.policy.rejoin).tick().last), "read");
}

TEST(Membership, ABeatUnderWayWhenAChangeEvictedItDoesNotKeepItFromBeatingLater) {
  for (bool whole : {false, true}) {
    member_world w;
    w.reach(state::up).after(w.policy.beat).tick();
    ASSERT_EQ(to_text(w.last), "beat");
    EXPECT_EQ(to_text(w.gone(2, "a").last), "evicted");
    // The server had answered before it removed the row.
    if (whole) w.table(kind::beat, {row(me, 1), row(other)});
    else w.beats({row(other)});
    EXPECT_EQ(to_text(w.last), "");
    w.after(w.policy.rejoin).tick().table(kind::read, {row(other)}, 2);
    w.table(kind::join, {row(me, 0), row(other)}, 3);
    EXPECT_EQ(to_text(w.after(w.policy.beat).tick().last), "beat");
  }
}

TEST(Membership, TheRowOfAnotherRunIsNotItsOwn) {  // same node name twice
  member_world w;
  w.reach(state::up).table(kind::beat, {row({"a", 8}), row(other)}, 2);
  EXPECT_EQ(to_text(w.last), "evicted");
}

TEST(Membership, SurvivesAnyNumberInTheTable) {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  member_world w;
  w.reach(state::up).table(kind::beat, {row(me, most), row({"b", most}, most), row({"c", 0}, 0)}, most);
  EXPECT_EQ(to_text(w.last), "publish");
  EXPECT_EQ(to_text(w.gone(0, "a").last), "");
  EXPECT_EQ(to_text(w.gone(most, "a").last), "");
  EXPECT_EQ(to_text(w.wanted(most).table(kind::beat, {row(me)}, most).last), "publish");
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
