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
  EXPECT_EQ(*std::get<commit_fields>(again.operation).fields, *std::get<commit_fields>(lost.operation).fields);
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

// rule C22: what is never confirmed as a whole passes in parts
struct ShardOversize : ShardDoubt {
  [[nodiscard]] std::size_t stored() {
    auto blob = w.blob("k");
    return blob ? stored_diary(*blob).ids.size() : 0;
  }
  [[nodiscard]] std::size_t messages_of(const shard_command& commit) {
    for (const auto& [field, value] : *std::get<commit_fields>(commit.operation).fields)
      if (field == entity_field("diary", "k")) return stored_diary(value).ids.size() - stored();
    return 0;
  }
  /// Has everything done, but every commit of more than `most` messages breaks off unconfirmed. Returns how many did.
  std::size_t settle_with(std::size_t most) {
    std::size_t lost = 0;
    while (a.answered.empty() && lost < 100) {
      if (a.sent.empty()) {
        w.pass(1s);
        a.tick();
        continue;
      }
      auto c = std::move(a.sent.front());
      a.sent.pop_front();
      bool breaks = std::holds_alternative<commit_fields>(c.operation) && messages_of(c) > most;
      if (breaks) ++lost;
      breaks ? a.answer(c, store_outcome::unknown) : a.execute(c);
    }
    return lost;
  }
};

TEST_F(ShardOversize, ABatchThatIsNeverConfirmedIsCutInTwoUntilItPasses) {
  a.start();
  a.frame({{"m0"}, {"m1"}, {"m2"}, {"m3"}, {"m4"}, {"m5"}, {"m6"}, {"m7"}});
  EXPECT_EQ(settle_with(4), 3U);
  EXPECT_EQ(a.answers(), "applied applied applied applied applied applied applied applied");
  EXPECT_EQ(w.ids(), "m0 m1 m2 m3 m4 m5 m6 m7");
}

TEST_F(ShardOversize, OneMessageThatIsNeverConfirmedGoesBackToItsSenderUnapplied) {
  a.start();
  a.frame({{"m0"}, {"m1"}});
  EXPECT_EQ(settle_with(0), 6U);
  EXPECT_EQ(a.answers(), "busy:store_down blocked:earlier_unresolved");
  EXPECT_EQ(w.ids(), "");
  // What was sent in vain meets a dead name; the retry is applied once.
  EXPECT_EQ(a.tell({{"m0"}, {"m1"}}), "applied applied");
  EXPECT_EQ(w.ids(), "m0 m1");
}

TEST_F(ShardOversize, AfterALoadThatIsNotAnsweredLessIsAskedForAtOnce) {
  a.start();
  std::vector<entry> entries;
  for (int i = 0; i < 8; ++i) entries.push_back({"m" + std::to_string(i), "k" + std::to_string(i)});
  a.frame(entries);
  std::vector<std::size_t> asked;
  while (a.answered.empty()) {
    if (a.sent.empty()) {
      w.pass(1s);
      a.tick();
      continue;
    }
    auto c = std::move(a.sent.front());
    a.sent.pop_front();
    const auto* load = std::get_if<load_fields>(&c.operation);
    if (load != nullptr) asked.push_back(load->fields.size());
    if (load != nullptr && load->fields.size() > 2) a.answer(c, store_outcome::unknown);
    else a.execute(c);
  }
  EXPECT_EQ(brief(a.answered.front().answer.results),
            "applied applied applied applied applied applied applied applied");
  EXPECT_EQ(asked, (std::vector<std::size_t>{8, 4, 2, 4, 2, 4, 2, 2}));
}

}  // namespace
}  // namespace pawl::test
