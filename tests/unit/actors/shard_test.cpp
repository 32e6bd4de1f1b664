// An owner's shard, from a claimed one on: what it applies, stores and answers, and when. The store is in memory and
// obeys; shard_doubt_test.cpp is about one that does not.
#include "tests/unit/actors/shard_world.hpp"

#include <gtest/gtest.h>

namespace pawl::test {
namespace {

using namespace std::chrono_literals;

struct Shard : testing::Test {
  world w;
  owner a{"a", w.store, w.now};
};

std::size_t bytes_of(const commit_fields& c) { return c.fields->bytes(); }

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
  for (const auto& [field, value] : *std::get<commit_fields>(c.operation).fields) fields.emplace_back(field);
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
  a.execute(a.next<load_fields>());
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
