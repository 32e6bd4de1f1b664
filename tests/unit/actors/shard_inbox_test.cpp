// Goal: what lies in the inbox of a shard takes effect once and in its order, and how far it was taken is part of the
// very commit that holds the effects (rule A9).
#include "actors/http/json_object.hpp"
#include "tests/unit/actors/shard_world.hpp"

#include <algorithm>

namespace pawl::test {
namespace {

using namespace std::chrono_literals;

shard_policy reading() {
  shard_policy p;
  p.inbox.enabled = true;
  p.from_json = &msgpack_of_json;
  return p;
}

struct ShardInbox : testing::Test {
  world w;
  owner a{"a", w.store, w.now, diary_catalog(), reading()};
  owner b{"b", w.store, w.now, diary_catalog(), reading()};

  entry_id put(const std::string& id, const std::string& key = "k", const std::string& name = "Write",
               const std::string& type = "diary", const std::string& payload = "\x80") {
    return w.store.inbox.add(w.now.wall,
                             {{"type", type}, {"key", key}, {"message", name}, {"id", id}, {"payload", payload}});
  }
  /// Until everything there is has been taken, or waits to be tried again.
  static void read(owner& o) {
    o.hint();
    o.settle();
  }
  inbox_position taken() { return w.store.committed().inbox; }
  std::vector<dead_letter> letters() {
    std::vector<dead_letter> out;
    for (const auto& [field, value] : w.store.data())
      if (field.starts_with(std::string{'\0', letter_book::kind}))
        if (auto l = decode_dead_letter(value)) out.push_back(std::move(*l));
    return out;
  }
};

TEST_F(ShardInbox, EntriesTakeEffectInTheirOrderWithTheirPositionInTheCommit) {
  put("m1");
  put("m2");
  const auto last = put("m3");
  a.start();
  EXPECT_EQ(w.ids(), "m1 m2 m3");
  EXPECT_EQ(taken(), (inbox_position{last, 3}));
  EXPECT_EQ(a.metrics.inbox_entries.value(), 3U);
  EXPECT_FALSE(w.store.inbox.entries().empty());
  w.pass(500ms);
  a.tick();
  a.settle();
  EXPECT_TRUE(w.store.inbox.entries().empty()) << "trimmed with the next read";
}

TEST_F(ShardInbox, WhatComesLaterIsReadWhenSomebodyTells) {
  a.start();
  ASSERT_TRUE(a.watched);
  EXPECT_EQ(*a.watched, entry_id{});
  put("m1");
  read(a);
  EXPECT_EQ(w.ids(), "m1");
  ASSERT_TRUE(a.watched);
  EXPECT_EQ(*a.watched, taken().last);
}

TEST_F(ShardInbox, TheEntryIsInTheSameCommitAsItsEffect) {
  put("m1");
  a.connect();
  a.place("a", 1);
  while (!a.asks<commit_fields>()) a.execute(std::exchange(a.sent, {}).front());
  const auto commit = a.next<commit_fields>();
  const auto& fields = *std::get<commit_fields>(commit.operation).fields;
  const auto frontier = decode_frontier(fields[0].second);
  ASSERT_TRUE(frontier);
  EXPECT_EQ(frontier->inbox.taken, 1U);
  EXPECT_TRUE(std::any_of(fields.begin(), fields.end(), [](const auto& f) { return f.first == "ediary/k"; }));
}

// A producer that did not hear the answer to its XADD adds the same message again.
TEST_F(ShardInbox, ACopyOfAMessageIsADuplicateByItsIdAndTaken) {
  put("m1");
  put("m1");
  put("m2");
  a.start();
  EXPECT_EQ(w.ids(), "m1 m2");
  EXPECT_EQ(taken().taken, 3U);
  EXPECT_EQ(a.tell({{"m2"}}), "duplicate") << "by another door as well";
  put("m1");
  read(a);
  EXPECT_EQ(taken().taken, 4U) << "a commit that says only that";
  EXPECT_TRUE(letters().empty());
}

TEST_F(ShardInbox, AnEntryThatIsNoMessageBecomesADeadLetterAndTheNextOnesGoOn) {
  put("m1");
  w.store.inbox.add(w.now.wall, {{"type", "diary"}, {"hello", "world"}});
  put("m2");
  a.start();
  EXPECT_EQ(w.ids(), "m1 m2");
  ASSERT_EQ(letters().size(), 1U);
  const auto l = letters().front();
  EXPECT_EQ(l.source, "inbox");
  EXPECT_EQ(l.code, reason_code::invalid);
  EXPECT_NE(l.reason.find("unknown field \"hello\""), std::string::npos);
  EXPECT_NE(l.payload.find("world"), std::string::npos);
  EXPECT_EQ(taken().taken, 3U);
}

TEST_F(ShardInbox, WhatTheHandlerRefusesOrCannotHandleBecomesADeadLetter) {
  put("m1", "k", "Decline", "diary", R"({"why": "no"})");
  put("m2", "k", "Stumble");
  put("m3", "k", "Write", "diary", R"({"text": 5})");
  put("m4");
  a.start();
  EXPECT_EQ(w.ids(), "m4");
  ASSERT_EQ(letters().size(), 3U);
  put("m2", "k", "Stumble");
  read(a);
  EXPECT_EQ(letters().size(), 3U) << "a copy of what was refused is not buried again";
  EXPECT_EQ(taken().taken, 5U);
}

TEST_F(ShardInbox, TheSameIdWithOtherContentBecomesADeadLetter) {
  put("m1");
  put("m1", "k", "Write", "diary", R"({"text": "other"})");
  a.start();
  EXPECT_EQ(w.ids(), "m1");
  ASSERT_EQ(letters().size(), 1U);
  EXPECT_EQ(letters().front().code, reason_code::id_reused);
}

// rule A7
TEST_F(ShardInbox, AMessageFromTheFutureBecomesADeadLetter) {
  w.store.inbox.add(w.now.wall, {{"type", "diary"},
                                 {"key", "k"},
                                 {"message", "Write"},
                                 {"id", "m1"},
                                 {"sent_at", std::to_string(w.now.wall + limits::future_ms + 1)}});
  a.start();
  EXPECT_EQ(w.ids(), "");
  ASSERT_EQ(letters().size(), 1U);
  EXPECT_EQ(letters().front().code, reason_code::from_the_future);
}

// rule B14: during a rolling upgrade somebody else may know it.
TEST_F(ShardInbox, AnUnknownTypeHoldsTheInboxUpUntilPatienceEnds) {
  put("m1");
  put("x1", "k", "Underline");
  put("m2");
  a.start();
  EXPECT_EQ(w.ids(), "m1");
  EXPECT_EQ(taken().taken, 1U);
  for (int i = 0; i < 59; ++i) {
    w.pass(1s);
    a.tick();
    a.settle();
  }
  EXPECT_EQ(w.ids(), "m1");
  for (int i = 0; i < 3; ++i) {
    w.pass(1s);
    a.tick();
    a.settle();
  }
  EXPECT_EQ(w.ids(), "m1 m2");
  ASSERT_EQ(letters().size(), 1U);
  EXPECT_EQ(letters().front().code, reason_code::unknown_message_type);
  put("x1", "k", "Underline");
  read(a);
  EXPECT_EQ(taken().taken, 4U) << "its id is known: refused for good";
  EXPECT_EQ(letters().size(), 1U);
}

TEST_F(ShardInbox, AnUnknownEntityTypeIsGivenUpToo) {
  put("x1", "k", "Write", "scrapbook");
  put("m1");
  a.start();
  for (int i = 0; i < 62; ++i) {
    w.pass(1s);
    a.tick();
    a.settle();
  }
  EXPECT_EQ(w.ids(), "m1");
  ASSERT_EQ(letters().size(), 1U);
  EXPECT_EQ(letters().front().code, reason_code::unknown_entity_type);
  EXPECT_EQ(letters().front().entity.type, "scrapbook");
}

TEST_F(ShardInbox, AnUpgradedOwnerTakesWhatTheOldOneCouldNot) {
  put("x1", "k", "Underline");
  put("m1");
  a.start();
  EXPECT_EQ(taken().taken, 0U);
  owner newer{"n", w.store, w.now, newer_catalog(), reading()};
  newer.start(2);
  EXPECT_EQ(w.ids(), "x1 m1");
}

// What is behind an entry that was not taken must not get ahead of it, whatever its key.
TEST_F(ShardInbox, ARefusedCommitLeavesTheInboxWhereItWas) {
  a.start();
  put("m1");
  put("m2", "other");
  w.store.memory_full = true;
  read(a);
  EXPECT_EQ(taken().taken, 0U);
  EXPECT_EQ(w.store.inbox.entries().size(), 2U);
  w.store.memory_full = false;
  w.pass(1s);
  a.tick();
  a.settle();
  EXPECT_EQ(w.ids(), "m1");
  EXPECT_EQ(w.ids("other"), "m2");
  EXPECT_EQ(taken().taken, 2U);
}

TEST_F(ShardInbox, ACommitThatWasAppliedUnheardIsNotAppliedTwice) {
  a.start();
  put("m1");
  a.hint();
  while (!a.asks<commit_fields>()) a.execute(std::exchange(a.sent, {}).front());
  auto commit = a.next<commit_fields>();
  (void)w.store.execute(commit);
  a.disconnect();
  a.start();
  EXPECT_EQ(w.ids(), "m1");
  EXPECT_EQ(taken().taken, 1U);
  put("m2");
  read(a);
  EXPECT_EQ(w.ids(), "m1 m2");
}

// After a lost connection the stream may be that of another server: what was read of it before is forgotten.
TEST_F(ShardInbox, ACommitThatWasLostIsBuiltAnewFromTheStreamAsItIsThen) {
  a.start();
  put("m1");
  a.hint();
  while (!a.asks<commit_fields>()) a.execute(std::exchange(a.sent, {}).front());
  a.disconnect();
  w.store.inbox = {};
  put("m2");
  a.start();
  EXPECT_EQ(w.ids(), "m2");
  EXPECT_EQ(taken().taken, 1U);
}

TEST_F(ShardInbox, WhatWasReadAndNotBegunIsReadAgainAfterAReconnect) {
  a.start();
  a.tell({{"f0"}});
  a.frame({{"f1"}});
  const auto commit = a.next<commit_fields>();
  put("m1");
  a.hint();
  a.execute(a.next<read_inbox>());  // waits behind the commit
  a.disconnect();
  w.store.inbox = {};
  put("m2");
  a.start();
  EXPECT_EQ(w.ids(), "f0 f1 m2");
}

TEST_F(ShardInbox, TheNextOwnerGoesOnFromThePosition) {
  put("m1");
  put("m2");
  a.start();
  put("m3");
  b.start(2);
  EXPECT_EQ(w.ids(), "m1 m2 m3");
  EXPECT_EQ(taken().taken, 3U);
}

TEST_F(ShardInbox, ADeposedOwnersCommitMovesNeitherStateNorPosition) {
  a.start();
  put("m1");
  a.hint();
  while (!a.asks<commit_fields>()) a.execute(std::exchange(a.sent, {}).front());
  b.start(2);
  EXPECT_EQ(w.ids(), "m1");
  a.settle();
  EXPECT_EQ(w.ids(), "m1");
  EXPECT_EQ(taken().taken, 1U);
}

TEST_F(ShardInbox, WhoLosesTheShardIsNotToldOfItsInboxAnyMore) {
  a.start();
  ASSERT_TRUE(a.watched);
  a.evict();
  a.settle();
  EXPECT_FALSE(a.watched);
}

TEST_F(ShardInbox, AStreamThatIsBehindIsSaidAndNotRead) {
  put("m1");
  a.start();
  w.store.inbox = {};
  w.now.wall -= 5'000;
  put("m2");
  w.now.wall += 5'000;
  b.start(2);
  EXPECT_TRUE(b.noted(shard_effects::event::inbox_stopped));
  EXPECT_EQ(b.metrics.inbox_stopped.value(), 1U);
  EXPECT_EQ(w.ids(), "m1");
  EXPECT_EQ(b.tell({{"f1"}}), "applied") << "everything else goes on";
  // What the runbook says.
  w.store.inbox.set_last(taken().last);
  put("m3");
  w.pass(5s);
  b.tick();
  b.settle();
  EXPECT_TRUE(b.noted(shard_effects::event::inbox_resumed));
  EXPECT_EQ(w.ids(), "m1 f1 m3");
}

TEST_F(ShardInbox, AsManyLettersAsThereMayBeHoldItUpAndNothingIsLost) {
  for (std::size_t i = 0; i < limits::dead_letters_per_shard; ++i) put("x" + std::to_string(i), "k", "Stumble");
  put("y", "k", "Stumble");
  put("m1");
  a.start();
  EXPECT_EQ(letters().size(), limits::dead_letters_per_shard);
  EXPECT_EQ(taken().taken, limits::dead_letters_per_shard);
  EXPECT_EQ(w.ids(), "");
  EXPECT_EQ(w.store.inbox.read(taken().last, 10).size(), 2U);
}

}  // namespace
}  // namespace pawl::test
