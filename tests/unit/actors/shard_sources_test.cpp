// Goal: a source that numbers its messages gets each in once and in order, and is always told where it stands.
#include "tests/unit/actors/mail.hpp"

namespace pawl::test {
namespace {

using namespace std::chrono_literals;

struct ShardSources : mail {
  static constexpr std::uint64_t line = 5;
  std::uint64_t word = 0;
  frame_answer last;

  static position at(std::uint64_t number) { return number == 0 ? position{} : position{line, number}; }

  /// Sends these as the messages behind number `after`; the results. None: asks where the source stands.
  template <class M = Note>
  std::string send(std::uint64_t after, const std::vector<M>& messages, const std::string& name = "source/shop/1",
                   const std::string& type = "pad") {
    message_builder b;
    auto of = std::make_shared<sequence>();
    of->source = name;
    of->follows = at(after);
    of->word = word;
    for (const auto& m : messages) {
      const auto payload = bytes_of(m);
      b.add({.type = type, .key = from, .name = M::pawl_message_name(), .id = "x", .payload = payload});
      of->positions.push_back(at(++after));
    }
    auto f = whole_block(left.id, ++number_, {}, b.finish());
    f.of = std::move(of);
    source->answered.clear();
    source->take(source->decide.on_frame(1, std::move(f), now));
    source->settle();
    if (source->answered.size() != 1) throw std::runtime_error("one answer was expected");
    last = source->answered.front().answer;
    if (last.mark) word = last.mark->word;
    return brief(last.results);
  }
  std::string ask(const std::string& name = "source/shop/1") { return send<Note>(0, {}, name); }
  std::string note(std::uint64_t after, const std::vector<std::string>& texts) {
    std::vector<Note> messages;
    for (const auto& t : texts) messages.push_back({t, ""});
    return send(after, messages);
  }
  [[nodiscard]] position mark() const { return last.mark->taken.mark(); }

private:
  std::uint64_t number_ = 1'000;
};

TEST_F(ShardSources, OneThatAsksIsToldItsMarkAndTheWordOfTheClaim) {
  EXPECT_EQ(ask(), "");
  ASSERT_TRUE(last.mark);
  EXPECT_EQ(mark(), position{});
  EXPECT_EQ(word, word_of(left.store.record.token));
  EXPECT_EQ(last.source, "source/shop/1");
}

// rule B17
TEST_F(ShardSources, WhatFollowsTheMarkTakesEffectAndMovesIt) {
  ask();
  EXPECT_EQ(note(0, {"1", "2"}), "applied applied");
  EXPECT_EQ(mark(), at(2));
  EXPECT_EQ(note(2, {"3"}), "applied");
  EXPECT_EQ(left.notes(from), (notes{"1", "2", "3"}));
}

TEST_F(ShardSources, ACopyIsNotTakenAndToldTheMark) {
  ask();
  note(0, {"1", "2"});
  EXPECT_EQ(note(0, {"1", "2"}), "busy:out_of_sequence busy:out_of_sequence");
  EXPECT_EQ(mark(), at(2));
  EXPECT_EQ(left.notes(from), (notes{"1", "2"}));
}

TEST_F(ShardSources, BehindAGapNothingIsTaken) {
  ask();
  note(0, {"1"});
  EXPECT_EQ(note(5, {"6"}), "busy:out_of_sequence");
  EXPECT_EQ(mark(), at(1));
}

// rule B17: a producer that did not keep its numbers
TEST_F(ShardSources, AnotherMessageAtTheMarksPositionIsRefusedForGood) {
  ask();
  note(0, {"1", "2"});
  EXPECT_EQ(note(1, {"other"}), "refused:position_reused");
  EXPECT_EQ(note(1, {"2"}), "busy:out_of_sequence");
  EXPECT_EQ(note(0, {"1", "other", "3"}), "busy:out_of_sequence refused:position_reused busy:out_of_sequence");
  replace_source();
  EXPECT_EQ(note(1, {"other"}), "refused:position_reused");
  EXPECT_EQ(left.notes(from), (notes{"1", "2"}));
}

TEST_F(ShardSources, WithoutTheWordOfTheClaimNothingIsTaken) {
  EXPECT_EQ(note(0, {"1"}), "busy:out_of_sequence");
  EXPECT_EQ(note(0, {"1"}), "applied");
  const auto former = word;
  replace_source();
  EXPECT_EQ(note(1, {"2"}), "busy:out_of_sequence");
  EXPECT_NE(word, former);
  EXPECT_EQ(mark(), at(1));
  EXPECT_EQ(note(1, {"2"}), "applied");
  EXPECT_EQ(left.notes(from), (notes{"1", "2"}));
}

TEST_F(ShardSources, AnotherHistoryIsAnotherSource) {
  ask();
  note(0, {"1"});
  EXPECT_EQ(send<Note>(0, {{"a", ""}}, "source/shop/2"), "applied");
  EXPECT_EQ(left.notes(from), (notes{"1", "a"}));
}

// rule B14
TEST_F(ShardSources, ARefusedMessageTakesItsPositionAndIsKept) {
  ask();
  EXPECT_EQ(send<Nuisance>(0, {{}}), "refused:handler_refused");
  EXPECT_EQ(mark(), at(1));
  EXPECT_EQ(note(1, {"2"}), "applied");
  ASSERT_EQ(left.fields('d'), 1u);
  EXPECT_EQ(decode_dead_letter(left.store.data().at(slot_field('d', 0)))->source, "source/shop/1");
}

// rules B13, B14
TEST_F(ShardSources, AMessageThatIsNotKnownHereTakesNoneAndBlocksTheRest) {
  ask();
  EXPECT_EQ(send<Note>(0, {{"1", ""}, {"2", ""}}, "source/shop/1", "later"),
            "busy:unknown_entity_type blocked:earlier_unresolved");
  ASSERT_TRUE(last.mark);
  EXPECT_EQ(mark(), position{});
  EXPECT_EQ(note(0, {"1"}), "applied");
}

// rule B17
TEST_F(ShardSources, MoreThanTheShardMayKnowAreRefusedAndKnownOnesGoOn) {
  ask();
  for (std::size_t n = 0; n < limits::outside_sources; ++n)
    ASSERT_EQ(send<Note>(0, {{"x", ""}}, "source/s" + std::to_string(n) + "/1"), "applied");
  EXPECT_EQ(send<Note>(0, {{"x", ""}}, "source/more/1"), "busy:too_many_sources");
  EXPECT_EQ(send<Note>(1, {{"x", ""}}, "source/s7/1"), "applied");
  replace_source();
  ask("source/s7/1");
  EXPECT_EQ(send<Note>(0, {{"x", ""}}, "source/more/1"), "busy:too_many_sources");
}

TEST_F(ShardSources, AnUnknownCommitIsFoundOutByTheMark) {
  ask();
  source->tell(from, Note{"0", ""}, "m0");
  message_builder b;
  const auto payload = bytes_of(Note{"1", ""});
  b.add({.type = "pad", .key = from, .name = "Note", .id = "x", .payload = payload});
  auto of = std::make_shared<sequence>();
  of->source = "source/shop/1";
  of->word = word;
  of->positions = {at(1)};
  auto f = whole_block(left.id, 1, {}, b.finish());
  f.of = of;
  source->take(source->decide.on_frame(1, f, now));
  ASSERT_TRUE(std::holds_alternative<commit_fields>(source->sent.front().operation));
  source->step(false);  // it lands, and nobody hears of it
  replace_source();
  ask();
  EXPECT_EQ(mark(), at(1));
  EXPECT_EQ(note(1, {"2"}), "applied");
  EXPECT_EQ(left.notes(from), (notes{"0", "1", "2"}));
}

// rule A6
struct IdempotentTypes : ShardSources {};

TEST_F(IdempotentTypes, KeepNoIdsSoACopyIsHandledAgain) {
  const auto before = left.fields('i');
  for (int i = 0; i < 2; ++i) {
    source->submit(from, Note{"1", ""}, "m1", 1, "log");
    source->settle();
    EXPECT_EQ(source->last_answer(), "applied");
  }
  EXPECT_EQ(left.fields('i'), before);
  EXPECT_EQ(left.notes(from, "log"), (notes{"1", "1"}));
}

TEST_F(IdempotentTypes, OfASourceTheyTakeEachOnceAndInOrder) {
  ask();
  EXPECT_EQ(send<Note>(0, {{"1", ""}, {"2", ""}}, "source/shop/1", "log"), "applied applied");
  EXPECT_EQ(send<Note>(0, {{"1", ""}}, "source/shop/1", "log"), "busy:out_of_sequence");
  EXPECT_EQ(left.notes(from, "log"), (notes{"1", "2"}));
}

// One that sends two batches at once has the first answered, not left waiting.
TEST_F(ShardSources, ABatchInWhosePlaceAnotherHasComeIsAnsweredUnjudged) {
  source->tell(from, Note{"0", ""}, "m0");
  source->submit(from, Note{"1", ""}, "m1", 2);  // its commit is under way, so both batches wait
  for (std::uint64_t number : {1, 2}) {
    message_builder b;
    const auto payload = bytes_of(Note{"x", ""});
    b.add({.type = "pad", .key = from, .name = "Note", .id = "x", .payload = payload});
    auto of = std::make_shared<sequence>();
    of->source = "source/shop/1";
    of->positions = {at(1)};
    auto f = whole_block(left.id, number, {}, b.finish());
    f.of = std::move(of);
    source->take(source->decide.on_frame(1, std::move(f), now));
  }
  const auto& first = source->answered.back();
  EXPECT_EQ(first.answer.number, 1u);
  EXPECT_EQ(first.answer.mark, nullptr);
  EXPECT_EQ(brief(first.answer.results), "busy:out_of_sequence");
}

}  // namespace
}  // namespace pawl::test
