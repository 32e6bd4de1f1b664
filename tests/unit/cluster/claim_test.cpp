// The tables of cluster/PROTOCOL.md, row by row: first every state with every input, then what the answers decide, then
// the races that the rules name. Time is made up; nothing waits.
#include "cluster/claim.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

namespace pawl {
namespace {

using namespace std::chrono_literals;
using state = shard_claim::state;
using kind = shard_claim::request::kind;

const member_id me{"a", 1};
const member_id other{"b", 2};
const fencing_token foreign{"9-b-ff"};

/// Both members are in the view; the one that drains may own nothing, so the other owns the only shard.
std::shared_ptr<const placement> owned_by(const member_id& owner, std::uint64_t number) {
  auto row = [&](const member_id& id) {
    return member{id, id == owner ? member_state::up : member_state::draining, "", "", 0};
  };
  return std::make_shared<const placement>(view{{number}, {row(me), row(other)}}, 1);
}

shard_claim::record record_of(const fencing_token& token, const member_id& owner, bool released = false,
                              std::uint64_t number = 1) {
  return {token, owner, {number}, released};
}

struct claim_world {
  claim_policy policy;
  std::uint64_t minted = 0;
  shard_claim claim{{0}, policy, [this] { return fencing_token{std::to_string(++minted) + "-a-00"}; }};
  instant now{steady_time{1h}, 0};
  shard_claim::request last{};
  std::uint64_t view_number = 1;

  claim_world() = default;
  claim_world(const claim_world&) = delete;

  claim_world& then(shard_claim::request r) {
    last = std::move(r);
    return *this;
  }
  claim_world& connected() { return then(claim.on_connection(true, now)); }
  claim_world& cut() { return then(claim.on_connection(false, now)); }
  claim_world& mine() { return then(claim.on_placement(owned_by(me, view_number), me, true, now)); }
  claim_world& theirs(bool idle = true) {
    return then(claim.on_placement(owned_by(other, view_number), me, idle, now));
  }
  claim_world& record(const shard_claim::record& r) { return then(claim.on_record(r, now)); }
  claim_world& granted() { return then(claim.on_granted(now)); }
  claim_world& unknown() { return then(claim.on_unknown(now)); }
  claim_world& doubt() { return then(claim.on_doubt(now)); }
  [[nodiscard]] fencing_token newest() const { return fencing_token{std::to_string(minted) + "-a-00"}; }

