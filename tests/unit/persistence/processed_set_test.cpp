// Goal: an id that took effect is never judged fresh again, whatever is trimmed, crashed or loaded (rule A7).
// Method: the edges by hand, then random histories against a map of everything ever accepted, with a store of fields
// that is all a new owner gets.
#include "persistence/processed_set.hpp"

#include "tests/unit/persistence/hex.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <string>

namespace pawl {
namespace {

using namespace std::chrono_literals;
using verdict = processed_set::verdict;

constexpr retention_policy short_window{1'000ms, 1'000'000};

/// Digest number n; another `content` is another message under the same id.
message_digest digest(std::uint64_t n, std::uint8_t content = 0, bool refused = false) {
  message_digest d;
  for (int i = 0; i < 8; ++i)
    d.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>((n * 0x9e3779b97f4a7c15u) >> (8 * i));
  for (int i = 0; i < 4; ++i) d.bytes[static_cast<std::size_t>(8 + i)] = static_cast<std::uint8_t>(n >> (8 * i));
  d.bytes[13] = content;
  d.set_refused(refused);
  return d;
}

/// A processed set with the fields that its commits stored: what would be left after a crash.
struct stored_set {
  retention_policy policy;
  processed_set set;
  std::map<std::string, std::string> fields;
  id_groups frontier;

  explicit stored_set(retention_policy p) : policy(p), set("t", p) { frontier.type = "t"; }

  struct message {
    message_digest digest;
    unix_ms sent_at;
  };

  static processed_set::staged stage(const std::vector<message>& messages) {
    processed_set::staged s;
    for (const auto& m : messages) {
      s.greatest_sent_at = s.ids.empty() ? m.sent_at : std::max(s.greatest_sent_at, m.sent_at);
      if (!m.digest.refused()) s.high = std::max(s.high, m.sent_at);
      s.ids.push_back(m.digest);
    }
    return s;
  }

  void commit(const std::vector<message>& messages) {
    auto s = stage(messages);
    set.seal(s);
    store(s);
    set.confirm(std::move(s));
  }
  void commit(std::uint64_t id, unix_ms sent_at) { commit({{digest(id), sent_at}}); }

  void store(const processed_set::staged& s) {
    if (!s.ids.empty()) fields[id_group_field("t", s.group_number)] = s.group;
    // As the real frontier: through bytes.
    pawl::frontier f;
    f.groups.push_back(s.after);
    frontier = decode_frontier(encode(f)).value().groups[0];
  }
  void trim(std::size_t most) {
    auto dead = set.dead_fields(most);
    for (const auto& name : dead) fields.erase(name);
    set.removed();
  }
  /// What the next owner has.
  [[nodiscard]] processed_set loaded() const {
    processed_set next{"t", policy};
    next.reset(frontier);
    for (const auto& name : next.live_fields()) {
      auto found = fields.find(name);
      EXPECT_TRUE(found != fields.end() && next.load(found->second)) << "a live group is missing or damaged";
    }
    return next;
  }
  void take_over() { set = loaded(); }
};

// Verdicts
// ---------------------------------------------------------------------------------------------------------------

TEST(ProcessedSet, AnIdIsFreshOnceAndADuplicateEverAfter) {
  stored_set s{short_window};
  EXPECT_EQ(s.set.judge(digest(1), 10), verdict::fresh);
  s.commit(1, 10);
  EXPECT_EQ(s.set.judge(digest(1), 10), verdict::duplicate);
  EXPECT_EQ(s.set.judge(digest(2), 10), verdict::fresh);
}

TEST(ProcessedSet, AKnownIdIsJudgedWhateverItsDateSays) {
  stored_set s{short_window};
  s.commit(1, 10);
  for (unix_ms sent_at : {std::numeric_limits<unix_ms>::min(), unix_ms{0}, std::numeric_limits<unix_ms>::max()})
    EXPECT_EQ(s.set.judge(digest(1), sent_at), verdict::duplicate) << sent_at;
}

TEST(ProcessedSet, TellsARefusedMessageFromOneThatTookEffect) {  // rule B14
  stored_set s{short_window};
  s.commit({{digest(1, 0, true), 10}, {digest(2), 10}});
  EXPECT_EQ(s.set.judge(digest(1), 10), verdict::refused);
  EXPECT_EQ(s.set.judge(digest(2), 10), verdict::duplicate);
  EXPECT_EQ(s.loaded().judge(digest(1), 10), verdict::refused);
}

TEST(ProcessedSet, TheSameIdWithOtherContentIsAnErrorAndNotADuplicate) {  // rule B18
  stored_set s{short_window};
  s.commit({{digest(1), 10}, {digest(2, 0, true), 10}});
  EXPECT_EQ(s.set.judge(digest(1, 9), 10), verdict::reused);
  EXPECT_EQ(s.set.judge(digest(2, 9), 10), verdict::reused);
  EXPECT_EQ(s.loaded().judge(digest(1, 9), 10), verdict::reused);
}

TEST(ProcessedSet, AMessageFromBeforeTheEpochIsTooOld) {
  processed_set set{"t", short_window};
  EXPECT_EQ(set.judge(digest(1), 1), verdict::fresh);
  EXPECT_EQ(set.judge(digest(1), 0), verdict::too_old);
  EXPECT_EQ(set.judge(digest(1), std::numeric_limits<unix_ms>::min()), verdict::too_old);
}

TEST(ProcessedSet, AStagedIdIsNotKnownBeforeItsCommitIsConfirmed) {  // rule B16
  stored_set s{short_window};
  auto staged = stored_set::stage({{digest(1), 10}});
  s.set.seal(staged);
  EXPECT_EQ(s.set.judge(digest(1), 10), verdict::fresh);
  EXPECT_EQ(s.set.groups(), (id_groups{"t", 0, 0, 0, 0, 0}));
  s.set.confirm(staged);
  EXPECT_EQ(s.set.judge(digest(1), 10), verdict::duplicate);
}

// The floor
// --------------------------------------------------------------------------------------------------------------

TEST(ProcessedSet, AnUnknownIdIsTooOldAtTheFloorAndFreshAboveIt) {  // rule A7
  stored_set s{short_window};
  s.commit(1, 100);
  s.commit(2, 1'100);  // exactly one window later: 100 leaves it
  s.commit(3, 1'101);
  ASSERT_EQ(s.set.groups().floor, 100);
  EXPECT_EQ(s.set.judge(digest(9), 99), verdict::too_old);
  EXPECT_EQ(s.set.judge(digest(9), 100), verdict::too_old);
  EXPECT_EQ(s.set.judge(digest(9), 101), verdict::fresh);
  EXPECT_EQ(s.set.judge(digest(1), 100), verdict::too_old);  // forgotten, and so refused
}

TEST(ProcessedSet, TheFloorStaysAWindowBelowTheGreatestDateAccepted) {  // rule A7
  stored_set s{{10'000ms, 1'000'000}};
  for (unix_ms t = 1; t < 60'000; t += 7) {
    s.commit(static_cast<std::uint64_t>(t), t);
    ASSERT_LE(s.set.groups().floor, std::max<unix_ms>(0, t - 10'000)) << t;
    // And it follows: an id is kept for a quarter of the window longer at the most.
    ASSERT_GE(s.set.groups().floor, t < 12'500 ? 0 : t - 12'500) << t;
  }
}

TEST(ProcessedSet, TheFloorNeverFalls) {  // rule A7
  stored_set s{short_window};
  std::mt19937 random{11};
  unix_ms floor = 0;
  for (std::uint64_t i = 0; i < 2'000; ++i) {
    auto sent_at = static_cast<unix_ms>(s.set.groups().floor + 1 + random() % 3'000);
    s.commit(i, sent_at);
    ASSERT_GE(s.set.groups().floor, floor);
    ASSERT_GE(s.frontier.floor, floor);
    floor = s.set.groups().floor;
    if (i % 97 == 0) s.take_over();
  }
  EXPECT_GT(floor, 0);
}

TEST(ProcessedSet, ALongerWindowDoesNotLowerAFloorThatIsStored) {  // rule A7
  stored_set s{short_window};
  s.commit(1, 100);
  s.commit(2, 5'000);
  s.commit(3, 5'000);
  ASSERT_EQ(s.frontier.floor, 100);
  s.policy.window = 24h;
  s.take_over();
  EXPECT_EQ(s.set.judge(digest(1), 100), verdict::too_old);
  s.commit(4, 6'000);
  EXPECT_EQ(s.frontier.floor, 100);
}

TEST(ProcessedSet, ARefusedMessageDoesNotMoveTheWindow) {  // rule A7
  stored_set s{short_window};
  s.commit(1, 100);
  s.commit({{digest(2, 0, true), 1'000'000}});
  s.commit(3, 200);
  EXPECT_EQ(s.set.groups().floor, 0);
  EXPECT_EQ(s.set.groups().high, 200);
  EXPECT_EQ(s.set.judge(digest(1), 100), verdict::duplicate);
}

TEST(ProcessedSet, AGroupOfARefusedMessageIsKeptUntilTheFloorHasPassedItsDate) {  // rule A7
  stored_set s{short_window};
  std::vector<stored_set::message> group{{digest(1), 100}, {digest(2, 0, true), 400}};
  while (group.size() < processed_set::group_ids) group.push_back({digest(100 + group.size()), 100});
  s.commit(group);
  s.commit(3, 1'300);
  s.commit(4, 1'399);
  EXPECT_EQ(s.set.judge(digest(1), 100), verdict::duplicate);
  s.commit(5, 1'400);
  EXPECT_EQ(s.set.judge(digest(2), 400), verdict::too_old);
}

TEST(ProcessedSet, WithoutMessagesNothingIsStoredAndNothingChanges) {
  stored_set s{short_window};
  s.commit(1, 100);
  auto before = s.set.groups();
  s.commit(std::vector<stored_set::message>{});
  EXPECT_EQ(s.set.groups(), before);
  EXPECT_EQ(s.fields.size(), 1u);
}

// Groups
// -----------------------------------------------------------------------------------------------------------------

TEST(ProcessedSet, AGroupHasPinnedBytes) {
  // A change here makes every stored id unknown.
  stored_set s{short_window};
  message_digest d;
  for (std::size_t i = 0; i < d.bytes.size(); ++i) d.bytes[i] = static_cast<std::uint8_t>(0xa0 + i);
  s.commit({{d, 300}});
  EXPECT_EQ(to_hex(s.fields.at(id_group_field("t", 0))),
            "01 2c 01 00 00 00 00 00 00 a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 aa ab ac ad ae af");
}

TEST(ProcessedSet, SmallCommitsRewriteOneGroupUntilItIsFull) {
  stored_set s{short_window};
  for (std::uint64_t i = 0; i < processed_set::group_ids; ++i) {
    s.commit(i, 10);
    EXPECT_EQ(s.set.groups().next, 1u);
  }
  s.commit(99, 10);
  EXPECT_EQ(s.set.groups().next, 2u);
  EXPECT_EQ(s.fields.at(id_group_field("t", 0)).size(), 9 + 16 * processed_set::group_ids);
  EXPECT_EQ(s.fields.at(id_group_field("t", 1)).size(), 9u + 16);
  EXPECT_EQ(s.set.size(), processed_set::group_ids + 1);
}

TEST(ProcessedSet, ANewOwnerGoesOnRewritingTheLastGroup) {
  stored_set s{short_window};
  s.commit(1, 50);
  s.take_over();
  s.commit(2, 40);
  EXPECT_EQ(s.set.groups().next, 1u);
  s.take_over();
  EXPECT_EQ(s.set.size(), 2u);
  EXPECT_EQ(s.set.judge(digest(1), 50), verdict::duplicate);
  // The group keeps the greatest date in it, not the last.
  EXPECT_EQ(to_hex(std::string_view{s.fields.at(id_group_field("t", 0))}.substr(1, 8)), "32 00 00 00 00 00 00 00");
}

TEST(ProcessedSet, ALargeCommitIsOneGroup) {
  stored_set s{short_window};
  std::vector<stored_set::message> many;
  for (std::uint64_t i = 0; i < 4'096; ++i) many.push_back({digest(i), 10});
  s.commit(many);
  EXPECT_EQ(s.fields.size(), 1u);
  EXPECT_EQ(s.loaded().size(), 4'096u);
}

TEST(ProcessedSet, ADeadLastGroupIsNotRewritten) {
  stored_set s{short_window};
  s.commit(1, 100);
  s.commit(2, 1'200);
  EXPECT_EQ(s.set.groups().first, 1u);
  EXPECT_EQ(s.set.groups().next, 2u);
  EXPECT_EQ(s.set.groups().floor, 100);
  EXPECT_EQ(s.set.size(), 1u);
  EXPECT_EQ(s.loaded().judge(digest(2), 1'200), verdict::duplicate);
}

TEST(ProcessedSet, OldMessagesBetweenNewOnesDoNotMultiplyTheSetsToAsk) {
  stored_set s{{24h, 1'000'000}};
  const unix_ms today = unix_ms{20'000} * 86'400'000;
  for (std::uint64_t i = 0; i < 500; ++i) {
    std::vector<stored_set::message> group;
    for (std::uint64_t j = 0; j < processed_set::group_ids; ++j)
      group.push_back({digest(i * 100 + j), i % 2 == 0 ? today : today - 80'000'000});
    s.commit(group);
  }
  EXPECT_LE(s.set.generations(), 3u);
  EXPECT_LE(s.loaded().generations(), 3u);
}

// Removal
// ----------------------------------------------------------------------------------------------------------------

TEST(ProcessedSet, OnlyAConfirmedCommitDeclaresGroupsDead) {  // rule A7
  stored_set s{short_window};
  s.commit(1, 100);
  auto staged = stored_set::stage({{digest(2), 5'000}});
  s.set.seal(staged);
  EXPECT_EQ(staged.after.first, 1u);
  EXPECT_TRUE(s.set.dead_fields(10).empty());
  s.set.confirm(staged);
  EXPECT_EQ(s.set.dead_fields(10), std::vector<std::string>{id_group_field("t", 0)});
}

TEST(ProcessedSet, DeadFieldsComeInPiecesAndEachOnce) {
  stored_set s{short_window};
  for (std::uint64_t i = 0; i < 10 * processed_set::group_ids; ++i) s.commit(i, 100);
  s.commit(1'000, 5'000);
  ASSERT_EQ(s.set.groups().first, 10u);
  EXPECT_EQ(s.set.dead_fields(4).size(), 4u);
  s.trim(4);
  EXPECT_EQ(s.set.dead_fields(100).front(), id_group_field("t", 4));
  s.trim(100);
  EXPECT_TRUE(s.set.dead_fields(100).empty());
  EXPECT_EQ(s.fields.size(), 1u);
  // The next commit stores how far it got; until then a new owner would remove them again, which is harmless.
  EXPECT_EQ(s.loaded().dead_fields(100).size(), 10u);
  s.commit(1'001, 5'000);
  EXPECT_TRUE(s.loaded().dead_fields(100).empty());
}

TEST(ProcessedSet, ATrimAnsweredDuringACommitIsNotForgotten) {
  stored_set s{short_window};
  s.commit(1, 100);
  s.commit(2, 5'000);
  auto staged = stored_set::stage({{digest(3), 5'000}});
  s.set.seal(staged);
  s.trim(10);
  s.set.confirm(staged);
  EXPECT_TRUE(s.set.dead_fields(10).empty());
}

TEST(ProcessedSet, CountsNothingAsRemovedThatWasNotAskedFor) {
  stored_set s{short_window};
  s.commit(1, 100);
  s.set.removed();  // nothing was asked for
  EXPECT_EQ(s.set.groups().trimmed, 0u);
}

// The count limit
// ----------------------------------------------------------------------------------------------------------

TEST(ProcessedSet, IsFullAtItsLimitWithoutRaisingTheFloor) {  // rule A7
  stored_set s{{1'000ms, 100}};
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_FALSE(s.set.full(1)) << i;
    s.commit(i, 500);
  }
  EXPECT_TRUE(s.set.full(1));
  EXPECT_TRUE(s.set.full(1, 1'499));
  EXPECT_EQ(s.set.groups().floor, 0);
  EXPECT_EQ(s.set.judge(digest(0), 500), verdict::duplicate);
}

TEST(ProcessedSet, AMessageThatMovesTheWindowFindsRoomInAFullSet) {  // rule A7: else full is for ever
  stored_set s{{1'000ms, 100}};
  for (std::uint64_t i = 0; i < 100; ++i) s.commit(i, 500);
  EXPECT_FALSE(s.set.full(1, 1'500));
  EXPECT_FALSE(s.set.full(100, 1'500));
  EXPECT_TRUE(s.set.full(101, 1'500));
  s.commit(1'000, 1'500);
  EXPECT_EQ(s.set.size(), 1u);
  EXPECT_FALSE(s.set.full(1));
}

// Loading
// ------------------------------------------------------------------------------------------------------------------

TEST(ProcessedSet, RefusesDamagedGroups) {
  stored_set s{short_window};
  s.commit({{digest(1), 100}, {digest(2), 100}});
  const auto good = s.fields.at(id_group_field("t", 0));
  auto accepts = [&](std::string_view bytes) {
    processed_set next{"t", short_window};
    next.reset(s.frontier);
    return next.load(bytes);
  };
  EXPECT_TRUE(accepts(good));
  for (std::size_t n = 0; n < good.size(); ++n)
    EXPECT_EQ(accepts(std::string_view{good}.substr(0, n)), n == 9 + 16) << n << " bytes";
  EXPECT_FALSE(accepts(good + 'x'));
  for (int version : {0, 2, 255}) EXPECT_FALSE(accepts(static_cast<char>(version) + good.substr(1))) << version;
  auto negative = good;
  negative[8] = '\x80';
  EXPECT_FALSE(accepts(negative)) << "a date before 1970";
}

TEST(ProcessedSet, DamagedBytesInAGroupDoNoHarm) {
  stored_set s{short_window};
  s.commit({{digest(1), 100}, {digest(2), 100}});
  s.commit({{digest(3), 900}});
  const auto good = s.fields.at(id_group_field("t", 0));
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      auto bytes = good;
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << bit));
      processed_set next{"t", short_window};
      next.reset(s.frontier);
      if (!next.load(bytes)) continue;
      auto staged = stored_set::stage({{digest(4), 5'000}});
      next.seal(staged);
      next.confirm(staged);
      ASSERT_EQ(next.judge(digest(4), 5'000), verdict::duplicate) << "byte " << i << " bit " << bit;
    }
  }
}

TEST(ProcessedSet, TakesNoMoreGroupsThanTheFrontierNames) {
  stored_set s{short_window};
  s.commit(1, 100);
  const auto group = s.fields.at(id_group_field("t", 0));
  processed_set next{"t", short_window};
  EXPECT_FALSE(next.load(group)) << "nothing is expected before a reset";
  next.reset(s.frontier);
  EXPECT_TRUE(next.load(group));
  EXPECT_FALSE(next.load(group));
}

TEST(ProcessedSet, AResetForgetsEverything) {
  stored_set s{short_window};
  s.commit(1, 100);
  s.set.reset({"t", 0, 0, 0, 0, 0});
  EXPECT_EQ(s.set.size(), 0u);
  EXPECT_EQ(s.set.judge(digest(1), 100), verdict::fresh);
  s.commit(2, 100);
  EXPECT_EQ(s.fields.at(id_group_field("t", 0)).size(), 9u + 16) << "the tail of before must not come back";
}

TEST(ProcessedSet, GroupsOfAnotherTypeAreABug) {
  processed_set set{"t", short_window};
  EXPECT_DEATH(set.reset({"u", 0, 0, 0, 0, 0}), "another entity type");
}

// Random histories
// ---------------------------------------------------------------------------------------------------------

struct remembered {
  unix_ms sent_at;
  bool refused;
};

class ProcessedSetHistory : public testing::TestWithParam<unsigned> {};

TEST_P(ProcessedSetHistory, NoIdIsFreshTwiceAndANewOwnerJudgesAlike) {  // rule A7
  SCOPED_TRACE("seed=" + std::to_string(GetParam()));
  std::mt19937 random{GetParam()};
  auto below = [&random](std::uint64_t n) { return random() % n; };
  stored_set s{{std::chrono::milliseconds{200 + below(3'000)}, 400 + below(4'000)}};
  std::map<std::uint64_t, remembered> model;  // everything ever accepted or refused
  unix_ms clock = 1'000;
  std::uint64_t next_id = 0;
  std::size_t forgotten = 0;

  auto expect_sound = [&](const processed_set& set) {
    for (const auto& [id, m] : model) {
      auto v = set.judge(digest(id), m.sent_at);
      if (m.sent_at > set.groups().floor) {
        ASSERT_EQ(v, m.refused ? verdict::refused : verdict::duplicate) << id;
      } else if (v == verdict::too_old) {
        ++forgotten;
      } else {
        ASSERT_EQ(v, m.refused ? verdict::refused : verdict::duplicate) << id;
      }
    }
  };

  for (int step = 0; step < 400; ++step) {
    clock += static_cast<unix_ms>(below(20) == 0 ? below(3'000) : below(30));
    std::vector<stored_set::message> batch;
    auto size = below(10) == 0 ? below(200) : below(4);
    unix_ms high = 0;
    for (std::uint64_t i = 0; i < size; ++i) {
      auto late = below(4) == 0 ? below(4'000) : below(20);
      auto sent_at = clock - static_cast<unix_ms>(late);
      auto expected = sent_at <= s.set.groups().floor ? verdict::too_old : verdict::fresh;
      ASSERT_EQ(s.set.judge(digest(next_id), sent_at), expected);
      bool refused = below(10) == 0;
      if (expected == verdict::fresh && !s.set.full(batch.size() + 1, refused ? high : std::max(high, sent_at))) {
        if (!refused) high = std::max(high, sent_at);
        batch.push_back({digest(next_id, 0, refused), sent_at});
        model[next_id] = {sent_at, refused};
      }
      ++next_id;
    }
    auto staged = stored_set::stage(batch);
    s.set.seal(staged);
    switch (below(6)) {
    case 0:  // the commit certainly did not happen: the same messages come again
      s.commit(batch);
      break;
    case 1:  // it happened, but its owner never learned of it
      s.store(staged);
      s.take_over();
      break;
    case 2:  // a trim is answered while it is under way
      s.store(staged);
      s.trim(below(8));
      s.set.confirm(staged);
      break;
    default:
      s.store(staged);
      s.set.confirm(staged);
      s.trim(below(8));
    }
    ASSERT_LE(s.set.size(), s.policy.ids_max);
    ASSERT_LE(s.frontier.floor, std::max<unix_ms>(0, s.frontier.high - s.policy.window.count()));
    if (step % 20 != 0) continue;
    expect_sound(s.set);
    auto next = s.loaded();
    expect_sound(next);
    ASSERT_EQ(next.size(), s.set.size());
    for (std::uint64_t id = 0; id < next_id; id += 1 + next_id / 500) {
      auto sent_at = clock - static_cast<unix_ms>(below(6'000));
      ASSERT_EQ(next.judge(digest(id), sent_at), s.set.judge(digest(id), sent_at));
    }
    if (below(3) == 0) s.take_over();
  }
  EXPECT_GT(forgotten, 0u) << "the history was too short to forget anything";
}

INSTANTIATE_TEST_SUITE_P(Seeds, ProcessedSetHistory, testing::Range(0u, 40u));

}  // namespace
}  // namespace pawl
