// A batch by itself: what it reads, what it leaves alone, and how its results are taken back.
#include "actors/batch.hpp"

#include "tests/unit/actors/diary.hpp"

#include <gtest/gtest.h>

namespace pawl::test {
namespace {

struct Batch : testing::Test {
  entity_catalog catalog = diary_catalog();
  activation residents;
  std::vector<processed_set> processed;
  shard_books books{{}, 1};
  batch_room room;
  std::optional<batch> current;
  shard_metrics metrics{1};
  held_messages held{metrics};
  instant now{steady_time{std::chrono::hours{1}}, 1'000'000};
  std::deque<queued_frame> frames;
  frontier base;

  Batch() {
    processed.emplace_back("diary", retention_policy{diary_retention, 3});
    for (auto key : {"k", "j"}) residents.put(0, key, {});
  }
  void queue(const std::vector<entry>& entries) {
    frames.emplace_back(catalog, 1, whole_block({}, 1, {}, block_of(entries)), now.steady);
  }
  /// Takes the place of the former one, which is dropped.
  batch& make(batch::sizing how = batch::sizing::at_the_end) {
    return current.emplace(catalog, residents, processed, books, held, room, 1, how);
  }
  void run(batch& b) {
    for (std::size_t i = 0; i < frames.size(); ++i)
      while (!frames[i].finished() && b.run(frames[i], i, now)) {
      }
  }
  std::string results(std::size_t frame = 0) { return brief(frames.at(frame).results); }
  Diary in_memory(const std::string& key) {
    std::string bytes, error;
    Diary d;
    const auto* r = residents.find(0, key);
    if (!r->state) return d;
    catalog.types[0]->encode(*r->state, bytes);
    EXPECT_TRUE(decode_msgpack(bytes, d, error)) << error;
    return d;
  }
};

// rule B16
TEST_F(Batch, TouchesNothingUntilItIsConfirmed) {
  queue({{"1"}, {"2"}});
  auto& b = make();
  run(b);
  ASSERT_TRUE(b.seal(base));
  EXPECT_EQ(residents.find(0, "k")->state, nullptr);
  EXPECT_EQ(processed[0].size(), 0u);
  const auto after = b.confirm(metrics, now);
  EXPECT_EQ(after.seq, 1u);
  EXPECT_EQ(in_memory("k").ids, (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(processed[0].size(), 2u);
}

// rule B16: dropping it undoes it
TEST_F(Batch, ADroppedBatchLeavesNoTrace) {
  queue({{"1"}});
  auto& b = make();
  run(b);
  ASSERT_TRUE(b.seal(base));
  b.undo(frames);
  EXPECT_EQ(results(), "");
  auto& again = make();
  run(again);
  EXPECT_EQ(results(), "applied");
}

TEST_F(Batch, KeepsWhatTheFrontierSaysOfTypesItDoesNotKnow) {
  base.groups.push_back({"later", 1, 2, 3, 4, 5});
  queue({{"1"}});
  auto& b = make();
  run(b);
  ASSERT_TRUE(b.seal(base));
  const auto after = b.confirm(metrics, now);
  ASSERT_EQ(after.groups.size(), 2u);
  EXPECT_EQ(after.groups[0], base.groups[0]);
  EXPECT_EQ(after.groups[1].type, "diary");
}

TEST_F(Batch, WaitsForAnEntityThatIsNotInMemory) {
  queue({{"1"}, {.id = "2", .key = "cold"}, {"3"}});
  auto& b = make();
  run(b);
  EXPECT_EQ(results(), "applied");
  const auto missing = missing_entities(residents, frames, 10);
  ASSERT_EQ(missing.size(), 1u);
  EXPECT_EQ(missing[0].key, "cold");
}

TEST_F(Batch, MissingEntitiesAreNamedOnceAndNoMoreThanAskedFor) {
  queue({{.id = "1", .key = "x"}, {.id = "2", .key = "x"}, {.id = "3", .key = "y", .type = "poem"}});
  queue({{.id = "1", .key = "y"}, {.id = "1", .key = "z"}, {.id = "1", .key = "k"}});
  EXPECT_EQ(missing_entities(residents, frames, 10).size(), 3u);
  EXPECT_EQ(missing_entities(residents, frames, 2).size(), 2u);
}

// rule A7: at the limit with all ids younger than the window. The floor is never raised for it.
TEST_F(Batch, AtTheLimitOfIdsNewOnesAreBusyAndKnownOnesAreKnown) {
  queue({{"1"}, {"2"}, {"3"}, {"4"}, {"2"}});
  auto& b = make();
  run(b);
  EXPECT_EQ(results(), "applied applied applied busy:ids_full blocked:earlier_unresolved");
  ASSERT_TRUE(b.seal(base));
  base = b.confirm(metrics, now);
  frames.clear();
  queue({{"2"}, {.id = "4", .name = "Stumble"}});
  auto& next = make();
  run(next);
  EXPECT_EQ(results(), "duplicate busy:ids_full");
  EXPECT_FALSE(next.writes());
  EXPECT_EQ(base.groups.at(0).floor, 0);
}

// rule A7: else a set that was full once would be full for ever
TEST_F(Batch, AFullSetTakesNewIdsOnceTheOldOnesLeftTheWindow) {
  queue({{"1"}, {"2"}, {"3"}});
  auto& b = make();
  run(b);
  ASSERT_TRUE(b.seal(base));
  base = b.confirm(metrics, now);
  frames.clear();
  const auto later = 1'000'001 + diary_retention.count();
  now.wall = later;
  queue({{.id = "4", .name = "Stumble", .sent_at = later}, {.id = "5", .sent_at = later}, {.id = "1"}});
  auto& next = make();
  run(next);
  EXPECT_EQ(results(), "refused:handler_error applied duplicate");
  ASSERT_TRUE(next.seal(base));
  base = next.confirm(metrics, now);
  EXPECT_EQ(base.groups.at(0).floor, 1'000'000);
  EXPECT_EQ(processed[0].size(), 2u);
}

TEST_F(Batch, WritesNothingForMessagesThatAreNotResolvedByIt) {
  queue({{.id = "1", .name = "Underline"}, {.id = "2", .key = "j", .type = "poem"}});
  auto& b = make();
  run(b);
  EXPECT_FALSE(b.writes());
  EXPECT_EQ(results(), "busy:unknown_message_type busy:unknown_entity_type");
}

// rule B13: a key that was blocked before the batch stays so when the batch is taken back
TEST_F(Batch, UndoGivesBackOnlyItsOwnResults) {
  queue({{.id = "1", .name = "Underline"}, {"2"}, {.id = "3", .key = "j"}});
  auto& first = make();
  ASSERT_TRUE(first.run(frames[0], 0, now));
  auto& second = make();
  run(second);
  EXPECT_EQ(results(), "busy:unknown_message_type blocked:earlier_unresolved applied");
  second.undo(frames);
  EXPECT_EQ(results(), "busy:unknown_message_type");
  auto& third = make();
  run(third);
  EXPECT_EQ(results(), "busy:unknown_message_type blocked:earlier_unresolved applied");
}

// A frame of a source may be finished, and only wait for a proof, when the batch runs.
TEST_F(Batch, UndoLeavesFramesAloneThatWereFinishedBefore) {
  queue({{"1"}});
  queue({{"a"}, {"b"}, {"c"}});
  frames[0].results.resize(1);
  frames[0].proven = queued_frame::proof::asked;
  frames[1].results.resize(2);
  auto& b = make();
  run(b);
  EXPECT_EQ(b.frames(), 2u);
  b.undo(frames);
  EXPECT_EQ(frames[0].results.size(), 1u);
  EXPECT_EQ(frames[0].proven, queued_frame::proof::asked);
  EXPECT_EQ(frames[1].results.size(), 2u);
}

// rule B13
TEST_F(Batch, FailGivesEachKeyItsResultOnceAndBlocksTheRest) {
  queue({{"1"}, {.id = "1", .key = "j"}, {"2"}});
  queue({{.id = "2", .key = "j"}});
  processed[0] = processed_set{"diary", {diary_retention, 100}};
  auto& b = make();
  run(b);
  b.fail(frames, {result_kind::unknown, reason_code::moved, "moved"});
  EXPECT_EQ(results(0), "unknown:moved unknown:moved blocked:earlier_unresolved");
  EXPECT_EQ(results(1), "unknown:moved");
  EXPECT_TRUE(frames[0].blocked.contains("k"));
}

TEST_F(Batch, AStateThatGrewTooLargeMakesItSayRunAgainExactly) {
  catalog.state_bytes_max = 1'000;
  queue({{"1"}, {.id = "2", .name = "Fill", .payload = packed(Fill{1'000})}, {.id = "3", .key = "j"}});
  auto& b = make();
  run(b);
  EXPECT_EQ(b.seal(base), std::nullopt);
  b.undo(frames);
  auto& exact = make(batch::sizing::exact);
  run(exact);
  EXPECT_EQ(results(), "applied refused:state_too_large applied");
  ASSERT_TRUE(exact.seal(base));
  (void)exact.confirm(metrics, now);
  EXPECT_EQ(in_memory("k").text, "");
}

// rule C22
TEST_F(Batch, ACommitThatGrewTooLargeMakesItSayRunAgainExactly) {
  processed[0] = processed_set{"diary", {diary_retention, 100}};
  std::vector<entry> entries;
  for (int i = 0; i < 10; ++i) {
    residents.put(0, std::to_string(i), {});
    entries.push_back({.id = "m", .key = std::to_string(i), .name = "Fill", .payload = packed(Fill{1'000'000})});
  }
  queue(entries);
  auto& b = make();
  run(b);
  EXPECT_TRUE(frames[0].finished());
  EXPECT_EQ(b.seal(base), std::nullopt);
  b.undo(frames);
  auto& exact = make(batch::sizing::exact);
  run(exact);
  // As many as surely fit: each might grow its state to the limit, and send as much as it may.
  const auto surely = limits::commit_bytes - catalog.state_bytes_max - limits::effect_bytes;
  EXPECT_EQ(frames[0].results.size(), surely / 1'000'000 + 1);
  const auto fields = exact.seal(base);
  ASSERT_TRUE(fields);
  EXPECT_LE(fields->bytes(), limits::commit_bytes);
}

// A state limit above that of a commit would else leave no room for any message.
TEST_F(Batch, TakesOneMessageHoweverLargeStatesMayBe) {
  catalog.state_bytes_max = 2 * limits::commit_bytes;
  queue({{"1"}, {.id = "2", .key = "j"}});
  auto& b = make(batch::sizing::exact);
  run(b);
  EXPECT_EQ(results(), "applied");
}

// rule C27
TEST_F(Batch, WithAFullOutboxWhatOtherShardsSendIsStillTaken) {
  for (std::size_t i = 0; i < limits::outbox_messages; ++i)
    books.sends.stage({0}, {"diary", "k", "Write", "\x80"}, 0, 1);
  field_list out;
  books.sends.seal(out);
  (void)books.sends.confirm();
  queue({{"1"}});
  queue({{"2"}});
  auto of = std::make_shared<sequence>();
  of->source = "shard/7";
  of->word = 1;
  of->positions = {{5, 1}};
  frames[1].contents.of = of;
  auto& b = make();
  run(b);
  EXPECT_EQ(results(0), "busy:outbox_full");
  EXPECT_EQ(results(1), "applied");
}

// rule C27
TEST_F(Batch, AboveTheHardLimitWhatWouldSendMoreBecomesADeadLetter) {
  struct Told {
    static entity_type type() {
      return entity<Diary>("diary").on([](Diary& d, const Write& m, context& ctx) {
        d.text += m.text;
        if (m.text == "send") ctx.send("diary", "k", Write{"sent"});
      });
    }
  };
  catalog.types = {Told::type()};
  for (std::size_t i = 0; i < limits::outbox_hard * limits::outbox_messages; ++i)
    books.sends.stage({0}, {"diary", "k", "Write", "\x80"}, 0, 1);
  field_list out;
  books.sends.seal(out);
  (void)books.sends.confirm();
  queue({{.id = "1", .payload = packed(Write{"send"})}, {.id = "2", .payload = packed(Write{"only"})}});
  auto of = std::make_shared<sequence>();
  of->source = "shard/7";
  of->word = 1;
  of->positions = {{5, 1}, {5, 2}};
  frames[0].contents.of = of;
  auto& b = make();
  run(b);
  EXPECT_EQ(results(0), "refused:outbox_full applied");
  ASSERT_TRUE(b.seal(base));
  (void)b.confirm(metrics, now);
  EXPECT_EQ(in_memory("k").text, "only");
  EXPECT_EQ(books.letters.size(), 1U);
}

}  // namespace
}  // namespace pawl::test
