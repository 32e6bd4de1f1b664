// What the owner of a shard says of what waits in it, for whoever asks why something does not get on.
#include "tests/unit/actors/mail.hpp"

namespace pawl::test {
namespace {

using namespace std::chrono_literals;

struct ShardDetail : mail {
  shard_detail ask() {
    source->reads.clear();
    source->take(source->decide.on_read(1, {left.id, 1, shard_query{}}, now));
    source->settle();
    if (source->reads.size() != 1) throw std::runtime_error("one answer was expected");
    const auto& a = source->reads.front().answer;
    EXPECT_EQ(a.answer.kind, entity_answer::status::found);
    EXPECT_EQ(a.answer.owner, source->self.node);
    return a.detail.value();
  }
};

TEST_F(ShardDetail, OfAnIdleShardIsEmpty) {
  const auto d = ask();
  EXPECT_EQ(d.outbox_messages + d.receivers_waited_for + d.sources_known + d.timers + d.dead_letters, 0u);
  EXPECT_TRUE(d.receivers.empty() && d.sources.empty() && !d.next_timer);
}

TEST_F(ShardDetail, NamesTheFirstMessageThatAReceiverHasNotTaken) {
  source->tell(from, Note{"1", to}, "m1");
  exchange();
  pass(5ms);
  const auto sent = now.wall;
  source->tell(from, Note{"2", to}, "m2");
  pass(5ms);
  source->tell(from, Note{"3", to}, "m3");
  const auto d = ask();
  EXPECT_EQ(d.outbox_messages, 2u);
  EXPECT_EQ(d.receivers_waited_for, 1u);
  ASSERT_EQ(d.receivers.size(), 1u);
  EXPECT_EQ(d.receivers[0].receiver, right.id);
  EXPECT_EQ(d.receivers[0].messages, 2u);
  EXPECT_EQ(d.receivers[0].to, (entity_id{"pad", to}));
  EXPECT_EQ(d.receivers[0].message, "Note");
  EXPECT_EQ(d.receivers[0].sent_at, sent);
  EXPECT_FALSE(d.receivers[0].stopped);
  exchange();
  EXPECT_TRUE(ask().receivers.empty());
}

// Some of a commit's messages may have been taken, and others not.
TEST_F(ShardDetail, CountsWithinACommit) {
  source->tell(from, Annoy{to}, "m1");
  auto f = std::move(source->relayed.front());
  source->relayed.pop_front();
  answer(f.number, deliver(std::move(f)));  // the mark
  frame both = source->relayed.front();
  ASSERT_EQ(both.messages.size(), 2u);
  both.messages.pop_back();
  auto of = *both.of;
  of.positions.pop_back();
  both.of = std::make_shared<const sequence>(std::move(of));
  const auto taken = deliver(both);
  ASSERT_TRUE(taken && taken->mark);
  // As if the answer to the whole frame said that only the first was taken.
  auto partly = *taken;
  partly.results.push_back({result_kind::busy, reason_code::unknown_message_type, {}});
  answer(both.number, partly);
  const auto d = ask();
  ASSERT_EQ(d.receivers.size(), 1u);
  EXPECT_EQ(d.receivers[0].messages, 1u);
  EXPECT_EQ(d.receivers[0].message, "Note");
}

TEST_F(ShardDetail, SaysWhichReceiversNothingIsSentToAnyMore) {
  const auto record = right.store.record;
  const auto hashes = right.store.hashes;
  source->tell(from, Note{"1", to}, "m1");
  exchange();
  pass(200ms);
  source->tick();  // it is trimmed
  right.store.record = record;
  right.store.hashes = hashes;
  replace_receiver();
  source->tell(from, Note{"2", to}, "m2");
  exchange();
  const auto d = ask();
  ASSERT_EQ(d.receivers.size(), 1u);
  EXPECT_TRUE(d.receivers[0].stopped);
}

TEST_F(ShardDetail, HasTheTimersAndDeadLetters) {
  source->tell(from, Later{"a", 5'000, "later"}, "m1");
  source->tell(from, Later{"b", 1'000, "sooner"}, "m2");
  source->tell(from, Note{"throw", ""}, "m3");
  const auto d = ask();
  EXPECT_EQ(d.timers, 2u);
  EXPECT_EQ(d.next_timer, now.wall + 1'000);
  EXPECT_EQ(d.dead_letters, 1u);
}

TEST_F(ShardDetail, ProducersComeBeforeShardsAndNoMoreThanFit) {
  const auto take = [&](const std::string& name, std::uint64_t number) {
    message_builder b;
    const auto payload = bytes_of(Note{"x", ""});
    b.add({.type = "pad", .key = from, .name = "Note", .id = "i", .payload = payload, .sent_at = now.wall});
    auto ask = frame{left.id, 1, {}, {}, {}, {}};
    ask.of = std::make_shared<const sequence>(sequence{name, {}, 0, {}});
    source->take(source->decide.on_frame(9, std::move(ask), now));
    source->settle();
    const auto word = source->answered.back().answer.mark->word;
    auto f = whole_block(left.id, 2, {}, b.finish());
    f.of = std::make_shared<const sequence>(sequence{name, {}, word, {{1, number}}});
    source->take(source->decide.on_frame(9, std::move(f), now));
    source->settle();
    ASSERT_EQ(source->last_answer(), "applied") << name;
  };
  take("shard/1", 7);
  take("source/warehouse/a", 44);
  auto d = ask();
  ASSERT_EQ(d.sources.size(), 2u);
  EXPECT_EQ(d.sources[0].source, "source/warehouse/a");
  EXPECT_EQ(d.sources[0].taken, 44u);
  EXPECT_EQ(d.sources[1].source, "shard/1");
  EXPECT_EQ(d.sources[1].taken, 7u);
  for (std::size_t i = 0; i < limits::sources_shown; ++i) take("source/many/" + std::to_string(i), 1);
  d = ask();
  EXPECT_EQ(d.sources_known, limits::sources_shown + 2);
  EXPECT_EQ(d.sources.size(), limits::sources_shown);
}

// Whoever was deposed says nothing: what waits is what its successor says.
TEST_F(ShardDetail, ADeposedOwnerSaysNothing) {
  source->tell(from, Note{"1", to}, "m1");
  clerk next(left, "c", now);
  next.start(5);
  source->reads.clear();
  source->take(source->decide.on_read(1, {left.id, 1, shard_query{}}, now));
  source->settle();
  EXPECT_TRUE(source->reads.empty());
  source->place_on("c", 6);
  source->settle();
  ASSERT_EQ(source->reads.size(), 1u);
  EXPECT_EQ(source->reads[0].answer.answer.kind, entity_answer::status::unavailable);
  EXPECT_FALSE(source->reads[0].answer.detail);
}

}  // namespace
}  // namespace pawl::test
