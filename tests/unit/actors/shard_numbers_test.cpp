// Goal: messages of a sequenced entity take effect in the order of their numbers, each once, and nothing that was
// acknowledged is lost: what is held is in memory only, and its sender knows that it is not resolved (rule B36).
#include "actors/http/json_object.hpp"
#include "tests/unit/actors/shard_world.hpp"

#include <gtest/gtest.h>

namespace pawl::test {
namespace {

using namespace std::chrono_literals;
using status = entity_answer::status;

/// Lets a timer come, and erases.
struct Wind {
  PAWL_MESSAGE(Wind)
};
struct Burn {
  PAWL_MESSAGE(Burn)
};
struct Quote {
  PAWL_MESSAGE(Quote)
};
struct Quoted {
  std::uint64_t ids = 0;
  PAWL_FIELDS(ids)
};

entity_catalog numbered_catalog(const sequencing& how, bool newer = false) {
  auto diary = diary_of("diary")
                   .sequenced(how)
                   .on([](Diary& d, const Wind&, context& ctx) {
                     d.ids.emplace_back(ctx.message_id());
                     ctx.schedule("later", 1s, Write{"timer"});
                   })
                   .on([](Diary&, const Burn&, context& ctx) { ctx.erase(); })
                   .on([](Diary& d, const Quote&, context& ctx) {
                     d.ids.emplace_back(ctx.message_id());
                     ctx.reply(Quoted{d.ids.size()});
                   });
  auto underline = [](Diary& d, const Underline&, context& ctx) { d.ids.emplace_back(ctx.message_id()); };
  entity_type type = newer ? entity_type{std::move(diary).on(underline)} : entity_type{std::move(diary)};
  return {{std::move(type)}, message_digester{{1, 2, 3}}, 1024 * 1024};
}

/// A message whose id is its number.
entry nr(std::uint64_t seq, const std::string& name = "Write") {
  entry e{std::to_string(seq)};
  e.name = name;
  e.seq = seq;
  return e;
}

struct ShardNumbers : testing::Test {
  world w;
  std::unique_ptr<owner> a = make("a", {});

