// A repetition gets the reply that its message got; an erased entity stays erased; dead letters are kept until somebody
// acts on them.
#include "tests/unit/actors/mail.hpp"

namespace pawl::test {
namespace {

using namespace std::chrono_literals;

using ShardReplies = mail;
using ShardErases = mail;
using ShardLetters = mail;

TEST_F(ShardReplies, ARepetitionGetsTheSameReply) {
  EXPECT_EQ(source->tell(from, Count{}, "m1"), "applied");
  EXPECT_EQ(source->last_reply(), 1u);
  source->tell(from, Count{}, "m2");
  EXPECT_EQ(source->last_reply(), 2u);
  EXPECT_EQ(source->tell(from, Count{}, "m1"), "duplicate");
  EXPECT_EQ(source->last_reply(), 1u);
}

TEST_F(ShardReplies, AlsoWhileTheCommitIsUnderWay) {
  source->submit(from, Count{}, "m1", 1);
  source->submit(from, Count{}, "m1", 2);  // another link: of one, the newer frame replaces the older
  source->settle();
  ASSERT_EQ(source->answered.size(), 2u);
  EXPECT_EQ(source->last_answer(), "duplicate");
  EXPECT_EQ(source->last_reply(), 1u);
}

// rule D35
TEST_F(ShardReplies, ASuccessorLoadsIt) {
  source->tell(from, Count{}, "m1");
  source->tell(from, Count{}, "m2");
  replace_source();
  EXPECT_EQ(source->tell(from, Count{}, "m2"), "duplicate");
  EXPECT_EQ(source->last_reply(), 2u);
}

// A whole batch that is repeated costs one load, not one for each of its messages.
TEST_F(ShardReplies, ThoseOfARepeatedBatchAreLoadedAtOnce) {
  message_builder first, again;
  for (auto* b : {&first, &again})
    for (int i = 0; i < 20; ++i) {
      const auto id = "m" + std::to_string(i % 15);  // some of them twice in the batch
      const auto payload = bytes_of(Count{});
      b->add({.type = "pad", .key = from, .name = "Count", .id = id, .payload = payload, .sent_at = now.wall});
    }
  source->take(source->decide.on_frame(1, whole_block(left.id, 901, {}, first.finish()), now));
  source->settle();
  replace_source();
  source->take(source->decide.on_frame(1, whole_block(left.id, 902, {}, again.finish()), now));
  std::size_t loads = 0;
  while (!source->sent.empty()) {
    loads += std::holds_alternative<load_fields>(source->sent.front().operation) ? 1 : 0;
    source->step();
  }
  EXPECT_LE(loads, 2u);  // the entity, and the replies
  ASSERT_EQ(source->answered.back().answer.results.size(), 20u);
  for (const auto& r : source->answered.back().answer.results) {
    EXPECT_EQ(r.kind, result_kind::duplicate);
    EXPECT_NE(r.reply, nullptr);
  }
}

TEST_F(ShardReplies, OneThatIsNotKeptAnyMoreIsNone) {
  source->tell(from, Count{}, "m1");
  std::erase_if(left.store.data(), [](const auto& f) { return f.first.starts_with(std::string{"\0r", 2}); });
  EXPECT_EQ(source->tell(from, Count{}, "m1"), "duplicate");
  EXPECT_EQ(source->last_reply(), std::nullopt);
}

TEST_F(ShardReplies, AMessageWithoutReplyHasNone) {
  source->tell(from, Note{"1", ""}, "m1");
  EXPECT_EQ(source->last_reply(), std::nullopt);
  source->tell(from, Note{"1", ""}, "m1");
  EXPECT_EQ(source->last_reply(), std::nullopt);
}

TEST_F(ShardReplies, TheyLeaveTheStoreWithTheIds) {
  source->tell(from, Count{}, "m1");
  ASSERT_EQ(left.fields('r'), 1u);
  pass(3h);
  source->tell(from, Note{"1", ""}, "m2");  // moves the window
  source->tell(from, Note{"2", ""}, "m3");
  EXPECT_EQ(left.fields('r'), 0u);
}

// rule A19
TEST_F(ShardErases, ALateCopyDoesNotBringItBack) {
  source->tell(from, Note{"1", ""}, "m1");
  source->tell(from, Forget{}, "m2");
  EXPECT_EQ(left.notes(from), notes{});
  EXPECT_EQ(source->tell(from, Note{"1", ""}, "m1"), "duplicate");
  EXPECT_EQ(left.notes(from), notes{});
}

TEST_F(ShardErases, NothingOfItStaysInTheStore) {
  source->tell(from, Note{"1", ""}, "m1");
  source->tell(from, Forget{}, "m2");
  source->tell(from, Note{"other", ""}, "m3");
  source->tell(from, Forget{}, "m4");
  source->tell(key_in(0, 1), Note{"other", ""}, "m5");
  EXPECT_FALSE(left.store.data().contains(entity_field("pad", from)));
}

TEST_F(ShardErases, TheNextMessageBeginsAnew) {
  source->tell(from, Note{"1", ""}, "m1");
  source->tell(from, Forget{}, "m2");
  replace_source();
  source->tell(from, Note{"2", ""}, "m3");
  EXPECT_EQ(left.notes(from), (notes{"2"}));
}

TEST_F(ShardErases, InTheSameBatchToo) {
  source->submit(from, Note{"1", ""}, "m1", 1);
  source->submit(from, Forget{}, "m2", 2);
  source->submit(from, Note{"2", ""}, "m3", 3);
  source->settle();
  EXPECT_EQ(left.notes(from), (notes{"2"}));
}

struct Letters : mail {
  /// Both are read with one barrier, behind another that is under way. Their numbers are 2 and 3.
  void ask_at_once(const shard_question& one, const shard_question& two) {
    source->reads.clear();
    std::uint64_t number = 0;
    for (const auto& about : {shard_question{letter_query{}}, one, two})
      source->take(source->decide.on_read(1, {left.id, ++number, about}, now));
    source->settle();
  }
  std::optional<entity_answer::status> status_of(std::uint64_t number) {
    for (const auto& r : source->reads)
      if (r.answer.number == number) return r.answer.answer.kind;
    return std::nullopt;
  }
  read_answer ask(const shard_question& about) {
    source->reads.clear();
    source->take(source->decide.on_read(1, {left.id, 1, about}, now));
    source->settle();
    if (source->reads.size() != 1) throw std::runtime_error("one answer was expected");
    return source->reads.front().answer;
  }
};

TEST_F(Letters, AHandlerThatThrowsLeavesOneAndItIsListed) {
  EXPECT_EQ(source->tell(from, Note{"throw", ""}, "m1"), "refused:handler_error");
  const auto page = ask(letter_query{});
  ASSERT_EQ(page.letters.letters.size(), 1u);
  EXPECT_EQ(page.letters.total, 1u);
  EXPECT_EQ(page.letters.letters[0].letter.id, "m1");
  EXPECT_EQ(page.letters.letters[0].letter.source, "");
}

TEST_F(Letters, ARefusalOfAFreeFormSenderLeavesNone) {
  EXPECT_EQ(source->tell(from, Nuisance{}, "m1"), "refused:handler_refused");
  EXPECT_EQ(ask(letter_query{}).letters.letters.size(), 0u);
}

TEST_F(Letters, DiscardedItIsGone) {
  source->tell(from, Note{"throw", ""}, "m1");
  EXPECT_EQ(ask(letter_action{0, now.wall, letter_action::kind::discard}).answer.kind, entity_answer::status::found);
  EXPECT_EQ(ask(letter_query{}).letters.total, 0u);
  EXPECT_EQ(left.fields('d'), 0u);
  EXPECT_EQ(ask(letter_action{0, now.wall, letter_action::kind::discard}).answer.kind, entity_answer::status::absent);
}

TEST_F(Letters, ReplayedAndRefusedAgainItStays) {
  source->tell(from, Note{"throw", ""}, "m1");
  const auto a = ask(letter_action{0, now.wall, letter_action::kind::replay}).answer;
  EXPECT_EQ(a.kind, entity_answer::status::found);
  EXPECT_NE(a.reason.find("thrown"), std::string::npos);
  EXPECT_EQ(ask(letter_query{}).letters.total, 1u);
}

TEST_F(Letters, ReplayedToAProgramThatCanItTakesEffectOnceAndIsGone) {
  dead_letter l;
  l.entity = {"pad", from};
  l.name = "Note";
  l.id = "m1";
  l.payload = bytes_of(Note{"mended", ""});
  l.at = now.wall;
  source->tell(from, Note{"throw", ""}, "m1");
  left.store.data()[slot_field('d', 0)] = encode(l);
  EXPECT_EQ(ask(letter_action{0, now.wall, letter_action::kind::replay}).answer.kind, entity_answer::status::found);
  EXPECT_EQ(left.notes(from), (notes{"mended"}));
  EXPECT_EQ(ask(letter_action{0, now.wall, letter_action::kind::replay}).answer.kind, entity_answer::status::absent);
  EXPECT_EQ(left.notes(from), (notes{"mended"}));
}

// Two people press the button, or one's question is repeated on its way.
TEST_F(Letters, ReplayedTwiceAtOnceItTakesEffectOnce) {
  source->tell(from, Note{"throw", ""}, "m1");
  auto mended = *decode_dead_letter(left.store.data().at(slot_field('d', 0)));
  mended.payload = bytes_of(Note{"mended", ""});
  left.store.data()[slot_field('d', 0)] = encode(mended);
  ask_at_once(letter_action{0, now.wall, letter_action::kind::replay},
              letter_action{0, now.wall, letter_action::kind::replay});
  EXPECT_EQ(left.notes(from), (notes{"mended"}));
  EXPECT_EQ(source->decide.books().letters.size(), 0u);
}

TEST_F(Letters, ReplayedAgainWhileTheFirstIsBeingCommittedItTakesEffectOnce) {
  source->tell(from, Note{"throw", ""}, "m1");
  auto mended = *decode_dead_letter(left.store.data().at(slot_field('d', 0)));
  mended.payload = bytes_of(Note{"mended", ""});
  left.store.data()[slot_field('d', 0)] = encode(mended);
  const letter_action replay{0, now.wall, letter_action::kind::replay};
  source->take(source->decide.on_read(1, {left.id, 1, replay}, now));
  source->step();  // the letter is read
  ASSERT_TRUE(std::holds_alternative<commit_fields>(source->sent.front().operation));
  const auto commit = source->sent.front();
  source->sent.pop_front();
  source->take(source->decide.on_read(2, {left.id, 1, replay}, now));
  source->step();  // … and read again
  auto done = left.store.execute(commit);
  source->take(source->decide.on_answer(std::move(done), now));
  source->settle();
  EXPECT_EQ(left.notes(from), (notes{"mended"}));
}

TEST_F(Letters, DiscardedAndReplayedAtOnceOnlyOneOfThemHappens) {
  source->tell(from, Note{"throw", ""}, "m1");
  auto mended = *decode_dead_letter(left.store.data().at(slot_field('d', 0)));
  mended.payload = bytes_of(Note{"mended", ""});
  left.store.data()[slot_field('d', 0)] = encode(mended);
  ask_at_once(letter_action{0, now.wall, letter_action::kind::discard},
              letter_action{0, now.wall, letter_action::kind::replay});
  EXPECT_EQ(left.notes(from), notes{});
  EXPECT_EQ(source->decide.books().letters.size(), 0u);
  EXPECT_EQ(status_of(2), entity_answer::status::found);
  EXPECT_EQ(status_of(3), entity_answer::status::unavailable);
}

// Slots of letters that are gone are found empty by whoever looks, and used again: else every takeover would cost some.
TEST_F(Letters, AfterATakeoverSlotsThatHoldNothingAreFreedByALook) {
  for (const auto* id : {"m1", "m2", "m3"}) source->tell(from, Note{"throw", ""}, id);
  ask(letter_action{0, now.wall, letter_action::kind::discard});
  replace_source();
  EXPECT_EQ(ask(letter_query{}).letters.letters.size(), 2u);
  EXPECT_EQ(source->decide.books().letters.size(), 2u);
  source->tell(from, Note{"throw", ""}, "m4");
  EXPECT_EQ(source->decide.books().letters.slots(), 3u);
  EXPECT_EQ(decode_dead_letter(left.store.data().at(slot_field('d', 0)))->id, "m4");
}

// A number is used again. Who discards or replays by it, late, means the letter that was listed.
TEST_F(Letters, ANewOneUnderAFormerNumberIsNotTakenForTheFormer) {
  source->tell(from, Note{"throw", ""}, "m1");
  const letter_action former{0, now.wall, letter_action::kind::discard};
  ask(former);
  pass(1ms);
  source->tell(from, Note{"throw", ""}, "m2");
  ASSERT_TRUE(source->decide.books().letters.holds(0));
  EXPECT_EQ(ask(former).answer.kind, entity_answer::status::absent);
  EXPECT_EQ(ask(letter_query{}).letters.letters.at(0).letter.id, "m2");
}

TEST_F(Letters, SoManyQuestionsAreAskedTheStoreInPieces) {
  for (int i = 0; i < 200; ++i) source->tell(from, Note{"throw", ""}, "m" + std::to_string(i));
  source->reads.clear();
  std::size_t most = 0;
  for (std::uint64_t n = 1; n <= 40; ++n) source->take(source->decide.on_read(1, {left.id, n, letter_query{}}, now));
  while (!source->sent.empty()) {
    if (const auto* load = std::get_if<load_fields>(&source->sent.front().operation))
      most = std::max(most, load->fields.size());
    source->step();
  }
  EXPECT_EQ(source->reads.size(), 40u);
  EXPECT_LE(most, limits::load_entities_max + limits::letters_per_page);
}

TEST_F(Letters, ASuccessorKnowsThem) {
  source->tell(from, Note{"throw", ""}, "m1");
  source->tell(from, Note{"throw", ""}, "m2");
  replace_source();
  EXPECT_EQ(ask(letter_query{}).letters.letters.size(), 2u);
}

}  // namespace
}  // namespace pawl::test
