// Goal: the relay sends everything once known to be needed, in order, one frame at a time, and never past a doubt.
#include "actors/relay.hpp"

#include <gtest/gtest.h>

namespace pawl {
namespace {

using namespace std::chrono_literals;

constexpr shard_id self{3}, to{1}, other{2};
constexpr std::uint64_t line = 0xa1, word = 0xbb;

struct Relay : testing::Test {
  outbox box{self, 16};
  relay r{self, {.retry = 5ms, .retry_max = 40ms}};
  instant now{steady_time{1h}, 1'000'000};
  std::vector<frame> sent;
  std::vector<relay_effects::note> notes;
  bool prove = false;

  void carry_out(relay_effects e) {
    for (auto& f : e.send) sent.push_back(std::move(f));
    for (auto& n : e.notes) notes.push_back(std::move(n));
    prove = prove || e.prove;
  }
  void send(const std::vector<std::string>& texts, shard_id receiver = to, std::uint64_t on = line) {
    for (const auto& t : texts) box.stage(receiver, {"pad", "k", "Note", t}, 1, on);
    carry_out(r.added(box, commit(), now));
  }
  std::vector<shard_id> commit() {
    field_list out;
    box.seal(out);
    return box.confirm();
  }
  /// The answer to the frame sent last, which is told that the receiver stands there.
  void answer(const source_mark& taken, bool all_taken = true, std::uint64_t of = word) {
    const mark_report report{taken, of};
    carry_out(r.on_answer(box, sent.back().shard, sent.back().number, &report, all_taken, now));
  }
  void no_answer() { carry_out(r.on_answer(box, sent.back().shard, sent.back().number, nullptr, false, now)); }
  void proof() {
    r.asked();
    prove = false;
    carry_out(r.proven(box, now));
  }
  void pass(std::chrono::milliseconds t) {
    now.steady += t;
    carry_out(r.tick(box, now));
  }
  /// Of the frame sent last: "a1/0> one two", behind which position and with which texts; "a1/0?" asks for the mark.
  std::string last() {
    if (sent.empty()) return "nothing";
    const auto& f = sent.back();
    EXPECT_EQ(f.of->positions.size(), f.messages.size());
    EXPECT_EQ(f.of->source, "shard/3");
    std::string text = at(f.of->follows) + (f.messages.empty() && f.of->word == 0 ? "?" : ">");
    for (const auto* m : f.messages) text.append(" ").append(m->payload);
    return text;
  }
  static std::string at(const position& p) {
    return p == position{} ? "start" : std::to_string(p.line) + "/" + std::to_string(p.number);
  }
  static source_mark mark(std::vector<position> lines) { return {std::move(lines), false, 0}; }
};

TEST_F(Relay, FirstAsksWhereTheReceiverStandsThenSends) {
  send({"one", "two"});
  EXPECT_EQ(last(), "start?");
  answer(mark({}));
  EXPECT_EQ(last(), "start> one two");
  EXPECT_EQ(sent.back().of->word, word);
  EXPECT_EQ(sent.back().of->positions, (std::vector<position>{{line, 1}, {line, 2}}));
  answer(mark({{line, 2}}));
  EXPECT_EQ(sent.size(), 2u);
  EXPECT_EQ(box.waiting(), 0u);
}

// rule B15
TEST_F(Relay, TheNextFrameWaitsForTheAnswerToTheOneBefore) {
  send({"one"});
  send({"two"});
  EXPECT_EQ(sent.size(), 1u);
  answer(mark({}));
  send({"three"});
  EXPECT_EQ(sent.size(), 2u);
  EXPECT_EQ(last(), "start> one two");
  answer(mark({{line, 2}}));
  EXPECT_EQ(last(), "161/2> three");
}

TEST_F(Relay, AFrameHoldsNoMoreThanItMay) {
  send(std::vector<std::string>(limits::frame_messages + 1, "x"));
  answer(mark({}));
  EXPECT_EQ(sent.back().messages.size(), limits::frame_messages);
  answer(mark({{line, limits::frame_messages}}));
  EXPECT_EQ(sent.back().messages.size(), 1u);
  answer(mark({{line, limits::frame_messages + 1}}));
  send({std::string(limits::frame_bytes - 500, 'a'), std::string(1'000, 'b')});
  EXPECT_EQ(sent.back().messages.size(), 1u);
  answer(mark({{line, limits::frame_messages + 2}}));
  EXPECT_EQ(sent.back().messages.size(), 1u);
}

TEST_F(Relay, AFrameGathersRecordsAndBeginsWithinOne) {
  send({"one", "two", "three"});
  send({"four"});
  answer(mark({}));
  EXPECT_EQ(last(), "start> one two three four");
  answer(mark({{line, 2}}), false);  // it took a part
  pass(5ms);
  EXPECT_EQ(last(), "161/2> three four");
}

TEST_F(Relay, WithoutAnAnswerTheSameFrameIsSentAgainAfterPausesThatDouble) {
  send({"one"});
  answer(mark({}));
  for (auto pause : {5ms, 10ms, 20ms, 40ms, 40ms}) {
    const auto before = sent.size();
    no_answer();
    EXPECT_EQ(r.wake(), now.steady + pause);
    pass(pause - 1ms);
    EXPECT_EQ(sent.size(), before);
    pass(1ms);
    ASSERT_EQ(sent.size(), before + 1);
    EXPECT_EQ(last(), "start> one");
    EXPECT_GT(sent[before].number, sent[before - 1].number);
  }
  answer(mark({{line, 1}}));
  send({"two"});
  no_answer();
  EXPECT_EQ(r.wake(), now.steady + 5ms);
}

TEST_F(Relay, AnAnswerToAFrameThatNobodyWaitsForIsNotListenedTo) {
  send({"one"});
  const auto first = sent.back().number;
  no_answer();
  pass(5ms);
  const mark_report late{mark({{line, 1}}), word};
  carry_out(r.on_answer(box, to, first, &late, true, now));
  carry_out(r.on_answer(box, other, sent.back().number, &late, true, now));
  EXPECT_EQ(box.waiting(), 1u);
  EXPECT_EQ(sent.size(), 2u);
}

TEST_F(Relay, ASlowReceiverHoldsUpNobodyElse) {
  send({"one"}, to);
  send({"first"}, other);
  EXPECT_EQ(sent.back().shard, other);
  answer(mark({}));
  EXPECT_EQ(last(), "start> first");
  answer(mark({{line, 1}}));
  EXPECT_EQ(box.waiting(), 1u);
}

// What the receiver took before its answer was lost is not sent to it again.
TEST_F(Relay, GoesOnBehindTheMark) {
  send({"one", "two"});
  answer(mark({{line, 1}}));
  EXPECT_EQ(last(), "161/1> two");
}

TEST_F(Relay, AfterAClaimItSendsWhatIsStored) {
  send({"one"});
  send({"first"}, other);
  answer(mark({}));
  answer(mark({{line, 1}}));
  sent.clear();
  carry_out(r.start(box, now));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].shard, to);
  EXPECT_EQ(last(), "start?");
}

// A new owner of the receiver has another word: its mark is the same, its claim is not.
TEST_F(Relay, ANewClaimOfTheReceiverIsFollowed) {
  send({"one"});
  answer(mark({}));
  answer(mark({}), false, word + 1);
  pass(5ms);
  EXPECT_EQ(last(), "start> one");
  EXPECT_EQ(sent.back().of->word, word + 1);
}

// rule A3: the deposed would go on past, or stop, what its successor does rightly
TEST_F(Relay, PastAMarkThatIsNotItsOwnItGoesOnOnlyAfterAProof) {
  send({"one"});
  answer(mark({{0xdead, 7}}));
  EXPECT_TRUE(prove);
  EXPECT_EQ(sent.size(), 1u);
  send({"two"});
  pass(1s);
  EXPECT_EQ(sent.size(), 1u);
  proof();
  EXPECT_EQ(last(), std::to_string(0xdead) + "/7> one two");
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_FALSE(notes[0].stopped);
}

TEST_F(Relay, AProofAskedForBeforeTheAnswerCameIsNoProof) {
  send({"one"});
  send({"first"}, other);
  const auto first = sent[0].number, second = sent[1].number;
  const mark_report strange{mark({{0xdead, 7}}), word};
  carry_out(r.on_answer(box, to, first, &strange, true, now));
  r.asked();
  carry_out(r.on_answer(box, other, second, &strange, true, now));
  prove = false;
  carry_out(r.proven(box, now));
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[2].shard, to);
  EXPECT_TRUE(prove);
  proof();
  ASSERT_EQ(sent.size(), 4u);
  EXPECT_EQ(sent[3].shard, other);
  EXPECT_FALSE(prove);
}

// rule A3
TEST_F(Relay, WithNothingInCommonThePairStopsAfterAProof) {
  send({"one"});
  answer(mark({}));
  answer(mark({{line, 1}}));
  (void)commit();
  send({"two"});
  answer(mark({}), false);
  EXPECT_TRUE(prove);
  EXPECT_EQ(r.stopped(), 0u);
  proof();
  EXPECT_EQ(r.stopped(), 1u);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_TRUE(notes[0].stopped);
  const auto before = sent.size();
  send({"three"});
  pass(10s);
  EXPECT_EQ(sent.size(), before);
  send({"first"}, other);
  EXPECT_EQ(sent.size(), before + 1);
}

// A receiver that cannot take the next message, and whose mark this shard's store has lost, is not asked in a storm.
TEST_F(Relay, AReceiverThatIsBusyIsNotAskedAgainWithoutAPause) {
  send({"one"});
  answer(mark({{0xdead, 7}}));
  proof();
  ASSERT_EQ(sent.size(), 2u);
  for (auto pause : {5ms, 10ms, 20ms}) {
    const auto before = sent.size();
    answer(mark({{0xdead, 7}}), false);
    proof();
    EXPECT_EQ(sent.size(), before);
    pass(pause - 1ms);
    EXPECT_EQ(sent.size(), before);
    pass(1ms);
    EXPECT_EQ(sent.size(), before + 1);
  }
  EXPECT_EQ(notes.size(), 1u) << "it is said once, not at every attempt";
}

// rule A3: the receiver fell back behind what a trim under way gives up. Between its mark and the trim messages are
// lost.
TEST_F(Relay, DoesNotSkipWhatWasTrimmedWhileTheReceiverFellBack) {
  send({"one", "two"});
  answer(mark({}));
  send({"three"});
  answer(mark({{line, 2}}));
  field_list trim;
  box.seal(trim);
  answer(mark({{line, 1}}), false);
  pass(5ms);
  EXPECT_EQ(last(), "161/1> two three");
  (void)box.confirm();
  no_answer();
  pass(1s);
  EXPECT_EQ(last(), "161/1?");
  answer(mark({{line, 1}}));
  proof();
  EXPECT_EQ(r.stopped(), 1u);
}

}  // namespace
}  // namespace pawl