  std::unique_ptr<owner> make(const std::string& name, const sequencing& how, bool newer = false,
                              shard_policy policy = {}) {
    return std::make_unique<owner>(name, w.store, w.now, numbered_catalog(how, newer), policy);
  }
  void begin(const sequencing& how = {}) {
    a = make("a", how);
    a->start();
  }
  std::size_t commits() { return w.store.committed().seq; }
  std::uint64_t last_seq() {
    std::string error;
    return decode_state_blob(*w.blob("k"), error)->last_seq;
  }
  entity_answer read() {
    a->read("k");
    a->settle();
    return a->reads.back().answer.answer;
  }
  std::vector<dead_letter> letters() {
    a->ask(letter_query{});
    a->settle();
    std::vector<dead_letter> out;
    for (auto& l : a->reads.back().answer.letters.letters) out.push_back(l.letter);
    return out;
  }
  entity_answer replay(std::uint32_t number) {
    const auto at = letters().at(number).at;
    a->ask(letter_action{number, at, letter_action::kind::replay});
    a->settle();
    return a->reads.back().answer.answer;
  }
  void pass(std::chrono::milliseconds t) {
    w.pass(t);
    a->tick();
    a->settle();
  }
  const message_metrics& counted() { return a->metrics.messages[0]; }
};

// The table -----------------------------------------------------------------------------------------------------------

TEST_F(ShardNumbers, TakeEffectInTheirOrderAndCopiesAreDuplicates) {
  begin();
  EXPECT_EQ(a->tell({nr(1), nr(2)}), "applied applied");
  EXPECT_EQ(a->tell({nr(2), nr(1), nr(3)}), "duplicate duplicate applied");
  EXPECT_EQ(w.ids(), "1 2 3");
  EXPECT_EQ(last_seq(), 3u);
}

TEST_F(ShardNumbers, AnEarlyMessageTakesEffectRightBehindTheMissingOneInTheSameCommit) {
  begin();
  a->tell({nr(1)});
  EXPECT_EQ(a->tell({nr(3)}), "busy:early");
  EXPECT_EQ(a->tell({nr(4)}), "busy:early");
  EXPECT_EQ(w.ids(), "1");
  const auto before = commits();
  EXPECT_EQ(a->tell({nr(2)}), "applied");
  EXPECT_EQ(w.ids(), "1 2 3 4");
  EXPECT_EQ(commits(), before + 1);
  EXPECT_EQ(a->tell({nr(3), nr(4)}), "duplicate duplicate");
  EXPECT_EQ(commits(), before + 1);
  EXPECT_EQ(counted().gaps_filled.value(), 1u);
  EXPECT_EQ(counted().held.value(), 0u);
}

TEST_F(ShardNumbers, AnEarlyMessageHoldsUpNoneOfItsFrame) {
  begin();
  EXPECT_EQ(a->tell({nr(3), nr(1), nr(2)}), "busy:early applied applied");
  EXPECT_EQ(w.ids(), "1 2 3");
}

TEST_F(ShardNumbers, AnEarlyMessageIsToldWhichNumberIsExpected) {
  begin();
  a->tell({nr(1)});
  a->frame({nr(5)});
  EXPECT_NE(a->answered.at(0).answer.results.at(0).reason.find("waits for number 2"), std::string::npos);
  EXPECT_NE(a->answered.at(0).answer.results.at(0).reason.find("send it again"), std::string::npos);
}

TEST_F(ShardNumbers, OneWithoutANumberIsRefusedAndHoldsUpNobody) {
  begin();
  EXPECT_EQ(a->tell({{"x"}, nr(1)}), "refused:seq_missing applied");
  EXPECT_EQ(w.ids(), "1");
}

TEST_F(ShardNumbers, AnotherMessageUnderAPassedNumberNeverTakesEffect) {
  begin();
  a->tell({nr(1), nr(2)});
  auto other = nr(2);
  other.id = "other";
  EXPECT_EQ(a->tell({other}), "refused:seq_passed");
  auto changed = nr(2);
  changed.payload = packed(Write{"changed"});
  EXPECT_EQ(a->tell({changed}), "refused:id_reused");
  EXPECT_EQ(w.ids(), "1 2");
}

TEST_F(ShardNumbers, AMessageSentUnderASecondNumberUsesThatUpWithoutEffect) {
  begin();
  a->tell({nr(1)});
  auto again = nr(1);
  again.seq = 2;
  EXPECT_EQ(a->tell({again}), "duplicate");
  EXPECT_EQ(a->tell({again, nr(3)}), "duplicate applied");
  EXPECT_EQ(w.ids(), "1 3");
}

// rule B14
TEST_F(ShardNumbers, OneRefusedForGoodUsesItsNumberUp) {
  begin();
  EXPECT_EQ(a->tell({nr(1, "Stumble")}), "refused:handler_error");
  EXPECT_EQ(last_seq(), 1u);
  EXPECT_EQ(a->tell({nr(2), nr(3, "Decline"), nr(4)}), "applied refused:handler_refused applied");
  EXPECT_EQ(a->tell({nr(1, "Stumble"), nr(3, "Decline")}), "refused:handler_refused refused:handler_refused");
  EXPECT_EQ(w.ids(), "2 4");
  EXPECT_EQ(last_seq(), 4u);
}

TEST_F(ShardNumbers, ARefusalAloneKeepsTheStateAsItIs) {
  begin();
  a->tell({nr(1)});
  EXPECT_EQ(a->tell({nr(2, "Stumble")}), "refused:handler_error");
  EXPECT_EQ(w.ids(), "1");
  EXPECT_EQ(last_seq(), 2u);
  EXPECT_EQ(a->tell({nr(3)}), "applied");
  EXPECT_EQ(w.ids(), "1 3");
}

TEST_F(ShardNumbers, OneHeldAndThenRefusedIsToldToItsSender) {
  begin();
  EXPECT_EQ(a->tell({nr(2, "Stumble")}), "busy:early");
  EXPECT_EQ(a->tell({nr(3)}), "busy:early");
  EXPECT_EQ(a->tell({nr(1)}), "applied");
  EXPECT_EQ(w.ids(), "1 3");
  EXPECT_EQ(a->tell({nr(2, "Stumble")}), "refused:handler_refused");
  ASSERT_EQ(letters().size(), 1u);  // an error of ours is for people, too
  EXPECT_EQ(letters()[0].source, "");
}

TEST_F(ShardNumbers, HaveNoLimitInTime) {
  begin();
  a->tell({nr(1)});
  w.pass(10 * diary_retention);
  auto now = nr(2);
  now.sent_at = w.now.wall;
  EXPECT_EQ(a->tell({now}), "applied");
  auto old = nr(3);
  old.sent_at = 1;  // below all that is remembered, but no message can have had this number
  EXPECT_EQ(a->tell({old}), "applied");
  for (std::uint64_t n = 4; n < 204; ++n) {
    auto e = nr(n);
    e.sent_at = w.now.wall;
    ASSERT_EQ(a->tell({e}), "applied");
  }
  w.pass(10 * diary_retention);
  auto newest = nr(204);
  newest.sent_at = w.now.wall;
  a->tell({newest});
  a->settle();
  // Its id is forgotten, its number is not: it never takes effect again.
  EXPECT_EQ(a->tell({nr(1)}), "refused:too_old");
  EXPECT_EQ(w.ids().find("1 2 3 4"), 0u);
  EXPECT_EQ(last_seq(), 204u);
}

TEST_F(ShardNumbers, ADuplicateGetsTheReplyOfItsMessageThoughItWasHeld) {
  begin();
  a->tell({nr(2, "Quote")});
  a->tell({nr(1)});
  a->frame({nr(2, "Quote")});
  a->settle();
  const auto& r = a->answered.back().answer.results.at(0);
  EXPECT_EQ(brief(r), "duplicate");
  Quoted q;
  std::string error;
  ASSERT_TRUE(r.reply && decode_msgpack(*r.reply, q, error)) << error;
  EXPECT_EQ(q.ids, 2u);
}

TEST_F(ShardNumbers, AnErasedEntityGoesOnBehindItsLastNumber) {
  begin();
  a->tell({nr(1), nr(2, "Burn")});
  EXPECT_EQ(a->tell({nr(1), nr(4)}), "duplicate busy:early");
  EXPECT_EQ(a->tell({nr(3)}), "applied");
  EXPECT_EQ(w.ids(), "3 4");
}

TEST_F(ShardNumbers, OneItsOwnerDoesNotKnowYetIsWaitedFor) {
  begin();
  EXPECT_EQ(a->tell({nr(2, "Underline"), nr(3)}), "busy:early busy:early");
  EXPECT_EQ(a->tell({nr(1)}), "applied");
  EXPECT_EQ(w.ids(), "1");
  EXPECT_EQ(a->tell({nr(2, "Underline"), nr(3)}), "busy:unknown_message_type blocked:earlier_unresolved");
  auto b = make("b", {}, true);
  b->start(2);
  EXPECT_EQ(b->tell({nr(2, "Underline"), nr(3)}), "applied applied");
  EXPECT_EQ(w.ids(), "1 2 3");
}

TEST_F(ShardNumbers, KeysHaveNumbersOfTheirOwn) {
  begin();
  auto other = nr(1);
  other.key = "other";
  EXPECT_EQ(a->tell({nr(2), other, nr(1)}), "busy:early applied applied");
  EXPECT_EQ(w.ids(), "1 2");
  EXPECT_EQ(w.ids("other"), "1");
}

TEST_F(ShardNumbers, TimersLeaveTheNumberAsItIs) {
  begin();
  a->tell({nr(1, "Wind")});
  a->tell({nr(3)});
  pass(2s);
  EXPECT_EQ(stored_diary(*w.blob("k")).text, "timer");
  EXPECT_EQ(last_seq(), 1u);
  EXPECT_EQ(a->tell({nr(2)}), "applied");
  EXPECT_EQ(last_seq(), 3u);
}

TEST_F(ShardNumbers, SourcesHaveAnOrderOfTheirOwn) {
  begin();
  a->tell({nr(1), nr(3)});
  auto f = whole_block(test_shard, 900, {}, block_of({nr(7)}));
  auto of = std::make_shared<sequence>();
  of->source = "source/shop/1";
  of->word = word_of(w.store.record.token);
  of->positions = {{5, 1}};
  f.of = std::move(of);
  a->answered.clear();
  a->receive(1, std::move(f));
  a->settle();
  EXPECT_EQ(a->answers(), "applied");
  EXPECT_EQ(w.ids(), "1 7");
  EXPECT_EQ(last_seq(), 1u);
  EXPECT_EQ(a->tell({nr(2)}), "applied");
  EXPECT_EQ(w.ids(), "1 7 2 3");
}

// rule A9: an early entry would hold up its stream, in which the missing one may lie behind it
TEST_F(ShardNumbers, TheInboxHasAnOrderOfItsOwn) {
  shard_policy policy;
  policy.inbox.enabled = true;
  policy.from_json = &msgpack_of_json;
  a = make("a", {}, false, policy);
  a->start();
  a->tell({nr(1), nr(3)});
  for (const auto* seq : {"9", "8"})
    w.store.inbox.add(w.now.wall, {{"type", "diary"},
                                   {"key", "k"},
                                   {"message", "Write"},
                                   {"id", std::string{"i"} + seq},
                                   {"seq", seq},
                                   {"payload", "\x80"}});
  a->hint();
  a->settle();
  EXPECT_EQ(w.ids(), "1 i9 i8");
  EXPECT_EQ(last_seq(), 1u);
  EXPECT_EQ(a->tell({nr(2)}), "applied");
  EXPECT_EQ(w.ids(), "1 i9 i8 2 3");
}

// What follows is stored before it is handled while the shard is careful, so it comes one commit later.
TEST_F(ShardNumbers, AfterATakeoverWhatIsHeldFollowsToo) {
  shard_policy policy;
  policy.suspicion.careful = 60s;
  begin();
  a->tell({nr(1)});
  auto b = make("b", {}, false, policy);
  b->start(2);
  EXPECT_EQ(b->tell({nr(3), nr(4)}), "busy:early busy:early");
  EXPECT_EQ(b->tell({nr(2)}), "applied");
  EXPECT_EQ(w.ids(), "1 2 3 4");
}

TEST_F(ShardNumbers, AReadShowsWhatIsExpectedAndHeld) {
  begin();
  a->tell({nr(4), nr(5)});
  EXPECT_EQ(read().kind, status::absent);
  EXPECT_EQ(read().expected, 1u);
  EXPECT_EQ(read().held, 2u);
  a->tell({nr(1)});
  EXPECT_EQ(read().last_seq, 1u);
  EXPECT_EQ(read().expected, 2u);
  EXPECT_EQ(read().held, 2u);
}

TEST_F(ShardNumbers, OtherTypesAreReadAsBefore) {
  owner plain{"plain", w.store, w.now};
  plain.start();
  plain.tell({nr(4)});
  plain.read("k");
  plain.settle();
  EXPECT_EQ(plain.reads.back().answer.answer.last_seq, 4u);
  EXPECT_EQ(plain.reads.back().answer.answer.expected, 0u);
}

// Bounds --------------------------------------------------------------------------------------------------------------

TEST_F(ShardNumbers, WhatDoesNotFitIsNotHeldAndTakesEffectWhenItIsSentAgain) {
  begin({.hold = 2});
  EXPECT_EQ(a->tell({nr(2), nr(3), nr(4)}), "busy:early busy:early busy:early");
  EXPECT_NE(a->tell({nr(4)}), "");
  EXPECT_EQ(counted().early_full.value(), 2u);
  EXPECT_EQ(a->tell({nr(1)}), "applied");
  EXPECT_EQ(w.ids(), "1 2 3");
  EXPECT_EQ(a->tell({nr(4)}), "applied");
}

TEST_F(ShardNumbers, ANumberFarAheadIsNotHeldSoThatNoGapIsPassedForIt) {
  begin({.on_gap = gap::skip, .gap_timeout = 10s});
  EXPECT_EQ(a->tell({nr(~std::uint64_t{0})}), "busy:early");
  pass(20s);
  EXPECT_EQ(a->tell({nr(1)}), "applied");
}

TEST_F(ShardNumbers, AnEntityThatLeftMemoryIsLoadedWhenItsGapIsFilled) {
  begin();
  a->tell({nr(1), nr(3)});
  pass(10min);
  EXPECT_EQ(a->metrics.entities.value(), 0u);
  a->tell({nr(3)});
  pass(1min);
  EXPECT_EQ(a->tell({nr(2)}), "applied");
  EXPECT_EQ(w.ids(), "1 2 3");
}

// Failures ------------------------------------------------------------------------------------------------------------

TEST_F(ShardNumbers, ACommitThatIsRefusedLeavesThemHeld) {
  begin();
  a->tell({nr(1), nr(3)});
  a->frame({nr(2)});
  a->answer(a->next<commit_fields>(), store_outcome::refused, store_error::oom);
  a->settle();
  EXPECT_EQ(a->answers(), "busy:store_full");
  EXPECT_EQ(w.ids(), "1");
  EXPECT_EQ(read().held, 1u);
  EXPECT_EQ(a->tell({nr(2)}), "applied");
  EXPECT_EQ(w.ids(), "1 2 3");
}

// rule B16: what is told of numbers that are not committed shares their fate
TEST_F(ShardNumbers, WhatWasEarlyForAMessageOfAFailedCommitFailsWithIt) {
  begin();
  a->tell({nr(1)});
  a->frame({nr(1)}, 3);
  a->frame({{"x"}}, 4);  // both answered at once
  a->answers();
  a->frame({nr(2), nr(4)}, 1);
  a->frame({nr(5)}, 2);  // of the next batch
  a->answer(a->next<commit_fields>(), store_outcome::refused, store_error::oom);
  EXPECT_EQ(a->answers(), "busy:store_full blocked:earlier_unresolved | busy:early");
  EXPECT_EQ(a->tell({nr(4)}), "busy:early");
  EXPECT_EQ(a->tell({nr(2), nr(3)}), "applied applied");
  EXPECT_EQ(w.ids(), "1 2 3 4 5");
}

TEST_F(ShardNumbers, WhatWasEarlyByANumberOfAnotherFramesFailedCommitFailsWithIt) {
  begin();
  a->tell({nr(1)});
  a->frame({nr(9)}, 3);
  a->answers();
  auto other = nr(1);
  other.key = "other";
  a->frame({other}, 4);  // a commit or load, behind which both wait
  a->frame({nr(2)}, 1);
  a->frame({nr(4)}, 2);
  a->execute(a->next<load_fields>());
  a->answers();
  a->answer(a->next<commit_fields>(), store_outcome::refused, store_error::oom);
  EXPECT_EQ(a->answers(), "busy:store_full | busy:store_full | busy:store_full");
  EXPECT_EQ(a->tell({nr(4)}), "busy:early");
}

TEST_F(ShardNumbers, ALostCommitIsSentAgainWithAllThatFollowed) {
  begin();
  a->tell({nr(1), nr(3)});
  a->frame({nr(2)});
  a->answer(a->next<commit_fields>(), store_outcome::unknown);
  a->settle();
  EXPECT_EQ(w.ids(), "1 2 3");
  EXPECT_EQ(a->tell({nr(3), nr(2)}), "duplicate duplicate");
}

TEST_F(ShardNumbers, ACommitWhoseAnswerIsLostHasTakenEffectOnce) {
  begin();
  a->tell({nr(1), nr(3)});
  a->frame({nr(2)});
  auto commit = a->next<commit_fields>();
  (void)w.store.execute(commit);
  a->answer(commit, store_outcome::unknown);
  a->settle();
  EXPECT_EQ(w.ids(), "1 2 3");
  EXPECT_EQ(read().held, 0u);
  EXPECT_EQ(a->tell({nr(3), nr(4)}), "duplicate applied");
}

TEST_F(ShardNumbers, ABatchCutInTwoKeepsWhatFollows) {
  begin();
  a->tell({nr(1), nr(4), nr(5), nr(6)});
  a->frame({nr(2), nr(3)});
  // As if more than three messages at once broke the connection.
  for (int i = 0; i < 200 && !a->sent.empty(); ++i) {
    auto c = std::move(a->sent.front());
    a->sent.pop_front();
    const auto* commit = std::get_if<commit_fields>(&c.operation);
    std::size_t ids = 0;
    if (commit != nullptr)
      for (const auto& [name, value] : *commit->fields)
        if (name == entity_field("diary", "k")) ids = stored_diary(value).ids.size();
    if (commit != nullptr && ids > stored_diary(*w.blob("k")).ids.size() + 2) a->answer(c, store_outcome::unknown);
    else a->execute(c);
    if (a->sent.empty()) {
      w.pass(1s);
      a->tick();
    }
  }
  EXPECT_EQ(a->answers(), "applied applied");
  EXPECT_EQ(w.ids(), "1 2 3 4 5 6");
}

TEST_F(ShardNumbers, TheNextOwnerKnowsTheNumberAndNotWhatWasHeld) {
  begin();
  a->tell({nr(1), nr(3)});
  auto b = make("b", {});
  b->start(2);
  EXPECT_EQ(b->tell({nr(1), nr(2)}), "duplicate applied");
  EXPECT_EQ(w.ids(), "1 2");
  EXPECT_EQ(b->tell({nr(3)}), "applied");
  EXPECT_EQ(w.ids(), "1 2 3");
}

TEST_F(ShardNumbers, ADeposedOwnerForgetsWhatItHeld) {
  begin();
  a->tell({nr(1), nr(3)});
  auto b = make("b", {});
  b->start(2);
  a->frame({nr(2)});
  a->place("b", 2, {"a"});
  a->settle();
  EXPECT_EQ(counted().held.value(), 0u);
  EXPECT_EQ(w.ids(), "1");
  b->tell({nr(2)});
  a->place("a", 3, {"b"});
  pass(10s);  // claimed over
  EXPECT_EQ(a->tell({nr(4)}), "busy:early");
  EXPECT_EQ(a->tell({nr(3)}), "applied");
  EXPECT_EQ(w.ids(), "1 2 3 4");
}

TEST_F(ShardNumbers, AForeignTokenLeavesTheOutcomeUnknownAlsoForTheEarly) {
  begin();
  a->tell({nr(1), nr(3)});
  a->frame({nr(2)});
  a->frame({nr(4)}, 2);
  auto commit = a->next<commit_fields>();
  auto b = make("b", {});
  b->start(2);
  a->answers();
  a->execute(commit);  // into a dead name
  a->settle();
  EXPECT_EQ(a->answers(), "unknown:moved");
  EXPECT_EQ(w.ids(), "1");
  EXPECT_EQ(b->tell({nr(2), nr(3)}), "applied applied");
}

// Gaps that last ------------------------------------------------------------------------------------------------------

TEST_F(ShardNumbers, WaitedForAGapIsReportedAndStays) {
  begin({.on_gap = gap::wait, .gap_timeout = 10s});
  a->tell({nr(1), nr(4), nr(5)});
  pass(9s);
  EXPECT_FALSE(a->noted(shard_effects::event::gap));
  EXPECT_EQ(a->decide.wake() <= w.now.steady + 1s, true);
  pass(1s);
  ASSERT_TRUE(a->noted(shard_effects::event::gap));
  EXPECT_EQ(a->notes.back().text, "1 of 'diary', among them 'k': number 2 has not come, 2 from 4 on are held");
  pass(1min);
  EXPECT_EQ(w.ids(), "1");
  EXPECT_EQ(counted().gaps_timed_out.value(), 1u);
  EXPECT_EQ(a->tell({nr(2), nr(3)}), "applied applied");
  EXPECT_EQ(w.ids(), "1 2 3 4 5");
}

TEST_F(ShardNumbers, SkippedAGapLeavesALetterInTheCommitThatPassesIt) {
  begin({.on_gap = gap::skip, .gap_timeout = 10s});
  a->tell({nr(1), nr(4), nr(5), nr(7)});
  const auto before = commits();
  pass(10s);
  EXPECT_EQ(w.ids(), "1 4 5 7");  // the second gap was as old
  EXPECT_EQ(commits(), before + 2);
  const auto found = letters();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].entity, (entity_id{"diary", "k"}));
  EXPECT_EQ(found[0].code, reason_code::seq_gap);
  EXPECT_EQ(found[0].id, "gap/2-3");
  EXPECT_EQ(found[0].seq, 2u);
  EXPECT_EQ(found[0].reason, "numbers 2 to 3 did not come in time and was passed");
  EXPECT_EQ(found[1].id, "gap/6-6");
  EXPECT_EQ(a->tell({nr(4), nr(2), nr(8)}), "duplicate refused:seq_passed applied");
  EXPECT_EQ(counted().gaps_timed_out.value(), 2u);
  EXPECT_EQ(counted().gaps_filled.value(), 0u);
}

