// A node that does not get on with its shards stays silent, so that the others judge it; nothing else about it changes.
#include "cluster/membership.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace pawl {
namespace {

using namespace std::chrono_literals;
using state = membership::state;
using kind = membership::request::kind;

const member_id me{"a", 7};
const member_id other{"b", 2};

struct silent_world {
  membership_policy policy;
  membership self{me.node, policy};
  instant now{steady_time{1h}, 0};
  std::uint64_t number = 1;

  static std::size_t count(const membership::effects& e, kind k) {
    return static_cast<std::size_t>(
        std::count_if(e.requests.begin(), e.requests.end(), [k](const auto& r) { return r.what == k; }));
  }

  [[nodiscard]] view table(std::vector<member_id> ids) const {
    view v{{number}, {}};
    for (auto& id : ids) v.members.push_back({std::move(id), member_state::up, "127.0.0.1:7421", "", 1'000});
    return v;
  }

  /// A member since long, with no request under way.
  void join() {
    (void)self.on_connection(true, now);
    (void)self.on_table(kind::read, table({other}), {}, now);
    ++number;
    (void)self.on_table(kind::join, table({me, other}), me, now);
    ASSERT_EQ(self.current_state(), state::up);
  }

  membership::effects tick_after(std::chrono::milliseconds d) {
    now.steady += d;
    return self.tick(now);
  }

  /// Beats asked for during this time, with a tick every 25 ms; none is answered.
  std::size_t beats_in(std::chrono::milliseconds d) {
    std::size_t beats = 0;
    for (auto end = now.steady + d; now.steady < end;) beats += count(tick_after(25ms), kind::beat);
    return beats;
  }

  /// The others removed the row while this node was silent.
  membership::effects removed() {
    ++number;
    return self.on_change({number}, me.node, std::nullopt, now);
  }
};

struct MembershipProgress : ::testing::Test, silent_world {};

TEST_F(MembershipProgress, AMemberWithoutProgressAsksForNoBeatWhateverHappens) {
  join();
  auto e = self.on_progress(false, now);
  EXPECT_TRUE(e.requests.empty());
  EXPECT_EQ(beats_in(10s), 0U);
  EXPECT_EQ(count(self.on_view_wanted({}, now), kind::beat), 0U);
  EXPECT_EQ(count(self.on_view_wanted({9}, now), kind::beat), 0U);
  EXPECT_EQ(count(self.on_change({number + 5}, "", std::nullopt, now), kind::beat), 0U) << "changes are missing";
  EXPECT_EQ(count(self.on_connection(false, now), kind::beat), 0U);
  EXPECT_EQ(count(self.on_connection(true, now), kind::beat), 0U);
  EXPECT_EQ(self.current_state(), state::up);
}

TEST_F(MembershipProgress, ABeatThatIsAnsweredAfterProgressStoppedIsNotFollowedByAnother) {
  join();
  ASSERT_EQ(beats_in(policy.beat), 1U);
  (void)self.on_view_wanted({}, now);  // would be followed by another
  (void)self.on_progress(false, now);
  EXPECT_EQ(count(self.on_beats({}, now), kind::beat), 0U);
  EXPECT_EQ(beats_in(10s), 0U);
}

TEST_F(MembershipProgress, WithProgressAgainAMemberBeatsAtOnceAndGoesOn) {
  join();
  (void)self.on_progress(false, now);
  (void)beats_in(10s);
  EXPECT_EQ(count(self.on_progress(true, now), kind::beat), 1U);
  (void)self.on_beats({}, now);
  EXPECT_EQ(beats_in(policy.beat), 1U);
}

TEST_F(MembershipProgress, WithProgressAgainABeatUnderWayIsNotDoubled) {
  join();
  ASSERT_EQ(beats_in(policy.beat), 1U);
  (void)self.on_progress(false, now);
  EXPECT_TRUE(self.on_progress(true, now).requests.empty());
}

TEST_F(MembershipProgress, SayingTheSameAgainChangesNothing) {
  join();
  EXPECT_TRUE(self.on_progress(true, now).requests.empty());
  (void)self.on_progress(false, now);
  EXPECT_TRUE(self.on_progress(false, now).requests.empty());
}

TEST_F(MembershipProgress, ARowThatIsGoneByThenIsAnEvictionLikeAnyOther) {
  join();
  (void)self.on_progress(false, now);
  (void)beats_in(10s);
  ASSERT_EQ(count(self.on_progress(true, now), kind::beat), 1U);
  EXPECT_TRUE(self.on_fenced(kind::beat, now).evicted);
  EXPECT_EQ(self.current_state(), state::evicted);
}

TEST_F(MembershipProgress, AMemberWithoutProgressStillLearnsThatItWasEvicted) {
  join();
  (void)self.on_progress(false, now);
  EXPECT_TRUE(removed().evicted);
  EXPECT_EQ(self.current_state(), state::evicted);
}

TEST_F(MembershipProgress, AnEvictedNodeDoesNotJoinAgainBeforeItProgresses) {
  join();
  (void)self.on_progress(false, now);
  (void)removed();
  EXPECT_TRUE(tick_after(10 * policy.rejoin_max).requests.empty());
  EXPECT_TRUE(self.on_connection(false, now).requests.empty());
  EXPECT_TRUE(self.on_connection(true, now).requests.empty());
  EXPECT_EQ(self.current_state(), state::evicted);

  (void)self.on_progress(true, now);
  EXPECT_EQ(count(tick_after(25ms), kind::read), 1U);
}

TEST_F(MembershipProgress, ANodeThatLooksForItsPlaceDoesNotJoinBeforeItProgresses) {
  (void)self.on_progress(false, now);
  EXPECT_TRUE(self.on_connection(true, now).requests.empty());
  EXPECT_TRUE(tick_after(10s).requests.empty());
  EXPECT_EQ(self.current_state(), state::reading);

  (void)self.on_progress(true, now);
  EXPECT_EQ(count(tick_after(25ms), kind::read), 1U);
}

TEST_F(MembershipProgress, AMemberWithoutProgressEvictsNobodyWhenItComesBack) {
  join();
  ASSERT_EQ(beats_in(policy.beat), 1U);
  const std::vector<member> row{{other, member_state::up, "", "", 1'001}};
  (void)self.on_beats(row, now);
  (void)self.on_progress(false, now);
  (void)beats_in(10 * policy.lease);
  (void)self.on_progress(true, now);
  // The same beat as 30 s ago: it says that the store was not asked, not that the other is dead.
  EXPECT_EQ(count(self.on_beats(row, now), kind::evict), 0U);
}

TEST_F(MembershipProgress, AMemberWithoutProgressCanLeave) {
  join();
  (void)self.on_progress(false, now);
  EXPECT_EQ(count(self.leave(now), kind::leave), 1U);
}

TEST_F(MembershipProgress, AMemberWithoutProgressThatDrainsIsMarkedButDoesNotBeat) {
  join();
  (void)self.on_progress(false, now);
  EXPECT_EQ(count(self.drain(now), kind::drain), 1U);
  EXPECT_EQ(beats_in(10s), 0U);
}

}  // namespace
}  // namespace pawl
