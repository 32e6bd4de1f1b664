// Timers fire once, not before they are due, whoever owns the shard then.
#include "tests/unit/actors/mail.hpp"

namespace pawl::test {
namespace {

using namespace std::chrono_literals;

struct ShardTimers : mail {
  notes noted() { return left.notes(from); }
  std::uint64_t fired() { return source->metrics.timers_fired.value(); }
};

TEST_F(ShardTimers, ATimerBecomesAMessageWhenItIsDue) {
  source->tell(from, Later{"t", 500, "rings"}, "m1");
  pass(499ms);
  source->tick();
  EXPECT_EQ(noted(), (notes{"set t"}));
  pass(1ms);
  source->tick();
  EXPECT_EQ(noted(), (notes{"set t", "rings"}));
  pass(10s);
  source->tick();
  EXPECT_EQ(noted(), (notes{"set t", "rings"}));
  EXPECT_EQ(fired(), 1U);
}

TEST_F(ShardTimers, WakesWhenTheNextIsDue) {
  source->tell(from, Later{"t", 500, "rings"}, "m1");
  ASSERT_TRUE(source->decide.wake());
  EXPECT_LE(*source->decide.wake(), now.steady + 500ms);
}

// rule D33
TEST_F(ShardTimers, ASuccessorFiresWhatItsPredecessorDidNotAndNothingElse) {
  source->tell(from, Later{"first", 100, "1"}, "m1");
  source->tell(from, Later{"second", 900, "2"}, "m2");
  pass(200ms);
  source->tick();
  replace_source();
  pass(5s);
  source->tick();
  EXPECT_EQ(noted(), (notes{"set first", "set second", "1", "2"}));
  replace_source();
  pass(5s);
  source->tick();
  EXPECT_EQ(noted(), (notes{"set first", "set second", "1", "2"}));
}

TEST_F(ShardTimers, LateOnesComeInTheOrderInWhichTheyWereDue) {
  source->tell(from, Later{"c", 300, "3"}, "m1");
  source->tell(from, Later{"a", 100, "1"}, "m2");
  source->tell(from, Later{"b", 200, "2"}, "m3");
  pass(1h);
  replace_source();
  source->tick();
  EXPECT_EQ(noted(), (notes{"set c", "set a", "set b", "1", "2", "3"}));
}

TEST_F(ShardTimers, SetAgainOnlyTheLastCounts) {
  source->tell(from, Later{"t", 100, "old"}, "m1");
  source->tell(from, Later{"t", 300, "new"}, "m2");
  pass(1s);
  source->tick();
  EXPECT_EQ(noted(), (notes{"set t", "set t", "new"}));
  EXPECT_EQ(source->decide.books().timers.size(), 0u);
}

TEST_F(ShardTimers, CancelledItNeverComes) {
  source->tell(from, Later{"t", 100, "rings"}, "m1");
  source->tell(from, Later{"t", 0, ""}, "m2");
  pass(1s);
  source->tick();
  replace_source();
  pass(1s);
  source->tick();
  EXPECT_EQ(noted(), (notes{"set t", "set t"}));
}

TEST_F(ShardTimers, AMessageThatComesFirstMayStillCancelATimerThatIsDue) {
  source->tell(from, Later{"t", 100, "rings"}, "m1");
  source->submit(from, Later{"t", 0, ""}, "m2");  // its commit is under way when the timer becomes due
  pass(1s);
  source->take(source->decide.tick(now));
  source->settle();
  EXPECT_EQ(noted(), (notes{"set t", "set t"}));
  EXPECT_EQ(fired(), 0U);
}

TEST_F(ShardTimers, AClockThatIsSetBackMakesItLateNeverEarly) {
  source->tell(from, Later{"t", 500, "rings"}, "m1");
  now.steady += 600ms;
  now.wall -= 10'000;
  source->tick();
  EXPECT_EQ(noted(), (notes{"set t"}));
  now.wall += 11'000;
  now.steady += 11s;
  source->tick();
  EXPECT_EQ(noted(), (notes{"set t", "rings"}));
}

TEST_F(ShardTimers, OneWhoseHandlerThrowsBecomesADeadLetter) {
  source->tell(from, Later{"t", 100, "throw"}, "m1");
  pass(1s);
  source->tick();
  EXPECT_EQ(noted(), (notes{"set t"}));
  ASSERT_EQ(left.fields('d'), 1u);
  EXPECT_EQ(decode_dead_letter(left.store.data().at(slot_field('d', 0)))->source, "timer");
  EXPECT_EQ(fired(), 1U);
  EXPECT_EQ(source->decide.books().timers.size(), 0u);
}

TEST_F(ShardTimers, AnErasedEntityHasNone) {
  source->tell(from, Later{"t", 100, "rings"}, "m1");
  source->tell(from, Forget{}, "m2");
  pass(1s);
  source->tick();
  EXPECT_EQ(noted(), notes{});
}

TEST_F(ShardTimers, AnUnknownCommitOfAFiringDoesNotFireTwice) {
  source->tell(from, Later{"t", 100, "rings"}, "m1");
  pass(1s);
  source->take(source->decide.tick(now));
  ASSERT_TRUE(std::holds_alternative<commit_fields>(source->sent.front().operation));
  source->step(false);  // it lands, and its answer is lost
  replace_source();
  pass(1s);
  source->tick();
  EXPECT_EQ(noted(), (notes{"set t", "rings"}));
}

// As many as one frame holds cannot be handled; those behind them still can.
TEST_F(ShardTimers, ThoseThatCannotBeHandledDoNotHoldUpLaterOnes) {
  for (int i = 0; i < 300; ++i)
    source->tell(from, Later{"t" + std::to_string(i), 100, "rings"}, "m" + std::to_string(i));
  const auto other = key_in(0, 1);
  source->tell(other, Later{"late", 200, "rings too"}, "o1");
  left.store.data()[entity_field("pad", from)] = "\x09";  // of a format that nobody knows
  replace_source();
  pass(1h);
  source->tick();
  for (int i = 0; i < 5; ++i) {
    pass(50ms);
    source->tick();
  }
  EXPECT_EQ(left.notes(other), (notes{"set late", "rings too"}));
  EXPECT_EQ(source->decide.books().timers.size(), 300u);
  EXPECT_EQ(fired(), 1U);
  // They are tried again, but not at once.
  ASSERT_TRUE(source->decide.wake());
  EXPECT_GT(*source->decide.wake(), now.steady);
}

}  // namespace
}  // namespace pawl::test