TEST_F(ShardNumbers, ALetterAboutAGapCannotBeReplayedButDiscarded) {
  begin({.on_gap = gap::skip, .gap_timeout = 10s});
  a->tell({nr(2)});
  pass(10s);
  const auto no = replay(0);
  EXPECT_EQ(no.kind, status::unavailable);
  EXPECT_NE(no.reason.find("discard it"), std::string::npos);
  a->ask(letter_action{0, letters().at(0).at, letter_action::kind::discard});
  a->settle();
  EXPECT_EQ(letters().size(), 0u);
}

TEST_F(ShardNumbers, AGapThatIsFilledAtTheLastMomentIsNotSkipped) {
  begin({.on_gap = gap::skip, .gap_timeout = 10s});
  a->tell({nr(1), nr(3)});
  w.pass(10s);
  a->frame({nr(2)});  // the gap is late by now, and so is its number: but it is here
  a->settle();
  a->tick();
  a->settle();
  EXPECT_EQ(w.ids(), "1 2 3");
  EXPECT_EQ(letters().size(), 0u);
}

TEST_F(ShardNumbers, BehindAGapTheyBecomeDeadLettersAndTheEntityGoesOn) {
  begin({.on_gap = gap::dead_letter, .gap_timeout = 10s});
  a->tell({nr(1), nr(3), nr(4), nr(6)});
  pass(10s);
  EXPECT_EQ(w.ids(), "1");
  EXPECT_EQ(last_seq(), 6u);
  const auto found = letters();
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].id, "3");
  EXPECT_EQ(found[0].seq, 3u);
  EXPECT_EQ(found[0].code, reason_code::seq_gap);
  EXPECT_EQ(found[0].reason, "number 2 did not come in time");
  EXPECT_EQ(found[2].id, "6");
  // Their senders are told, and so is that of the missing one; the entity takes the next.
  EXPECT_EQ(a->tell({nr(3), nr(6), nr(2), nr(5), nr(7)}),
            "refused:handler_refused refused:handler_refused refused:seq_passed refused:seq_passed applied");
  EXPECT_EQ(w.ids(), "1 7");
}

