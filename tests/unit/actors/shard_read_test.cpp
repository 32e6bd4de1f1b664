// Reads at the owner: never an effect that is not committed, never a state that another owner may have changed.
#include "tests/unit/actors/shard_world.hpp"

#include <gtest/gtest.h>

namespace pawl::test {
namespace {

using status = entity_answer::status;

struct ShardRead : testing::Test {
  world w;
  owner a{"a", w.store, w.now};
  ShardRead() { a.start(); }

  static std::string ids(const shard_effects::read_done& r) {
    Diary d;
    std::string error, text;
    if (!decode_msgpack(r.answer.answer.state, d, error)) return error;
    for (const auto& id : d.ids) text += id;
    return text;
  }
  static std::string recent(const shard_effects::read_done& r) {
    std::string text;
    for (const auto& m : r.answer.answer.recent) text += m.id + " ";
    return text;
  }
};

// rule D30
TEST_F(ShardRead, IsAnsweredFromMemoryOnlyBehindABarrierSentAfterIt) {
  a.tell({{"1"}});
  a.read("k");
  auto barrier = a.next<load_fields>();
  EXPECT_TRUE(std::get<load_fields>(barrier.operation).fields.empty());
  EXPECT_TRUE(a.reads.empty());
  a.read("k");  // too late for that barrier
  a.execute(barrier);
  EXPECT_EQ(a.reads.size(), 1u);
  a.execute(a.next<load_fields>());
  ASSERT_EQ(a.reads.size(), 2u);
  EXPECT_EQ(ids(a.reads[1]), "1");
  EXPECT_EQ(a.reads[1].answer.answer.owner, "a");
}

// rule D30
TEST_F(ShardRead, OneBarrierServesAllThatWaitAndLoadsEachEntityOnce) {
  a.tell({{"1"}});
  a.read("other");
  for (int i = 0; i < 10; ++i) a.read(i % 2 == 0 ? "k" : "cold");
  a.execute(a.next<load_fields>());
  auto second = a.next<load_fields>();
  EXPECT_EQ(std::get<load_fields>(second.operation).fields, std::vector<std::string>{entity_field("diary", "cold")});
  a.execute(second);
  EXPECT_EQ(a.reads.size(), 11u);
  EXPECT_TRUE(a.sent.empty());
}

// rule D30
TEST_F(ShardRead, NeverShowsWhatIsNotCommitted) {
  a.tell({{"1"}});
  a.frame({{"2"}});
  auto commit = a.next<commit_fields>();
  a.read("k");
  auto barrier = a.next<load_fields>();
  a.answer(commit, store_outcome::refused, store_error::oom);
  a.execute(barrier);
  EXPECT_EQ(ids(a.reads.at(0)), "1");
}

// rule D30: what was acknowledged before the read is always seen
TEST_F(ShardRead, ShowsTheCommitThatWasConfirmedBeforeItsBarrier) {
  a.tell({{"1"}});
  a.frame({{"2"}});
  a.read("k");
  a.settle();
  EXPECT_EQ(ids(a.reads.at(0)), "12");
}

// rules D30, A4
TEST_F(ShardRead, ADeposedOwnerAnswersNothingFromItsMemory) {
  a.tell({{"1"}});
  owner b{"b", w.store, w.now};
  b.start(2);
  b.tell({{"2"}});
  a.read("k");
  a.execute(a.next<load_fields>());
  EXPECT_TRUE(a.reads.empty());
  a.execute(a.next<read_record>());
  EXPECT_TRUE(a.wants_view);
  a.place("b", 2);
  ASSERT_EQ(a.reads.size(), 1u);
  EXPECT_EQ(a.reads[0].answer.answer.kind, status::unavailable);
  EXPECT_EQ(a.reads[0].answer.answer.state, "");
}

TEST_F(ShardRead, IsAskedAgainAfterTheConnectionBroke) {
  a.tell({{"1"}});
  a.read("k");
  auto old = a.next<load_fields>();
  a.disconnect();
  a.connect();
  a.execute(old);  // its answer belongs to another connection
  EXPECT_TRUE(a.reads.empty());
  a.settle();
  EXPECT_EQ(ids(a.reads.at(0)), "1");
}

TEST_F(ShardRead, TellsAbsentFromFound) {
  a.read("nobody");
  a.settle();
  EXPECT_EQ(a.reads.at(0).answer.answer.kind, status::absent);
  EXPECT_EQ(a.tell({{.id = "1", .key = "nobody"}}), "applied");
}

TEST_F(ShardRead, ALoadForAReadDoesNotHideACommitOfTheSameEntity) {
  a.tell({{.id = "1", .key = "other"}});
  a.frame({{"1"}}, 1);
  auto load = a.next<load_fields>();
  a.read("k");
  a.execute(load);
  a.execute(a.next<load_fields>());
  EXPECT_EQ(a.reads.at(0).answer.answer.kind, status::absent);  // its barrier went before the commit
  a.settle();
  EXPECT_EQ(a.tell({{"2"}}), "applied");
  EXPECT_EQ(w.ids(), "1 2");
}

TEST_F(ShardRead, TellsWhichMessagesTookEffectLastNewestFirst) {
  a.tell({{"1"}, {.id = "x", .key = "other"}, {"2"}});
  a.tell({{"2"}, {"3"}, {"4"}, {"5"}});  // the first is a duplicate
  a.read("k");
  a.read("other");
  a.settle();
  EXPECT_EQ(recent(a.reads.at(0)), "5 4 3 2 ");
  EXPECT_EQ(recent(a.reads.at(1)), "x ");
  EXPECT_EQ(a.reads[0].answer.answer.recent[0].at, w.now.wall);
  EXPECT_EQ(a.reads[0].answer.answer.recent[0].name, "Write");
}

// rule B16
TEST_F(ShardRead, AMessageWhoseCommitFailedIsNotAmongThoseThatTookEffect) {
  a.tell({{"1"}});
  a.frame({{"2"}});
  a.answer(a.next<commit_fields>(), store_outcome::refused, store_error::oom);
  a.read("k");
  a.settle();
  EXPECT_EQ(recent(a.reads.at(0)), "1 ");
}

TEST_F(ShardRead, ANewOwnerHasNotSeenWhatTookEffectBefore) {
  a.tell({{"1"}});
  owner b{"b", w.store, w.now};
  b.start(2);
  b.read("k");
  b.settle();
  EXPECT_EQ(ids(b.reads.at(0)), "1");
  EXPECT_EQ(recent(b.reads[0]), "");
  b.tell({{"2"}});
  b.read("k");
  b.settle();
  EXPECT_EQ(recent(b.reads.at(1)), "2 ");
}

TEST_F(ShardRead, WaitsInBoundedNumber) {
  a.disconnect();
  for (int i = 0; i < 5'000; ++i) a.read("k");
  EXPECT_EQ(a.reads.size(), 5'000u - 4'096u);
  EXPECT_EQ(a.reads[0].answer.answer.reason, "too many reads wait for this shard");
}

TEST_F(ShardRead, OfAnUnknownTypeIsAnsweredAtOnce) {
  a.read("k", 1, "poem");
  EXPECT_EQ(a.reads.at(0).answer.answer.reason, "entity type 'poem' is not known to the shard's owner (known: diary)");
}

TEST_F(ShardRead, OfALinkThatIsGoneIsForgotten) {
  a.read("k", 1);
  a.read("k", 2);
  a.read("k", 3);
  a.link_down(2);
  a.settle();
  ASSERT_EQ(a.reads.size(), 2u);
  EXPECT_EQ(a.reads[1].to, 3u);
}

}  // namespace
}  // namespace pawl::test
