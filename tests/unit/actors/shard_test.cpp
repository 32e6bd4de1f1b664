// An owner's shard, from a claimed one on: what it applies, refuses, stores and answers, and when. The store is in
// memory and obeys; shard_doubt_test.cpp is about one that does not.
#include "tests/unit/actors/shard_world.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace pawl::test {
namespace {

using namespace std::chrono_literals;

struct Shard : testing::Test {
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

std::size_t bytes_of(const commit_fields& c) {
  std::size_t n = 0;
  for (const auto& [field, value] : c.fields) n += field.size() + value.size();
  return n;
}

// Commit
// ----------------------------------------------------------------------------------------------------------------

// design: acknowledge only after the commit is confirmed
TEST_F(Shard, AnswersOnlyAfterTheCommitIsConfirmed) {
  a.start();
  a.frame({{"m1"}});
  a.execute(a.next<load_fields>());
  auto commit = a.next<commit_fields>();
  EXPECT_EQ(a.answers(), "");
  EXPECT_EQ(w.ids(), "");
  a.execute(commit);
  EXPECT_EQ(a.answers(), "applied");
  EXPECT_EQ(w.ids(), "m1");
}

// design: state and ids are one atomic write; the frontier in it names all other fields
TEST_F(Shard, StoresStateIdsAndFrontierInOneCommand) {
  a.start();
  a.frame({{"m1"}, {.id = "m2", .key = "j"}});
  a.execute(a.next<load_fields>());
  auto c = a.next<commit_fields>();
  std::vector<std::string> fields;
  for (const auto& [field, value] : std::get<commit_fields>(c.operation).fields) fields.push_back(field);
  EXPECT_EQ(fields, (std::vector<std::string>{std::string{frontier_field}, id_group_field("diary", 0),
                                              entity_field("diary", "k"), entity_field("diary", "j")}));
  a.execute(c);
  EXPECT_EQ(w.store.committed().seq, 1u);
  EXPECT_TRUE(a.sent.empty());
}

TEST_F(Shard, HasOneCommitUnderWayAndMakesTheNextOfWhatArrivesMeanwhile) {
  a.start();
  a.tell({{"m1"}});
  a.frame({{"m2"}}, 1);
  auto first = a.next<commit_fields>();
  a.frame({{"m3"}}, 2);
  a.frame({{"m4"}}, 3);
  EXPECT_TRUE(a.sent.empty());
  a.execute(first);
  EXPECT_EQ(a.answers(), "applied");
  a.execute(a.next<commit_fields>());
  EXPECT_EQ(a.answers(), "applied | applied");
  EXPECT_EQ(w.ids(), "m1 m2 m3 m4");
  EXPECT_EQ(w.store.committed().seq, 3u);
}

TEST_F(Shard, AnswersDuplicatesOfCommittedMessagesWithoutACommit) {
  a.start();
  a.tell({{"m1"}});
  a.frame({{"m1"}});
  EXPECT_TRUE(a.sent.empty());
  EXPECT_EQ(a.answers(), "duplicate");
}

// rule C22
TEST_F(Shard, ACommitHoldsAtMostSoManyMessages) {
  a.start();
  std::string expected;
  for (link_number link = 1; link <= 5; ++link) {
    std::vector<entry> entries;
    for (int i = 0; i < 1'024; ++i)
      entries.push_back({.id = std::to_string(link) + "-" + std::to_string(i), .key = std::to_string(i % 64)});
    a.frame(std::move(entries), link);
  }
  a.execute(a.next<load_fields>());  // the first frame's entities, and those of all
  while (!a.sent.empty()) {
    auto before = a.metrics.committed_messages.value();
    a.execute(a.next<commit_fields>());
    EXPECT_LE(a.metrics.committed_messages.value() - before, limits::batch_messages_max);
  }
  EXPECT_EQ(a.metrics.committed_messages.value(), 5'120u);
  EXPECT_EQ(a.answered.size(), 5u);
  EXPECT_EQ(stored_diary(*w.blob("7")).ids.size(), 80u);
}

// rule C22: a commit over the connection's limits would fail each time, and the shard with it
TEST_F(Shard, ACommitStaysWithinItsBytesHoweverMuchHandlersMakeOutOfLittle) {
  a.start();
  const auto fill = packed(Fill{900'000});
  std::vector<entry> entries;
  for (int i = 0; i < 30; ++i)
    entries.push_back({.id = "m", .key = std::to_string(i), .name = "Fill", .payload = fill});
  a.frame(std::move(entries));
  a.execute(a.next<load_fields>());
  while (!a.sent.empty()) {
    auto c = a.next<commit_fields>();
    EXPECT_LE(bytes_of(std::get<commit_fields>(c.operation)), limits::commit_bytes);
    a.execute(c);
  }
  EXPECT_EQ(a.metrics.committed_messages.value(), 30u);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(w.ids(std::to_string(i)), "m");
}

// rules B16, C20: a refused commit leaves neither state nor ids behind
TEST_F(Shard, ARefusedCommitIsTakenBackWhole) {
  a.start();
  const std::vector<entry> batch{{"m1"}, {"m2"}, {.id = "x", .key = "j"}};
  w.store.memory_full = true;
  EXPECT_EQ(a.tell(batch), "busy:store_full blocked:earlier_unresolved busy:store_full");
  EXPECT_EQ(w.store.data().size(), 1u);
  w.store.memory_full = false;
  EXPECT_EQ(a.tell(batch), "applied applied applied");
  EXPECT_EQ(w.ids(), "m1 m2");
  EXPECT_EQ(w.ids("j"), "x");
  EXPECT_EQ(a.metrics.commits_refused.value(), 1u);
}

// rule B13: what did not depend on the commit keeps its result, unless it stands behind something that did
TEST_F(Shard, ARefusedCommitLeavesEarlierDuplicatesAndBlocksLaterOnes) {
  a.start();
  a.tell({{"m1"}, {"m2"}});
  w.store.memory_full = true;
  EXPECT_EQ(a.tell({{"m1"}, {"m3"}, {"m2"}}), "duplicate busy:store_full blocked:earlier_unresolved");
}

// rule B16
TEST_F(Shard, ACopyOfAMessageUnderWayWaitsForItsCommit) {
  a.start();
  a.tell({{"m0"}});
  a.frame({{"m1"}}, 1);
  auto commit = a.next<commit_fields>();
  a.frame({{"m1"}}, 2);
  EXPECT_EQ(a.answers(), "");
  a.execute(commit);
  EXPECT_EQ(a.answers(), "applied | duplicate");
  EXPECT_EQ(w.ids(), "m0 m1");
}

// rule B16
TEST_F(Shard, ACopyOfAMessageWhoseCommitFailedIsNew) {
  a.start();
  a.tell({{"m0"}});
  a.frame({{"m1"}}, 1);
  auto commit = a.next<commit_fields>();
  a.frame({{"m1"}}, 2);
  a.answer(commit, store_outcome::refused, store_error::oom);
  EXPECT_EQ(a.answers(), "busy:store_full");
  a.settle();
  EXPECT_EQ(a.answers(), "applied");
  EXPECT_EQ(w.ids(), "m0 m1");
}

// rule B16: also within one batch, over two links
TEST_F(Shard, CopiesInOneBatchShareItsFate) {
  a.start();
  a.tell({{"m0"}});
  a.frame({{"hold"}}, 9);
  auto before = a.next<commit_fields>();
  a.frame({{"m1"}, {"m1"}}, 1);
  a.frame({{"m1"}}, 2);
  a.execute(before);
  EXPECT_EQ(a.answers(), "applied");
  a.answer(a.next<commit_fields>(), store_outcome::refused, store_error::oom);
  EXPECT_EQ(a.answers(), "busy:store_full blocked:earlier_unresolved | busy:store_full");
  EXPECT_EQ(a.tell({{"m1"}, {"m1"}}), "applied duplicate");
  EXPECT_EQ(w.ids(), "m0 hold m1");
}

// Judging
// ---------------------------------------------------------------------------------------------------------------

// design: the ids are loaded with the claim
TEST_F(Shard, KnowsTheIdsOfItsPredecessors) {
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
TEST_F(Shard, WhatIsRefusedForGoodIsRefusedForEver) {
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
TEST_F(Shard, ARefusalIsAnsweredAfterItIsStored) {
  a.start();
  a.frame({{.id = "t", .name = "Stumble"}});
  a.execute(a.next<load_fields>());
  EXPECT_EQ(a.answers(), "");
  a.answer(a.next<commit_fields>(), store_outcome::refused, store_error::oom);
  EXPECT_EQ(a.answers(), "busy:store_full");
}

TEST_F(Shard, AHandlerThatThrowsLeavesItsEntityAndTheRestOfTheBatchAlone) {
  a.start();
  EXPECT_EQ(a.tell({{"m1"}, {.id = "t", .name = "Stumble"}, {"m2"}, {.id = "x", .key = "j"}}),
            "applied refused:handler_error applied applied");
  EXPECT_EQ(w.ids(), "m1 m2");
  EXPECT_EQ(w.ids("j"), "x");
}

// rule B14: not for good, since during a rolling upgrade the next owner may know them
TEST_F(Shard, WhatANewerVersionMayKnowIsBusyAndNotRecorded) {
  a.start();
  const entry underline{.id = "u", .name = "Underline"};
  const entry clipping{.id = "c", .key = "j", .type = "scrapbook"};
  EXPECT_EQ(a.tell({underline, clipping}), "busy:unknown_message_type busy:unknown_entity_type");
  EXPECT_EQ(w.store.committed().seq, 0u);
  auto b = successor(newer_catalog());
  EXPECT_EQ(b->tell({underline, clipping}), "applied applied");
}

// rule B13
TEST_F(Shard, BehindAnUnresolvedMessageOfAKeyAllLaterOnesAreBlocked) {
  a.start();
  EXPECT_EQ(a.tell({{"m1"}, {.id = "u", .name = "Underline"}, {"m2"}, {.id = "x", .key = "j"}, {"m1"}}),
            "applied busy:unknown_message_type blocked:earlier_unresolved applied blocked:earlier_unresolved");
  EXPECT_EQ(w.ids(), "m1");
  EXPECT_EQ(w.ids("j"), "x");
}

// rule B13: also when the rest of the frame runs in a later batch
TEST_F(Shard, AKeyStaysBlockedForTheRestOfItsFrameAfterItsCommitFailed) {
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
TEST_F(Shard, AnIdWithOtherContentIsReusedNotADuplicate) {
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
TEST_F(Shard, WhatCanNoLongerBeToldFromADuplicateIsTooOld) {
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
TEST_F(Shard, AMessageFromTheFutureIsRefusedAndMovesNoFloor) {
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
TEST_F(Shard, RemovesDeadGroupsAlsoWhileCommitsFollowEachOtherWithoutAGap) {
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

TEST_F(Shard, CountsArrivalsOutOfOrderAndKeepsTheHighestNumber) {
  a.start();
  a.tell({{.id = "1", .seq = 1}, {.id = "3", .seq = 3}, {.id = "2", .seq = 2}, {.id = "0"}});
  EXPECT_EQ(a.metrics.messages[0].out_of_order.value(), 2u);
  EXPECT_EQ(a.metrics.messages[0].ordering_violations.value(), 1u);
  a.read("k");
  a.settle();
  EXPECT_EQ(a.reads.at(0).answer.answer.last_seq, 3u);
}

// States
// ----------------------------------------------------------------------------------------------------------------

TEST_F(Shard, AMessageThatMakesAStateTooLargeIsRefusedAndTheRestStays) {
  owner small{"small", w.store, w.now, diary_catalog(2'000)};
  small.start();
  const entry fill{.id = "f", .name = "Fill", .payload = packed(Fill{2'001})};
  EXPECT_EQ(
      small.tell({{"m1"}, fill, {"m2"}, {.id = "x", .key = "j"}, {"m2"}, {.id = "u", .name = "Underline"}, {"m3"}}),
      "applied refused:state_too_large applied applied duplicate busy:unknown_message_type "
      "blocked:earlier_unresolved");
  EXPECT_EQ(w.ids(), "m1 m2");
  EXPECT_EQ(w.ids("j"), "x");
  EXPECT_EQ(small.tell({fill}), "refused:handler_refused");
}

TEST_F(Shard, ADamagedStateIsBusyAndNeverOverwritten) {
  a.start();
  a.tell({{"m1"}});
  for (std::string damage : {std::string{}, std::string{"\x63\x00\x80", 3}, std::string{"\x01\x00\xc1", 3}}) {
    w.store.data()[entity_field("diary", "k")] = damage;
    owner b{"b" + std::to_string(damage.size() + static_cast<unsigned char>(damage[0])), w.store, w.now};
    b.start(9);
    EXPECT_EQ(b.tell({{"m2"}, {.id = "x", .key = "j"}}).substr(0, 16), "busy:undecodable");
    EXPECT_EQ(w.blob("k"), damage);
    b.read("k");
    b.settle();
    EXPECT_EQ(b.reads.at(0).answer.answer.kind, entity_answer::status::unavailable);
    EXPECT_EQ(b.reads.at(0).answer.answer.reason.substr(0, 36), "the stored state cannot be decoded: ") << damage;
  }
}

// rule A5
TEST_F(Shard, IdleEntitiesLeaveMemoryButNotUnderACommit) {
  a.start();
  a.tell({{"m1"}});
  a.frame({{"m2"}});
  auto commit = a.next<commit_fields>();
  w.pass(1h);
  a.tick();
  EXPECT_EQ(a.metrics.entities.value(), 1u);
  a.execute(commit);
  EXPECT_EQ(a.answers(), "applied");
  w.pass(1h);
  a.tick();
  EXPECT_EQ(a.metrics.entities.value(), 0u);
  EXPECT_EQ(a.tell({{"m3"}}), "applied");
  EXPECT_EQ(w.ids(), "m1 m2 m3");
}

// Links
// -----------------------------------------------------------------------------------------------------------------

TEST_F(Shard, ALinkThatIsGoneTakesAlongOnlyWhatHasNotBegun) {
  a.start();
  a.tell({{"m0"}});
  a.frame({{"m1"}}, 1);
  a.frame({{"m2"}}, 1);
  a.frame({{"m3"}}, 2);
  EXPECT_EQ(a.decide.queued(), 2u);
  a.link_down(1);
  a.settle();
  EXPECT_EQ(w.ids(), "m0 m1 m3");
}

// rule B15: a lane that sends again has given up the frame before
TEST_F(Shard, ANewerFrameOfALinkReplacesTheOneThatHasNotBegun) {
  a.start();
  a.tell({{"m0"}});
  a.frame({{"m1"}}, 1);
  for (int i = 0; i < 100; ++i) a.frame({{"m2"}, {"m3"}}, 1);
  EXPECT_EQ(a.decide.queued(), 2u);
  a.settle();
  EXPECT_EQ(a.answers(), "applied | applied applied");
  EXPECT_EQ(w.ids(), "m0 m1 m2 m3");
}

}  // namespace
}  // namespace pawl::test
