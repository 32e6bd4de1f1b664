// A shard that does not know: an answer is missing or late, the token is another's, data is gone. It must neither
// answer what it cannot prove nor keep what may be wrong.
#include "tests/unit/actors/shard_world.hpp"

#include <gtest/gtest.h>

namespace pawl::test {
namespace {

using namespace std::chrono_literals;
using state = shard_claim::state;
using event = shard_effects::event;

struct ShardDoubt : two_owners {
  static const fencing_token& token_of(const shard_command& c) { return std::get<commit_fields>(c.operation).token; }
};

// rule C21: nobody wrote in between, and the commit did not happen
TEST_F(ShardDoubt, ALostCommitIsSentAgainUnderAFreshToken) {
  begin();
  auto lost = a.next<commit_fields>();
  a.answer(lost, store_outcome::unknown);
  EXPECT_EQ(a.answers(), "");
  a.execute(a.next<read_record>());
  a.execute(a.next<claim_shard>());
  auto again = a.next<commit_fields>();
  EXPECT_NE(token_of(again), token_of(lost));
  EXPECT_EQ(std::get<commit_fields>(again.operation).fields, std::get<commit_fields>(lost.operation).fields);
  // The old bytes run after all: into a dead name.
  (void)w.store.execute(lost);
  EXPECT_EQ(w.ids(), "m1");
  a.execute(again);
  EXPECT_EQ(a.answers(), "applied");
  EXPECT_EQ(w.ids(), "m1 m2");
  EXPECT_TRUE(a.noted(event::kept));
}

// rule C21: memory is kept, so nothing is loaded again
TEST_F(ShardDoubt, AClaimOverOnesOwnTokenKeepsMemory) {
  begin();
  a.answer(a.next<commit_fields>(), store_outcome::unknown);
  a.execute(a.next<read_record>());
  a.execute(a.next<claim_shard>());
  a.execute(a.next<commit_fields>());
  a.answers();
  a.frame({{"m1"}, {"m2"}, {"m3"}});
  EXPECT_TRUE(a.asks<commit_fields>());
  a.settle();
  EXPECT_EQ(a.answers(), "duplicate duplicate applied");
}

// rule C21: nobody wrote in between, and the commit did happen
TEST_F(ShardDoubt, ACommitWhoseAnswerWasLostIsAcknowledgedAndNotAppliedAgain) {
  begin();
  auto commit = a.next<commit_fields>();
  (void)w.store.execute(commit);
  a.answer(commit, store_outcome::unknown);
  a.execute(a.next<read_record>());
  EXPECT_EQ(a.answers(), "");
  a.execute(a.next<claim_shard>());
  EXPECT_EQ(a.answers(), "applied");
  EXPECT_TRUE(a.sent.empty());
  EXPECT_EQ(w.store.committed().seq, 2u);
  EXPECT_EQ(a.tell({{"m2"}, {"m3"}}), "duplicate applied");
  EXPECT_EQ(w.ids(), "m1 m2 m3");
}

// rules C21, A8: another owner may have it or not, so the sender asks again
TEST_F(ShardDoubt, UnderAForeignTokenTheOutcomeStaysUnknownAndMemoryIsDropped) {
  begin();
  auto commit = a.next<commit_fields>();
  b.start(2);
  a.frame({{"m3"}}, 2);
  a.execute(commit);  // EXISTS says 0
  EXPECT_EQ(a.answers(), "");
  a.execute(a.next<read_record>());
  EXPECT_EQ(a.answers(), "unknown:moved");
  EXPECT_EQ(a.metrics.entities.value(), 0u);
  EXPECT_EQ(a.metrics.commits_fenced.value(), 1u);
  EXPECT_TRUE(a.sent.empty());
  EXPECT_EQ(b.tell({{"m2"}}), "applied");
  EXPECT_EQ(w.ids(), "m1 m2");
  // Only a view that was read again lets it take the shard back.
  EXPECT_TRUE(a.wants_view);
  a.place("a", 3);
  a.settle();
  EXPECT_EQ(a.answers(), "applied");
  EXPECT_EQ(w.ids(), "m1 m2 m3");
  EXPECT_EQ(a.tell({{"m2"}}), "duplicate");
}

// rule A8: the claim slipped between the write and the question
TEST_F(ShardDoubt, ACommitJustBeforeAnothersClaimIsPartOfTheData) {
  begin();
  auto commit = a.next<commit_fields>();
  (void)w.store.execute(commit);
  b.start(2);
  a.answer(commit, store_outcome::unknown);
  a.settle();
  EXPECT_EQ(a.answers(), "unknown:moved");
  EXPECT_EQ(b.tell({{"m2"}}), "duplicate");
  EXPECT_EQ(w.ids(), "m1 m2");
}

// rule C21: the outcome of the claim itself is not known either
TEST_F(ShardDoubt, AClaimThatWasGrantedUnheardIsStillOnesOwn) {
  begin();
  auto commit = a.next<commit_fields>();
  (void)w.store.execute(commit);
  a.answer(commit, store_outcome::unknown);
  a.execute(a.next<read_record>());
  auto claim = a.next<claim_shard>();
  (void)w.store.execute(claim);
  a.answer(claim, store_outcome::unknown);
  w.pass(1s);
  a.tick();
  a.settle();
  EXPECT_EQ(a.answers(), "applied");
  EXPECT_TRUE(a.noted(event::kept));
  EXPECT_EQ(w.ids(), "m1 m2");
}

TEST_F(ShardDoubt, ACommitThatWasNeverSentIsSentOnTheNextConnection) {
  begin();
  a.answer(a.next<commit_fields>(), store_outcome::unavailable);
  a.disconnect();
  a.connect();
  a.settle();
  EXPECT_EQ(a.answers(), "applied");
  EXPECT_EQ(w.ids(), "m1 m2");
}

TEST_F(ShardDoubt, WhatArrivesMeanwhileWaitsAndKeepsItsOrder) {
  begin();
  a.answer(a.next<commit_fields>(), store_outcome::unknown);
  a.frame({{"m3"}, {"m4"}}, 2);
  EXPECT_EQ(a.answers(), "");
  a.settle();
  EXPECT_EQ(a.answers(), "applied | applied applied");
  EXPECT_EQ(w.ids(), "m1 m2 m3 m4");
}

// rules B13, A8
TEST_F(ShardDoubt, BehindAnUnknownMessageTheKeyIsBlockedInItsFrame) {
  a.start();
  a.frame({{"m1"}, {"m2"}, {.id = "x", .key = "j"}});
  a.execute(a.next<load_fields>());
  auto commit = a.next<commit_fields>();
  b.start(2);
  a.execute(commit);
  a.settle();
  EXPECT_EQ(a.answers(), "unknown:moved blocked:earlier_unresolved unknown:moved");
}

// rule A5
TEST_F(ShardDoubt, AnswersOfAFormerConnectionAreNotListenedTo) {
  begin();
  auto commit = a.next<commit_fields>();
  a.disconnect();
  a.connect();
  a.answer(commit, store_outcome::done);
  EXPECT_EQ(a.answers(), "");
  a.settle();
  EXPECT_EQ(a.answers(), "applied");
  EXPECT_EQ(w.ids(), "m1 m2");
}

// rule A4: a nil under the former token would make the next commit wipe the state
TEST_F(ShardDoubt, ALoadUnderAFormerTokenIsNotBelieved) {
  a.start();
  a.tell({{"m1"}});
  b.start(2);
  b.frame({{"m2"}});
  auto load = b.next<load_fields>();
  b.disconnect();
  b.connect();
  shard_answer nil;
  nil.ticket = load.ticket;
  nil.outcome = store_outcome::done;
  nil.body = load_answer{{std::nullopt}};
  b.hear(nil);
  b.settle();
  EXPECT_EQ(b.answers(), "applied");
  EXPECT_EQ(w.ids(), "m1 m2");
}

// rule A4
TEST_F(ShardDoubt, ALoadThatFindsTheTokenDeadLeadsToALookAtTheRecord) {
  a.start();
  b.start(2);
  a.frame({{"m1"}});
  a.execute(a.next<load_fields>());
  EXPECT_TRUE(a.asks<read_record>());
  a.settle();
  EXPECT_EQ(a.decide.claim_state(), state::unclaimed);
  EXPECT_EQ(w.ids(), "");
}

// rule A4: also for the ids, without which everything would seem new
TEST_F(ShardDoubt, IdsThatCouldNotBeLoadedAreLoadedAgainBeforeAnythingIsApplied) {
  a.start();
  a.tell({{"m1"}});
  b.connect();
  b.place("b", 2);
  b.frame({{"m1"}});
  b.execute(b.next<read_record>());
  b.execute(b.next<claim_shard>());
  b.answer(b.next<load_fields>(), store_outcome::unknown);
  EXPECT_EQ(b.answers(), "");
  b.settle();
  EXPECT_EQ(b.answers(), "duplicate");
}

// rules A2, C21
TEST_F(ShardDoubt, StopsWhenAConfirmedCommitIsGoneUnderItsOwnToken) {
  a.start();
  a.tell({{"m1"}});
  auto before = w.store.data();
  a.tell({{"m2"}});
  w.store.data() = before;
  a.disconnect();
  a.connect();
  a.settle();
  EXPECT_TRUE(a.noted(event::lost));
  EXPECT_EQ(a.decide.claim_state(), state::lost);
}

// rule D31
TEST_F(ShardDoubt, SaysSoWhenTheStoreWasRolledBackUnderAnotherToken) {
  a.start();
  a.tell({{"m1"}});
  auto before = w.store;
  a.tell({{"m2"}});
  b.start(2);
  w.store = before;
  b.disconnect();
  owner c{"c", w.store, w.now};
  c.start(3);
  a.disconnect();
  a.connect();
  a.settle();
  a.place("a", 4);
  a.settle();
  EXPECT_TRUE(a.noted(event::rolled_back));
  EXPECT_EQ(a.tell({{"m1"}, {"m2"}}), "duplicate applied");
}

// rule A2: everything that waits is answered, and so is everything that comes
TEST_F(ShardDoubt, AShardWhoseDataIsLostStopsAndAnswersEveryone) {
  w.store.hashes.clear();
  a.connect();
  a.place("a", 1);
  a.frame({{"m1"}});
  a.read("k");
  a.settle();
  EXPECT_TRUE(a.noted(event::lost));
  EXPECT_EQ(a.answers(), "busy:no_owner");
  EXPECT_EQ(a.reads.size(), 1u);
  a.frame({{"m1"}});
  EXPECT_EQ(a.answers(), "busy:no_owner");
  a.read("k");
  ASSERT_EQ(a.reads.size(), 2u);
  EXPECT_EQ(a.reads[1].answer.answer.kind, entity_answer::status::unavailable);
  a.place("a", 2);
  a.disconnect();
  a.connect();
  EXPECT_TRUE(a.sent.empty());
}

TEST_F(ShardDoubt, StopsAtDataThatIsDamagedOrAnothers) {
  a.start();
  a.tell({{"m1"}});
  const auto good = w.store;
  frontier foreign = w.store.committed();
  foreign.dataset = {9};
  const std::pair<std::string, std::optional<std::string>> damages[] = {
      {std::string{frontier_field}, "?"},
      {std::string{frontier_field}, encode(foreign)},
      {id_group_field("diary", 0), "?"},
      {id_group_field("diary", 0), std::nullopt},
  };
  for (const auto& [field, value] : damages) {
    w.store = good;
    if (value) w.store.data()[field] = *value;
    else w.store.data().erase(field);
    owner c{"c", w.store, w.now};
    c.start(2);
    EXPECT_TRUE(c.noted(event::lost)) << value.value_or("missing");
    EXPECT_EQ(c.tell({{"m1"}}), "busy:no_owner");
  }
}

}  // namespace
}  // namespace pawl::test
