// How a shard judges a message: new, duplicate, refused for good, or not for it to say; and that its successor judges
// the same.
#include "tests/unit/actors/shard_world.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace pawl::test {
namespace {

using namespace std::chrono_literals;

struct ShardJudges : testing::Test {
  world w;
  owner a{"a", w.store, w.now};

  /// Another member's shard takes over what is stored.
  std::unique_ptr<owner> successor(entity_catalog known = diary_catalog()) {
    auto b = std::make_unique<owner>("b", w.store, w.now, std::move(known));
    b->start(9);
    return b;
  }
};

std::vector<entry> many(const std::string& prefix, int n, unix_ms sent_at) {
  std::vector<entry> out;
  for (int i = 0; i < n; ++i) out.push_back({.id = prefix + std::to_string(i), .sent_at = sent_at});
  return out;
}

// design: the ids are loaded with the claim
TEST_F(ShardJudges, KnowsTheIdsOfItsPredecessors) {
  a.start();
  EXPECT_EQ(a.tell(many("m", 40, 1'000'000)), [] {
    std::string text = "applied";
    for (int i = 1; i < 40; ++i) text += " applied";
    return text;
  }());
  auto b = successor();
  EXPECT_EQ(b->tell({{"m0"}, {"m39"}, {"new"}}), "duplicate duplicate applied");
  EXPECT_EQ(stored_diary(*w.blob("k")).ids.size(), 41u);
}

// rule B14
TEST_F(ShardJudges, WhatIsRefusedForGoodIsRefusedForEver) {
  struct row {
    entry message;
    std::string first;
  };
  const row rows[] = {
      {{.id = "u", .payload = "\x81\xa4text\x07"}, "refused:undecodable"},
      {{.id = "t", .name = "Stumble"}, "refused:handler_error"},
      {{.id = "d", .name = "Decline", .payload = packed(Decline{"no"})}, "refused:handler_refused"},
  };
  a.start();
  for (const auto& r : rows) {
    EXPECT_EQ(a.tell({r.message}), r.first);
    EXPECT_EQ(a.tell({r.message}), "refused:handler_refused") << r.message.id;
  }
  EXPECT_EQ(w.blob("k"), std::nullopt);
  auto b = successor();
  for (const auto& r : rows) EXPECT_EQ(b->tell({r.message}), "refused:handler_refused") << r.message.id;
}

// rule B14: a refusal is an effect, so it is told after the commit only
TEST_F(ShardJudges, ARefusalIsAnsweredAfterItIsStored) {
  a.start();
  a.frame({{.id = "t", .name = "Stumble"}});
  a.execute(a.next<load_fields>());
  EXPECT_EQ(a.answers(), "");
  a.answer(a.next<commit_fields>(), store_outcome::refused, store_error::oom);
  EXPECT_EQ(a.answers(), "busy:store_full");
}

TEST_F(ShardJudges, AHandlerThatThrowsLeavesItsEntityAndTheRestOfTheBatchAlone) {
  a.start();
  EXPECT_EQ(a.tell({{"m1"}, {.id = "t", .name = "Stumble"}, {"m2"}, {.id = "x", .key = "j"}}),
            "applied refused:handler_error applied applied");
  EXPECT_EQ(w.ids(), "m1 m2");
  EXPECT_EQ(w.ids("j"), "x");
}

// rule B14: not for good, since during a rolling upgrade the next owner may know them
TEST_F(ShardJudges, WhatANewerVersionMayKnowIsBusyAndNotRecorded) {
  a.start();
  const entry underline{.id = "u", .name = "Underline"};
  const entry clipping{.id = "c", .key = "j", .type = "scrapbook"};
  EXPECT_EQ(a.tell({underline, clipping}), "busy:unknown_message_type busy:unknown_entity_type");
  EXPECT_EQ(w.store.committed().seq, 0u);
  auto b = successor(newer_catalog());
  EXPECT_EQ(b->tell({underline, clipping}), "applied applied");
}

// rule B13
TEST_F(ShardJudges, BehindAnUnresolvedMessageOfAKeyAllLaterOnesAreBlocked) {
  a.start();
  EXPECT_EQ(a.tell({{"m1"}, {.id = "u", .name = "Underline"}, {"m2"}, {.id = "x", .key = "j"}, {"m1"}}),
            "applied busy:unknown_message_type blocked:earlier_unresolved applied blocked:earlier_unresolved");
  EXPECT_EQ(w.ids(), "m1");
  EXPECT_EQ(w.ids("j"), "x");
}

// rule B13: also when the rest of the frame runs in a later batch
TEST_F(ShardJudges, AKeyStaysBlockedForTheRestOfItsFrameAfterItsCommitFailed) {
  a.start();
  std::vector<entry> entries{{"m1"}};
  const auto fill = packed(Fill{900'000});
  for (int i = 0; i < 12; ++i)
    entries.push_back({.id = "f", .key = std::to_string(i), .name = "Fill", .payload = fill});
  entries.push_back({"m2"});
  a.frame(std::move(entries));
  a.execute(a.next<load_fields>());
  a.answer(a.next<commit_fields>(), store_outcome::refused, store_error::oom);
  a.settle();
  auto results = a.answered.at(0).answer.results;
  EXPECT_EQ(brief(results.front()), "busy:store_full");
  EXPECT_EQ(brief(results.at(12)), "applied");
  EXPECT_EQ(brief(results.back()), "blocked:earlier_unresolved");
  EXPECT_EQ(w.ids(), "");
}

// rule B18
TEST_F(ShardJudges, AnIdWithOtherContentIsReusedNotADuplicate) {
  const entry other{.id = "m1", .payload = packed(Write{"other"})};
  const entry other_name{.id = "m1", .name = "Fill"};
  a.start();
  EXPECT_EQ(a.tell({{"m1"}, other, {"m1"}}), "applied refused:id_reused duplicate");
  EXPECT_EQ(a.tell({other, other_name}), "refused:id_reused refused:id_reused");
  EXPECT_EQ(a.tell({{.id = "m1", .key = "j"}}), "applied");  // ids are unique per key
  auto b = successor();
  EXPECT_EQ(b->tell({other, {"m1"}}), "refused:id_reused duplicate");
  EXPECT_EQ(w.ids(), "m1");
}

// rule A7
TEST_F(ShardJudges, WhatCanNoLongerBeToldFromADuplicateIsTooOld) {
  a.start();
  a.tell(many("old", 32, 1'000'000));
  w.pass(9s);
  a.tell({{.id = "m1", .sent_at = 1'009'000}});
  EXPECT_EQ(a.tell({{.id = "late", .sent_at = 1'000'500}}), "applied");  // the ids of that time are still known
  a.tell({{.id = "m2", .sent_at = 1'009'001}});
  const std::string_view too_old = "refused:too_old refused:too_old applied duplicate";
  const std::vector<entry> probe{{.id = "old7", .sent_at = 1'000'000},
                                 {.id = "never seen", .sent_at = 999'999},
                                 {.id = "m3", .sent_at = 1'009'002},
                                 {.id = "m1", .sent_at = 1'009'000}};
  EXPECT_EQ(a.tell(probe), too_old);
  auto b = successor();
  EXPECT_EQ(b->tell(probe), "refused:too_old refused:too_old duplicate duplicate");
  EXPECT_EQ(stored_diary(*w.blob("k")).ids.size(), 36u);
}

// rule A7: neither a sender's clock nor the refusal itself may move the floor
TEST_F(ShardJudges, AMessageFromTheFutureIsRefusedAndMovesNoFloor) {
  a.start();
  a.tell(many("old", 32, 1'000'000));
  const entry early{.id = "early", .sent_at = w.now.wall + limits::future_ms};
  const entry future{.id = "future", .sent_at = w.now.wall + limits::future_ms + 1};
  EXPECT_EQ(a.tell({future}), "refused:from_the_future");
  a.tell(many("more", 64, 1'000'001));
  EXPECT_EQ(w.store.committed().groups.at(0).floor, 0);
  EXPECT_EQ(w.store.committed().groups.at(0).high, 1'000'001);
  EXPECT_EQ(a.tell({early}), "applied");
  w.pass(1h);
  EXPECT_EQ(a.tell({future}), "refused:handler_refused");  // for good
}

// Under steady load a trim is always answered while a commit is under way. That commit must not bring back the state of
// before, or the same groups would be removed again and again, and no other ones.
TEST_F(ShardJudges, RemovesDeadGroupsAlsoWhileCommitsFollowEachOtherWithoutAGap) {
  a.start();
  for (int i = 0; i < 12; ++i) {
    w.pass(2s);
    a.tell(many(std::to_string(i) + "-", 32, w.now.wall));
  }
  a.frame({{.id = "m0", .sent_at = w.now.wall}}, 1);
  for (int i = 1; i < 8; ++i) {
    w.pass(4s);
    a.frame(many(std::to_string(i) + "x", 32, w.now.wall), static_cast<link_number>(i % 2));
    for (auto c : std::exchange(a.sent, {})) a.execute(c);
  }
  auto trimmed = w.store.committed().groups.at(0).trimmed;
  EXPECT_GT(trimmed, 0u);
  a.settle();
  a.tell({{.id = "last", .sent_at = w.now.wall}});
  const auto g = w.store.committed().groups.at(0);
  for (std::uint64_t n = 0; n < g.trimmed; ++n) EXPECT_FALSE(w.store.data().contains(id_group_field("diary", n))) << n;
  for (auto n = g.first; n < g.next; ++n) EXPECT_TRUE(w.store.data().contains(id_group_field("diary", n))) << n;
}

TEST_F(ShardJudges, CountsArrivalsOutOfOrderAndKeepsTheHighestNumber) {
  a.start();
  a.tell({{.id = "1", .seq = 1}, {.id = "3", .seq = 3}, {.id = "2", .seq = 2}, {.id = "0"}});
  EXPECT_EQ(a.metrics.messages[0].out_of_order.value(), 2u);
  EXPECT_EQ(a.metrics.messages[0].ordering_violations.value(), 1u);
  a.read("k");
  a.settle();
  EXPECT_EQ(a.reads.at(0).answer.answer.last_seq, 3u);
}

}  // namespace
}  // namespace pawl::test
