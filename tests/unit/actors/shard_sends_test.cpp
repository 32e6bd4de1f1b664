// What entities send each other takes effect once and in order, whoever dies when, and whatever the stores forget.
#include "tests/unit/actors/mail.hpp"

namespace pawl::test {
namespace {

using namespace std::chrono_literals;

using ShardSends = mail;

TEST_F(ShardSends, AMessageOfAnEntityTakesEffectAtItsReceiver) {
  EXPECT_EQ(source->tell(from, Note{"1", to}, "m1"), "applied");
  EXPECT_EQ(source->tell(from, Note{"2", to}, "m2"), "applied");
  exchange();
  EXPECT_EQ(right.notes(to), (notes{"1", "2"}));
}

TEST_F(ShardSends, NothingIsSentBeforeItsCommitIsConfirmed) {
  source->submit(from, Note{"1", to}, "m1");
  source->step();  // the entity is loaded
  ASSERT_TRUE(std::holds_alternative<commit_fields>(source->sent.front().operation));
  EXPECT_TRUE(source->relayed.empty());
  source->settle();
  EXPECT_EQ(source->relayed.size(), 1u);
}

TEST_F(ShardSends, AHandlerThatThrowsSendsNothing) {
  source->tell(from, Note{"throw", to}, "m1");
  EXPECT_TRUE(source->relayed.empty());
  EXPECT_EQ(left.fields('o'), 0u);
}

// rule A3: the frame may arrive twice, late, and its answer never
TEST_F(ShardSends, AFrameThatCameBeforeIsNotTakenAgain) {
  source->tell(from, Note{"1", to}, "m1");
  exchange();
  source->tell(from, Note{"2", to}, "m2");
  auto f = source->relayed.front();
  const auto number = f.number;
  source->relayed.clear();
  ASSERT_TRUE(deliver(f));
  auto again = deliver(f);
  ASSERT_TRUE(again && again->mark);
  EXPECT_EQ(again->results.at(0).code, reason_code::out_of_sequence);
  answer(number, std::nullopt);
  pass(1s);
  source->tick();
  exchange();
  EXPECT_EQ(right.notes(to), (notes{"1", "2"}));
}

TEST_F(ShardSends, WhatASourceHadStoredWhenItDiedIsSentByItsSuccessor) {
  source->tell(from, Note{"1", to}, "m1");
  source->tell(from, Note{"2", to}, "m2");
  replace_source();
  exchange();
  EXPECT_EQ(right.notes(to), (notes{"1", "2"}));
}

TEST_F(ShardSends, WhatWasTakenBeforeTheSourceDiedIsNotTakenAgain) {
  source->tell(from, Note{"1", to}, "m1");
  exchange();
  source->tell(from, Note{"2", to}, "m2");
  ASSERT_TRUE(deliver(source->relayed.front()));  // its answer is never heard
  replace_source();
  source->tell(from, Note{"3", to}, "m3");
  exchange();
  EXPECT_EQ(right.notes(to), (notes{"1", "2", "3"}));
}

// the mark is loaded with the claim
TEST_F(ShardSends, ANewReceiverKnowsWhatItsPredecessorTook) {
  source->tell(from, Note{"1", to}, "m1");
  exchange();
  source->tell(from, Note{"2", to}, "m2");
  auto f = source->relayed.front();
  ASSERT_TRUE(deliver(f));
  replace_receiver();
  auto again = deliver(f);
  ASSERT_TRUE(again && again->mark);
  EXPECT_EQ(again->mark->taken.mark().number, 2u);
  EXPECT_EQ(right.notes(to), (notes{"1", "2"}));
}

// rule A3: the mark of a receiver that fell back can be the same again after other messages
TEST_F(ShardSends, AFrameForAFormerClaimOfTheReceiverIsNotTakenThoughItsMarkFits) {
  source->tell(from, Note{"1", to}, "m1");
  exchange();
  source->tell(from, Note{"2", to}, "m2");
  const auto f = source->relayed.front();
  replace_receiver();
  const auto a = deliver(f);
  ASSERT_TRUE(a && a->mark);
  EXPECT_EQ(brief(a->results), "busy:out_of_sequence");
  EXPECT_EQ(a->mark->taken.mark(), f.of->follows);
  EXPECT_NE(a->mark->word, f.of->word);
  exchange_for(1s);
  EXPECT_EQ(right.notes(to), (notes{"1", "2"}));
}

// Fields are removed 256 at a time, and no commit comes after the one that trims.
TEST_F(ShardSends, HoweverManyAreTrimmedAtOnceAllAreRemoved) {
  for (int i = 0; i < 600; ++i) source->tell(from, Note{std::to_string(i), to}, "m" + std::to_string(i));
  EXPECT_EQ(left.fields('o'), 600u);
  exchange();
  pass(200ms);
  source->tick();
  EXPECT_EQ(left.fields('o'), 0u);
}

TEST_F(ShardSends, WhatIsDeliveredIsTrimmedByACommitAndThenRemoved) {
  source->tell(from, Note{"1", to}, "m1");
  exchange();
  EXPECT_EQ(left.fields('o'), 1u);
  pass(200ms);
  source->tick();  // nothing else happens, so it makes a commit of its own
  EXPECT_EQ(left.fields('o'), 0u);
  EXPECT_EQ(left.fields('p'), 1u);
  EXPECT_EQ(source->decide.books().sends.waiting(), 0u);
  EXPECT_EQ(source->decide.wake().has_value() && *source->decide.wake() <= now.steady, false);
}

TEST_F(ShardSends, AfterATrimASuccessorGoesOnWithTheNextNumber) {
  source->tell(from, Note{"1", to}, "m1");
  exchange();
  pass(200ms);
  source->tick();
  replace_source();
  source->tell(from, Note{"2", to}, "m2");
  exchange();
  EXPECT_EQ(right.notes(to), (notes{"1", "2"}));
}

// a refused message is taken: else it would block all behind it (rule B14)
TEST_F(ShardSends, ARefusedMessageBecomesADeadLetterAndThoseBehindItGoOn) {
  source->tell(from, Annoy{to}, "m1");
  exchange();
  EXPECT_EQ(right.notes(to), (notes{"after"}));
  ASSERT_EQ(right.fields('d'), 1u);
  const auto letter = decode_dead_letter(right.store.data().at(slot_field('d', 0)));
  ASSERT_TRUE(letter);
  EXPECT_EQ(letter->source, "shard/0");
  EXPECT_EQ(letter->name, "Nuisance");
  EXPECT_EQ(letter->reason, "not that");
}

// an unknown type is not refused for good (rule B14)
TEST_F(ShardSends, AMessageTheReceiverDoesNotKnowWaitsUntilItDoes) {
  replace_receiver(false);
  source->tell(from, Note{"1", to}, "m1");
  for (int i = 0; i < 20; ++i) {
    if (source->relayed.empty()) {
      pass(1s);
      source->tick();
    }
    auto f = std::move(source->relayed.front());
    source->relayed.pop_front();
    const auto number = f.number;
    answer(number, deliver(std::move(f)));
  }
  EXPECT_EQ(right.fields('d'), 0u);
  EXPECT_EQ(source->decide.books().sends.waiting(), 1u);
  replace_receiver(true);
  exchange_for(1s);
  EXPECT_EQ(right.notes(to), (notes{"1"}));
}

// a receiver tells its mark only when it has proven that it owns the shard
TEST_F(ShardSends, ADeposedReceiverTellsNothing) {
  source->tell(from, Note{"1", to}, "m1");
  exchange();
  auto former = std::move(receiver);
  replace_receiver();
  source->tell(from, Note{"2", to}, "m2");
  auto f = source->relayed.front();
  auto strange = std::make_shared<sequence>(*f.of);
  strange->follows = {9, 9};
  f.of = strange;
  constexpr link_number link = 40;
  former->take(former->decide.on_frame(link, f, now));
  former->settle();
  for (const auto& a : former->answered) {
    if (a.to == link && a.answer.number == f.number) {
      EXPECT_EQ(a.answer.mark, nullptr);
    }
  }
}

// the store of the source is rolled back alone: it goes on behind what it does not know, on a new line (rule A3)
TEST_F(ShardSends, ASourceThatForgotGoesOnBehindTheMark) {
  source->tell(from, Note{"1", to}, "m1");
  exchange();
  const auto record = left.store.record;
  const auto hashes = left.store.hashes;
  source->tell(from, Note{"lost", to}, "m2");
  exchange();
  EXPECT_EQ(right.notes(to), (notes{"1", "lost"}));
  left.store.record = record;
  left.store.hashes = hashes;
  replace_source();
  source->tell(from, Note{"3", to}, "m3");
  exchange();
  EXPECT_EQ(right.notes(to), (notes{"1", "lost", "3"}));
  EXPECT_TRUE(source->noted(shard_effects::event::relay_resumed));
}

// … and the one of the receiver: what the source has trimmed is gone there, so nothing is guessed
TEST_F(ShardSends, APairWithNothingInCommonStopsAndSaysSo) {
  const auto record = right.store.record;
  const auto hashes = right.store.hashes;
  source->tell(from, Note{"1", to}, "m1");
  exchange();
  pass(200ms);
  source->tick();
  right.store.record = record;
  right.store.hashes = hashes;
  replace_receiver();
  source->tell(from, Note{"2", to}, "m2");
  exchange();
  EXPECT_EQ(right.notes(to), notes{});
  EXPECT_TRUE(source->noted(shard_effects::event::relay_stopped));
  EXPECT_EQ(source->metrics.outbox_stopped.value(), 1u);
}

// The question that would prove it was forgotten with the reads, while the shard was about to be given away and was
// not.
TEST_F(ShardSends, AProofThatWasForgottenIsAskedForAgain) {
  source->tell(from, Note{"1", to}, "m1");
  exchange();
  const auto record = left.store.record;
  const auto hashes = left.store.hashes;
  source->tell(from, Note{"lost", to}, "m2");
  exchange();
  left.store.record = record;
  left.store.hashes = hashes;
  replace_source();
  source->tell(from, Note{"3", to}, "m3");
  auto f = std::move(source->relayed.front());
  source->relayed.clear();
  const auto reply = deliver(f);
  source->submit(from, Note{"4", ""}, "m4");
  ASSERT_TRUE(std::holds_alternative<commit_fields>(source->sent.front().operation));
  source->take(source->decide.on_relayed(right.id, f.number, reply, now));
  ASSERT_EQ(source->sent.size(), 2u);  // the commit, and the question
  source->place_on("z", 8);
  EXPECT_EQ(source->decide.claim_state(), shard_claim::state::draining);
  source->place_on(source->self.node, 9);
  source->settle();
  exchange_for(1s);
  EXPECT_EQ(right.notes(to), (notes{"1", "lost", "3"}));
}

// rule C27
TEST_F(ShardSends, AFullOutboxRefusesOnlyWhatComesFromOutside) {
  source->tell(from, Later{"t", 500, "rings"}, "timer");
  for (int n = 0; n < 64; ++n) ASSERT_EQ(source->tell(from, Flood{to, 1'024}, "f" + std::to_string(n)), "applied");
  ASSERT_EQ(source->decide.books().sends.waiting(), limits::outbox_messages);
  EXPECT_EQ(source->tell(from, Note{"no", ""}, "m1"), "busy:outbox_full");
  EXPECT_EQ(source->tell(from, Flood{to, 1'024}, "f0"), "busy:outbox_full");
  pass(1s);
  source->tick();
  EXPECT_EQ(left.notes(from), (notes{"set t", "rings"}));
  // Another shard's messages are taken, else two full ones would wait for each other.
  receiver->tell(to, Note{"from there", from}, "m2");
  for (int i = 0; i < 2; ++i) {
    auto f = std::move(receiver->relayed.front());
    receiver->relayed.pop_front();
    const auto number = f.number;
    source->answered.clear();
    source->take(source->decide.on_frame(50, std::move(f), now));
    source->settle();
    ASSERT_EQ(source->answered.size(), 1u);
    receiver->take(receiver->decide.on_relayed(left.id, number, source->answered.back().answer, now));
  }
  EXPECT_EQ(left.notes(from), (notes{"set t", "rings", "from there"}));
  // The receiver tells where it stands, and then takes one frame: there is room again.
  for (int i = 0; i < 2; ++i) {
    auto f = std::move(source->relayed.front());
    source->relayed.pop_front();
    const auto number = f.number;
    answer(number, deliver(std::move(f)));
  }
  EXPECT_LT(source->decide.books().sends.waiting(), limits::outbox_messages);
  EXPECT_EQ(source->tell(from, Note{"yes", ""}, "m1"), "applied");
}

TEST_F(ShardSends, ToItselfAShardSendsTheSameWay) {
  const auto other = key_in(0, 1);
  source->tell(from, Note{"1", other}, "m1");
  constexpr link_number link = 40;
  for (int i = 0; i < 10 && !source->relayed.empty(); ++i) {
    auto f = std::move(source->relayed.front());
    source->relayed.pop_front();
    const auto number = f.number;
    source->take(source->decide.on_frame(link, std::move(f), now));
    source->settle();
    source->take(source->decide.on_relayed(left.id, number, source->answered.back().answer, now));
    source->settle();
  }
  EXPECT_EQ(left.notes(other), (notes{"1"}));
}

}  // namespace
}  // namespace pawl::test