TEST_F(ShardNumbers, AReplayedLetterLeavesTheNumberAsItIs) {
  begin({.on_gap = gap::dead_letter, .gap_timeout = 10s});
  a->tell({nr(1), nr(3)});
  pass(10s);
  EXPECT_EQ(replay(0).kind, status::found);
  EXPECT_EQ(w.ids(), "1 3");
  EXPECT_EQ(last_seq(), 3u);
  EXPECT_EQ(a->tell({nr(4)}), "applied");
}

TEST_F(ShardNumbers, AGapIsPassedWithItsEntityNotInMemory) {
  begin({.on_gap = gap::skip, .gap_timeout = 20min});
  a->tell({nr(1), nr(3)});
  pass(10min);
  EXPECT_EQ(a->metrics.entities.value(), 0u);
  pass(10min);
  EXPECT_EQ(w.ids(), "1 3");
  EXPECT_EQ(letters().size(), 1u);
}

TEST_F(ShardNumbers, ASkipThatIsNotCommittedHasNotHappened) {
  begin({.on_gap = gap::skip, .gap_timeout = 10s});
  a->tell({nr(1), nr(3)});
  w.pass(10s);
  a->tick();
  while (a->asks<sweep_token>()) a->execute(a->next<sweep_token>());
  a->answer(a->next<commit_fields>(), store_outcome::refused, store_error::oom);
  a->settle();
  EXPECT_EQ(letters().size(), 0u);
  EXPECT_EQ(read().expected, 2u);
  EXPECT_EQ(a->tell({nr(2)}), "applied");
  EXPECT_EQ(w.ids(), "1 2 3");
}