  /// The shortest way to a state, from a shard that another member has released.
  claim_world& reach(state s) {
    connected();
    if (s == state::unclaimed) return theirs();
    mine();
    if (s == state::reading) return *this;
    if (s == state::waiting) return record(record_of(foreign, other));
    record(record_of(foreign, other, true));
    if (s == state::claiming) return *this;
    granted();
    if (s == state::held) return *this;
    if (s == state::lost) return then(claim.on_lost());
    return theirs(s == state::releasing);
  }
};

constexpr state all_states[] = {state::unclaimed, state::reading,  state::waiting,   state::claiming,
                                state::held,      state::draining, state::releasing, state::lost};

struct row {
  state from;
  state to;
  kind request;
};

void expect_rows(const char* input, const std::function<void(claim_world&)>& give, const std::vector<row>& changes) {
  for (auto from : all_states) {
    claim_world w;
    w.reach(from);
    ASSERT_EQ(w.claim.current(), from) << to_string(from);
    w.last = {};
    give(w);
    row expected{from, from, kind::none};
    for (const auto& r : changes)
      if (r.from == from) expected = r;
    EXPECT_EQ(w.claim.current(), expected.to)
        << input << " in " << to_string(from) << " leads to " << to_string(w.claim.current());
    EXPECT_EQ(w.last.what, expected.request) << input << " in " << to_string(from);
    EXPECT_EQ(w.claim.may_commit(), expected.to == state::held);
    EXPECT_EQ(w.claim.token().empty(), expected.to != state::held && expected.to != state::draining)
        << input << " in " << to_string(from) << ": a token is there while and only while something is held";
  }
}

// Every state × input; what is not listed changes nothing and asks for nothing. --------------------------------------

TEST(ShardClaimTable, AViewThatNamesThisMemberStartsAReadOrTakesADrainBack) {  // rule C29
  expect_rows("view: mine", [](claim_world& w) { w.mine(); },
              {{state::unclaimed, state::reading, kind::read},
               {state::waiting, state::reading, kind::read},
               {state::draining, state::held, kind::none}});
}

TEST(ShardClaimTable, AViewThatNamesAnotherReleasesWhatIsIdle) {
  expect_rows("view: theirs, idle", [](claim_world& w) { w.theirs(); },
              {{state::waiting, state::unclaimed, kind::none},
               {state::held, state::releasing, kind::release},
               {state::draining, state::releasing, kind::release}});
}

TEST(ShardClaimTable, AViewThatNamesAnotherLetsACommitInFlightEnd) {
  expect_rows("view: theirs, busy", [](claim_world& w) { w.theirs(false); },
              {{state::waiting, state::unclaimed, kind::none}, {state::held, state::draining, kind::none}});
}

TEST(ShardClaimTable, AnEvictedMemberGivesBackWhatItHolds) {
  expect_rows("evicted, idle", [](claim_world& w) { w.then(w.claim.on_evicted(true, w.now)); },
              {{state::waiting, state::unclaimed, kind::none},
               {state::held, state::releasing, kind::release},
               {state::draining, state::releasing, kind::release}});
  expect_rows("evicted, busy", [](claim_world& w) { w.then(w.claim.on_evicted(false, w.now)); },
              {{state::waiting, state::unclaimed, kind::none}, {state::held, state::draining, kind::none}});
}

TEST(ShardClaimTable, ABrokenConnectionPutsEverythingInDoubt) {  // rule A5
  expect_rows("connection down", [](claim_world& w) { w.cut(); },
              {{state::reading, state::unclaimed, kind::none},
               {state::waiting, state::unclaimed, kind::none},
               {state::claiming, state::unclaimed, kind::none},
               {state::held, state::unclaimed, kind::none},
               {state::draining, state::unclaimed, kind::none},
               {state::releasing, state::unclaimed, kind::none}});
}

TEST(ShardClaimTable, ANewConnectionReadsWhateverTheRecordMaySayOfUs) {
  expect_rows("connection up", [](claim_world& w) { w.connected(); },
              {{state::reading, state::reading, kind::read},
               {state::waiting, state::reading, kind::read},
               {state::claiming, state::reading, kind::read},
               {state::held, state::reading, kind::read},
               {state::draining, state::reading, kind::read},
               {state::releasing, state::reading, kind::read}});
}

TEST(ShardClaimTable, AReleaseNoticeEndsTheWaitAtOnce) {
  expect_rows("release notice", [](claim_world& w) { w.then(w.claim.on_release_notice(w.now)); },
              {{state::waiting, state::reading, kind::read}});
}

TEST(ShardClaimTable, ATickReadsAgainWhenTheWaitIsOver) {
  expect_rows("tick",
              [](claim_world& w) {
                w.now.steady += 1h;
                w.then(w.claim.tick(w.now));
              },
              {{state::waiting, state::reading, kind::read}});
}

TEST(ShardClaimTable, TheEndOfTheLastCommitReleasesADrainedShard) {
  expect_rows("idle", [](claim_world& w) { w.then(w.claim.on_idle(w.now)); },
              {{state::draining, state::releasing, kind::release}});
}

TEST(ShardClaimTable, DoubtReadsTheRecordAndNeverKeepsTheToken) {  // rule A8
  expect_rows("doubt", [](claim_world& w) { w.doubt(); },
              {{state::held, state::reading, kind::read}, {state::draining, state::reading, kind::read}});
}

TEST(ShardClaimTable, ARequestThatDidNotHappenIsTriedAgainLater) {  // rule C22
  const std::vector<row> rows{{state::reading, state::waiting, kind::none},
                              {state::claiming, state::waiting, kind::none},
                              {state::releasing, state::waiting, kind::none}};
  expect_rows(
      "failed", [](claim_world& w) { w.then(w.claim.on_failed(w.now)); }, rows);
  expect_rows(
      "unknown", [](claim_world& w) { w.unknown(); }, rows);
}

TEST(ShardClaimTable, AFencedRequestMeansThatAnotherClaimCameFirst) {
  expect_rows("fenced, same view", [](claim_world& w) { w.then(w.claim.on_fenced(false, w.now)); },
              {{state::reading, state::waiting, kind::none},
               {state::claiming, state::waiting, kind::none},
               {state::releasing, state::unclaimed, kind::none}});
}

TEST(ShardClaimTable, AClaimFencedByANewerViewWaitsForAViewThatNew) {  // rule C23
  expect_rows("fenced, newer view", [](claim_world& w) { w.then(w.claim.on_fenced(true, w.now)); },
              {{state::reading, state::unclaimed, kind::none},
               {state::claiming, state::unclaimed, kind::none},
               {state::releasing, state::unclaimed, kind::none}});
  claim_world w;
  w.reach(state::claiming).then(w.claim.on_fenced(true, w.now));
  EXPECT_TRUE(w.claim.needs_view());
  EXPECT_EQ(w.mine().last.what, kind::read);
}

TEST(ShardClaimTable, MissingDataStopsTheShardForGood) {  // rule A2
  expect_rows("lost", [](claim_world& w) { w.then(w.claim.on_lost()); },
              {{state::unclaimed, state::lost, kind::none},
               {state::reading, state::lost, kind::none},
               {state::waiting, state::lost, kind::none},
               {state::claiming, state::lost, kind::none},
               {state::held, state::lost, kind::none},
               {state::draining, state::lost, kind::none},
               {state::releasing, state::lost, kind::none}});
  claim_world w;
  w.reach(state::lost);
  EXPECT_FALSE(w.claim.memory_valid());
  EXPECT_EQ(w.claim.wake(), std::nullopt);
}

TEST(ShardClaimTable, AnAnswerNobodyAskedForIsABug) {
  for (auto s : all_states) {
    if (s != state::reading) {
      EXPECT_DEATH(claim_world{}.reach(s).record(record_of(foreign, other)), "without asking") << to_string(s);
    }
    if (s != state::claiming) {
      EXPECT_DEATH(claim_world{}.reach(s).granted(), "without asking") << to_string(s);
    }
    if (s != state::releasing) {
      EXPECT_DEATH(
          {
            claim_world w;
            w.reach(s).then(w.claim.on_released(w.now));
          },
          "without asking")
          << to_string(s);
    }
  }
}

TEST(ShardClaimTable, EveryStateHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (auto s : all_states) names.insert(to_string(s));
  EXPECT_EQ(names.size(), std::size(all_states));
}

// What the record decides
// ----------------------------------------------------------------------------------------------

TEST(ShardClaim, ClaimsAReleasedShardWithAFreshTokenThatReplacesTheOneRead) {
  claim_world w;
  w.reach(state::reading).record(record_of(foreign, other, true));
  EXPECT_EQ(w.last.what, kind::claim);
  EXPECT_EQ(w.last.held, foreign);
  EXPECT_EQ(w.last.fresh, fencing_token{"1-a-00"});
  w.granted();
  EXPECT_EQ(w.claim.token(), fencing_token{"1-a-00"});
}

TEST(ShardClaim, ClaimsAtOnceWhatNobodyAliveOwns) {
  for (const auto& owner : {member_id{}, member_id{"gone", 7}, member_id{"b", 1}}) {  // "b" of an earlier run
    claim_world w;
    w.reach(state::reading).record(record_of(foreign, owner));
    EXPECT_EQ(w.last.what, kind::claim) << owner.node << owner.incarnation;
  }
}

TEST(ShardClaim, ClaimsOverALiveOwnerOnceTheHandoffTimeIsOver) {  // rule C29
  claim_world w;
  w.reach(state::waiting);
  EXPECT_EQ(w.claim.wake(), w.now.steady + w.policy.poll);
  w.now.steady += w.policy.handoff - 1ms;
  w.then(w.claim.tick(w.now)).record(record_of(foreign, other));
  EXPECT_EQ(w.claim.current(), state::waiting);
  w.now.steady += w.policy.poll;
  w.then(w.claim.tick(w.now)).record(record_of(foreign, other));
  EXPECT_EQ(w.last.what, kind::claim);
}

TEST(ShardClaim, CountsTheHandoffTimeFromTheViewThatGaveTheShard) {
  claim_world w;
  w.reach(state::unclaimed);
  w.now.steady += 1h;
  w.mine();
  EXPECT_EQ(w.claim.interrupted_since(), w.now.steady);
  w.record(record_of(foreign, other));
  EXPECT_EQ(w.claim.current(), state::waiting);
}

// rule C22: a store that grants every claim and then answers nothing for certain
TEST(ShardClaim, PausesFromTheSecondDoubtInARowOnAndLongerEachTime) {
  claim_world w;
  w.reach(state::held).doubt();
  EXPECT_EQ(w.last.what, kind::read);
  auto pause = w.policy.retry;
  for (int i = 0; i < 3; ++i, pause *= 2) {
    w.record(record_of(w.newest(), me)).granted().doubt();
    EXPECT_EQ(w.last.what, kind::none);
    EXPECT_EQ(w.claim.current(), state::waiting);
    EXPECT_EQ(w.claim.wake(), w.now.steady + pause);
    EXPECT_TRUE(w.claim.memory_valid());
    w.now.steady += pause;
    w.then(w.claim.tick(w.now));
    EXPECT_EQ(w.last.what, kind::read);
  }
}

TEST(ShardClaim, WhatIsAnsweredForCertainEndsTheRowOfDoubts) {
  claim_world w;
  w.reach(state::held).doubt();
  w.record(record_of(w.newest(), me)).granted();
  w.claim.on_confirmed();
  w.doubt();
  EXPECT_EQ(w.last.what, kind::read);
}

TEST(ShardClaim, ReadsAgainIfTheReleaseNoticeOvertookTheRecord) {
  claim_world w;
  w.reach(state::reading);
  w.then(w.claim.on_release_notice(w.now)).record(record_of(foreign, other));
  EXPECT_EQ(w.last.what, kind::read);
  // One notice, one more look: after it the wait is as usual.
  w.record(record_of(foreign, other));
  EXPECT_EQ(w.claim.current(), state::waiting);
}

TEST(ShardClaim, ReleasesAClaimThatWasGrantedAfterTheShardWentToAnother) {
  claim_world w;
  w.reach(state::claiming).theirs();
  auto token = w.granted().last.held;
  EXPECT_EQ(w.last.what, kind::release);
  EXPECT_EQ(token, fencing_token{"1-a-00"});
  EXPECT_FALSE(w.claim.memory_valid());
}

TEST(ShardClaim, ReleasesTheTokenItHeld) {
  claim_world w;
  w.reach(state::held).theirs();
  EXPECT_EQ(w.last.held, fencing_token{"1-a-00"});
  EXPECT_FALSE(w.claim.memory_valid());
}

TEST(ShardClaim, StopsTryingOnceTheShardIsAnothersAndTheRecordToo) {
  claim_world w;
  w.reach(state::reading).theirs().record(record_of(foreign, other));
  EXPECT_EQ(w.last.what, kind::none);
  EXPECT_EQ(w.claim.current(), state::unclaimed);
  EXPECT_EQ(w.connected().last.what, kind::none);
}

// What a record with a view says (rule C23)
// ----------------------------------------------------------------------------

TEST(ShardClaim, DoesNotClaimUnderAnOlderViewThanTheRecordHas) {  // rule C23
  claim_world w;
  w.reach(state::reading).record(record_of(foreign, other, true, 5));
  EXPECT_EQ(w.claim.current(), state::unclaimed);
  EXPECT_TRUE(w.claim.needs_view());
  EXPECT_EQ(w.claim.seen(), view_number{5});  // for membership, to raise a table that was rolled back
  w.view_number = 5;
  w.mine();
  EXPECT_EQ(w.last.what, kind::read);
  w.record(record_of(foreign, other, true, 5));
  EXPECT_EQ(w.last.what, kind::claim);
}

TEST(ShardClaim, ReadsNothingForAShardThatIsItsOwnOnlyByAnOldView) {  // rule C21
  claim_world w;
  w.mine().cut();
  EXPECT_EQ(w.connected().last.what, kind::none);
  EXPECT_TRUE(w.claim.needs_view());
  EXPECT_EQ(w.mine().last.what, kind::read);
}

// When memory may be kept (rule C21)
// -----------------------------------------------------------------------------------

TEST(ShardClaim, KeepsMemoryIfTheRecordStillHoldsItsToken) {  // rule C21
  claim_world w;
  w.reach(state::held).doubt();
  EXPECT_TRUE(w.claim.memory_valid());
  w.record(record_of(fencing_token{"1-a-00"}, me));
  EXPECT_EQ(w.last.what, kind::claim);  // no newer view needed: nobody else wants it
  EXPECT_EQ(w.last.fresh, fencing_token{"2-a-00"});
  EXPECT_TRUE(w.claim.memory_valid());
  w.granted();
  EXPECT_TRUE(w.claim.memory_valid());
  EXPECT_EQ(w.claim.token(), fencing_token{"2-a-00"});
}

TEST(ShardClaim, DropsMemoryOnAForeignTokenAndDoesNotTakeTheShardBackWithoutANewView) {  // rule C21
  claim_world w;
  w.reach(state::held).doubt().record(record_of(foreign, other));
  EXPECT_FALSE(w.claim.memory_valid());
  EXPECT_EQ(w.claim.current(), state::unclaimed);
  EXPECT_EQ(w.last.what, kind::none);
  EXPECT_TRUE(w.claim.needs_view());
}

TEST(ShardClaim, DropsMemoryOnAForeignTokenAlsoIfANewViewSaysTheShardIsItsOwn) {  // rule C21
  claim_world w;
  w.reach(state::held).doubt().mine().record(record_of(foreign, other, true));
  EXPECT_EQ(w.last.what, kind::claim);
  EXPECT_FALSE(w.claim.memory_valid());
}

TEST(ShardClaim, RecognisesItsOwnClaimWhoseAnswerWasLost) {  // rule C21
  // It may have happened or not: both tokens are ours, and nobody else wrote in between.
  for (const char* found : {"1-a-00", "2-a-00"}) {
    SCOPED_TRACE(found);
    claim_world w;
    w.reach(state::held).doubt().record(record_of(fencing_token{"1-a-00"}, me)).unknown();
    w.now.steady += 1s;
    w.then(w.claim.tick(w.now)).record(record_of(fencing_token{found}, me));
    EXPECT_EQ(w.last.what, kind::claim);
    EXPECT_EQ(w.last.held, fencing_token{found});
    EXPECT_TRUE(w.claim.memory_valid());
  }
}

TEST(ShardClaim, RecognisesItsOwnClaimThatTheConnectionCutShort) {  // rules A5, C21
  claim_world w;
  w.reach(state::held).cut().connected().record(record_of(fencing_token{"1-a-00"}, me));
  ASSERT_EQ(w.last.what, kind::claim);
  w.cut().connected().record(record_of(fencing_token{"2-a-00"}, me));
  EXPECT_EQ(w.last.what, kind::claim);
  EXPECT_TRUE(w.claim.memory_valid());
}

TEST(ShardClaim, ItsOwnClaimOverAForeignTokenDoesNotMakeMemoryValid) {  // rule C21
  claim_world w;
  w.reach(state::claiming).unknown();
  EXPECT_FALSE(w.claim.memory_valid());
  w.now.steady += 1s;
  w.then(w.claim.tick(w.now)).record(record_of(fencing_token{"1-a-00"}, me));
  EXPECT_EQ(w.last.what, kind::claim);
  EXPECT_FALSE(w.claim.memory_valid());
}

TEST(ShardClaim, ForgetsTokensThatAGrantedClaimReplaced) {  // rule C21, after a rollback of the store
  claim_world w;
  w.reach(state::held).doubt().record(record_of(fencing_token{"1-a-00"}, me)).granted();
  w.claim.on_confirmed();
  w.doubt().record(record_of(fencing_token{"1-a-00"}, me));
  EXPECT_FALSE(w.claim.memory_valid());
}

TEST(ShardClaim, GivesUpMemoryAfterSixteenUnknownClaimsInARow) {
  claim_world w;
  w.reach(state::held).doubt();
  int unknown = 0;
  while (w.claim.memory_valid() && unknown < 100) {
    w.record(record_of(fencing_token{"1-a-00"}, me)).unknown();
    ++unknown;
    w.now.steady += 1s;
    w.then(w.claim.tick(w.now));
  }
  EXPECT_EQ(unknown, 16);
  EXPECT_EQ(w.claim.current(), state::reading);  // and goes on all the same
}

TEST(ShardClaim, KeepsMemoryOfADrainingShardOnlyUntilItIsReleased) {
  claim_world w;
  w.reach(state::draining).doubt();
  EXPECT_TRUE(w.claim.memory_valid());
  w.record(record_of(fencing_token{"1-a-00"}, me));
  EXPECT_EQ(w.last.what, kind::release);
  EXPECT_FALSE(w.claim.memory_valid());
}

// A record that names us while nothing is held
// -------------------------------------------------------------------------

TEST(ShardClaim, RepeatsAReleaseThatWasNotAnswered) {
  claim_world w;
  w.reach(state::releasing).unknown();
  EXPECT_EQ(w.claim.current(), state::waiting);
  w.now.steady += 1s;
  w.then(w.claim.tick(w.now));
  EXPECT_EQ(w.last.what, kind::read);
  w.record(record_of(fencing_token{"1-a-00"}, me));
  EXPECT_EQ(w.last.what, kind::release);
  EXPECT_EQ(w.last.held, fencing_token{"1-a-00"});
}

TEST(ShardClaim, DoesNotRepeatAReleaseThatHappenedAfterAll) {
  claim_world w;
  w.reach(state::releasing).cut().connected().record(record_of(fencing_token{"1-a-00"}, me, true));
  EXPECT_EQ(w.last.what, kind::none);
  EXPECT_EQ(w.claim.current(), state::unclaimed);
  EXPECT_EQ(w.connected().last.what, kind::none);
}

TEST(ShardClaim, ALateClaimOfAShardThatWentToAnotherIsReleased) {  // reliability: a late claim leaves no orphan
  claim_world w;
  w.reach(state::claiming).theirs().unknown();
  w.now.steady += 1s;
  w.then(w.claim.tick(w.now));
  ASSERT_EQ(w.last.what, kind::read);
  w.record(record_of(fencing_token{"1-a-00"}, me));
  EXPECT_EQ(w.last.what, kind::release);
  EXPECT_EQ(w.last.held, fencing_token{"1-a-00"});
}

TEST(ShardClaim, ALateClaimIsReleasedAlsoIfTheViewComesAfterTheRecord) {
  claim_world w;
  w.reach(state::claiming).cut().connected();
  ASSERT_EQ(w.last.what, kind::read);
  w.record(record_of(fencing_token{"1-a-00"}, me));
  EXPECT_EQ(w.claim.current(), state::unclaimed);  // ours by an old view only
  w.theirs();
  ASSERT_EQ(w.last.what, kind::read);
  EXPECT_EQ(w.record(record_of(fencing_token{"1-a-00"}, me)).last.what, kind::release);
}

TEST(ShardClaim, ClaimsAgainIfTheShardCameBackWhileItWasReleased) {
  claim_world w;
  w.reach(state::releasing).mine().then(w.claim.on_released(w.now));
  EXPECT_EQ(w.last.what, kind::read);
  w.record(record_of(fencing_token{"1-a-00"}, me, true));
  EXPECT_EQ(w.last.what, kind::claim);
  EXPECT_FALSE(w.claim.memory_valid());
}

TEST(ShardClaim, KeepsMemoryThroughAnEvictionThatNobodyUsed) {  // rule C21
  claim_world w;
  w.reach(state::held).cut().then(w.claim.on_evicted(true, w.now));
  const member_id again{"a", 3};
  view v{{4}, {{again, member_state::up, "", "", 0}}};
  w.then(w.claim.on_placement(std::make_shared<const placement>(v, 1), again, true, w.now));
  w.connected().record(record_of(fencing_token{"1-a-00"}, me));
  EXPECT_EQ(w.last.what, kind::claim);
  EXPECT_TRUE(w.claim.memory_valid());
}

// Pauses
// -----------------------------------------------------------------------------------------------------------------

TEST(ShardClaim, DoublesThePauseUpToASecondAndBeginsAnewAfterAGrant) {  // rule C22
  claim_world w;
  w.reach(state::reading);
  auto expected = w.policy.retry;
  for (int i = 0; i < 10; ++i) {
    w.then(w.claim.on_failed(w.now));
    ASSERT_EQ(w.claim.wake(), w.now.steady + expected) << i;
    w.now.steady += expected - 1ms;
    EXPECT_EQ(w.then(w.claim.tick(w.now)).last.what, kind::none);
    w.now.steady += 1ms;
    EXPECT_EQ(w.then(w.claim.tick(w.now)).last.what, kind::read);
    expected = std::min(2 * expected, 1'000ms);
  }
  w.record(record_of(foreign, other, true)).granted().doubt().then(w.claim.on_failed(w.now));
  EXPECT_EQ(w.claim.wake(), w.now.steady + w.policy.retry);
}

}  // namespace
}  // namespace pawl