// rule C: what is for people has a bound, and then nothing is passed
TEST_F(ShardNumbers, WithNoRoomForItsLetterAGapIsNotPassed) {
  begin({.on_gap = gap::skip, .gap_timeout = 10s});
  std::vector<entry> stumbles;
  for (std::size_t i = 0; i < limits::dead_letters_per_shard; ++i) {
    auto e = nr(i + 1, "Stumble");
    e.key = "clumsy";
    stumbles.push_back(e);
  }
  a->tell(stumbles);
  a->tell({nr(1), nr(3)});
  pass(10s);
  EXPECT_EQ(w.ids(), "1");
  EXPECT_EQ(read().held, 1u);
  a->ask(letter_action{0, letters().at(0).at, letter_action::kind::discard});
  a->settle();
  pass(10s);
  EXPECT_EQ(w.ids(), "1 3");
}

TEST_F(ShardNumbers, AnIdempotentTypeCannotBeSequenced) {
  EXPECT_THROW(diary_of("d").idempotent().sequenced(), std::invalid_argument);
  EXPECT_THROW(diary_of("d").sequenced().idempotent(), std::invalid_argument);
  EXPECT_THROW(diary_of("d").sequenced({.gap_timeout = 0ms}), std::invalid_argument);
  EXPECT_THROW(diary_of("d").sequenced({.hold = 0}), std::invalid_argument);
  EXPECT_THROW(diary_of("d").sequenced({.hold = limits::held_per_shard + 1}), std::invalid_argument);
}

}  // namespace
}  // namespace pawl::test
