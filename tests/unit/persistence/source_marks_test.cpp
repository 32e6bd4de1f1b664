// Goal: what has been taken of a source is known exactly, survives a takeover, and no bytes at all can do harm.
#include "persistence/source_marks.hpp"

#include "tests/unit/persistence/hex.hpp"

#include <gtest/gtest.h>

namespace pawl {
namespace {

/// The commit is sealed and confirmed; its fields.
field_list committed(source_marks& marks) {
  field_list out;
  marks.seal(out);
  marks.confirm();
  return out;
}

source_marks loaded(const field_list& fields) {
  source_marks marks;
  marks.reset(static_cast<std::uint32_t>(fields.size()));
  std::uint32_t slot = 0;
  for (const auto& [name, value] : fields) EXPECT_TRUE(marks.load(slot++, value)) << name;
  return marks;
}

std::string outside(int n) { return "source/s" + std::to_string(n) + "/1"; }

TEST(SourceMark, AtFirstCoversNothingButTheBeginning) {
  const source_mark m;
  EXPECT_EQ(m.mark(), position{});
  EXPECT_TRUE(m.covers({}));
  EXPECT_FALSE(m.covers({1, 1}));
}

// rule A3
TEST(SourceMark, CoversWhatLiesOnItsLinesUpToTheirEnds) {
  source_mark m;
  m.advance({7, 1}, 0);
  m.advance({7, 2}, 0);
  m.advance({9, 3}, 5);
  EXPECT_EQ(m.mark(), (position{9, 3}));
  EXPECT_EQ(m.content, 5u);
  EXPECT_TRUE(m.covers({7, 1}));
  EXPECT_TRUE(m.covers({7, 2}));
  EXPECT_TRUE(m.covers({9, 3}));
  EXPECT_FALSE(m.covers({7, 3}));  // another message than 9/3, with its number
  EXPECT_FALSE(m.covers({9, 4}));
  EXPECT_FALSE(m.covers({8, 1}));
}

// A source that is rolled back goes on with lower numbers on another line.
TEST(SourceMark, MayFallToALowerNumberOnANewLine) {
  source_mark m;
  m.advance({7, 10}, 0);
  m.advance({9, 4}, 0);
  EXPECT_EQ(m.mark(), (position{9, 4}));
  EXPECT_TRUE(m.covers({7, 10}));
  EXPECT_FALSE(m.covers({9, 5}));
}

TEST(SourceMark, BeyondItsLinesTheOldestIsDroppedAndTheBeginningIsNotKnownAnyMore) {
  source_mark m;
  for (std::uint64_t line = 1; line <= limits::lines_per_source; ++line) m.advance({line, line}, 0);
  EXPECT_FALSE(m.dropped);
  EXPECT_TRUE(m.covers({1, 1}));
  EXPECT_TRUE(m.covers({}));
  m.advance({100, 9}, 0);
  EXPECT_EQ(m.lines.size(), limits::lines_per_source);
  EXPECT_TRUE(m.dropped);
  EXPECT_FALSE(m.covers({1, 1}));
  EXPECT_TRUE(m.covers({2, 2}));
  EXPECT_FALSE(m.covers({}));
  m.advance({2, 10}, 0);  // a known line comes to the front and pushes none out
  EXPECT_EQ(m.lines.front(), (position{2, 10}));
  EXPECT_TRUE(m.covers({3, 3}));
}

// A change here makes every stored mark unreadable.
TEST(SourceMarks, HavePinnedBytes) {
  source_marks marks;
  marks.advance("shard/3", {0x0102, 300});
  marks.advance("shard/3", {5, 1}, 0x0a);
  const auto fields = committed(marks);
  ASSERT_EQ(fields.size(), 1u);
  EXPECT_EQ(fields[0].first, (std::string{"\0h0", 3}));
  EXPECT_EQ(to_hex(std::string{fields[0].second}), "01 07 73 68 61 72 64 2f 33 00 0a 00 00 00 00 00 00 00 02 "
                                                   "05 00 00 00 00 00 00 00 01 02 01 00 00 00 00 00 00 ac 02");
}

// rule B16
TEST(SourceMarks, WhatIsStagedIsSeenByTheBatchAndConfirmedOrDropped) {
  source_marks marks;
  marks.advance("shard/1", {1, 1});
  EXPECT_EQ(marks.of("shard/1").mark(), (position{1, 1}));
  EXPECT_EQ(marks.confirmed("shard/1").mark(), position{});
  field_list sealed;
  marks.seal(sealed);
  EXPECT_EQ(marks.slots(), 1u);
  marks.drop();
  EXPECT_EQ(marks.of("shard/1").mark(), position{});
  EXPECT_FALSE(marks.staged());
  marks.advance("shard/2", {1, 1});
  const auto fields = committed(marks);
  EXPECT_EQ(fields[0].first, (std::string{"\0h0", 3}));  // the slot of the dropped one
  EXPECT_EQ(marks.confirmed("shard/2").mark(), (position{1, 1}));
  EXPECT_EQ(marks.size(), 1u);
}

// rule C28
TEST(SourceMarks, OnlyThoseThatChangedAreWrittenAndEachInItsOwnField) {
  source_marks marks;
  marks.advance("shard/1", {1, 1});
  marks.advance("source/a/1", {1, 1}, 77);
  EXPECT_EQ(committed(marks).size(), 2u);
  marks.advance("source/a/1", {1, 2}, 78);
  const auto fields = committed(marks);
  ASSERT_EQ(fields.size(), 1u);
  EXPECT_EQ(fields[0].first, (std::string{"\0h1", 3}));
  EXPECT_EQ(committed(marks).size(), 0u);
}

TEST(SourceMarks, AreReadBack) {
  source_marks marks;
  for (std::uint64_t line = 1; line < 8; ++line) marks.advance("shard/1", {line, 10 + line});
  marks.advance("source/a/1", {1, 1}, 77);
  auto again = loaded(committed(marks));
  EXPECT_EQ(again.size(), 2u);
  for (const auto* source : {"shard/1", "source/a/1"}) EXPECT_EQ(again.confirmed(source), marks.confirmed(source));
  EXPECT_TRUE(again.confirmed("shard/1").dropped);
  // … and go on in the same fields.
  again.advance("source/a/1", {1, 2});
  EXPECT_EQ(committed(again)[0].first, (std::string{"\0h1", 3}));
}

// rule B17
TEST(SourceMarks, SourcesAboveTheLimitAreRefusedButShardsAndKnownOnesNever) {
  source_marks marks;
  for (int n = 0; n < static_cast<int>(limits::outside_sources); ++n) {
    ASSERT_TRUE(marks.admits(outside(n))) << n;
    marks.advance(outside(n), {1, 1});
    if (n == 500) (void)committed(marks);
  }
  EXPECT_FALSE(marks.admits("source/more/1"));  // half of them are only staged
  EXPECT_TRUE(marks.admits("shard/9"));
  EXPECT_TRUE(marks.admits(outside(3)));
  EXPECT_TRUE(marks.admits(outside(1'000)));
  marks.advance("shard/9", {1, 1});
  auto fields = committed(marks);
  EXPECT_FALSE(marks.admits("source/more/1"));
  marks.drop();
  marks.reset(0);
  EXPECT_TRUE(marks.admits("source/more/1"));
}

TEST(SourceMarks, ADroppedCommitMakesRoomForOtherSources) {
  source_marks marks;
  for (std::size_t n = 0; n < limits::outside_sources; ++n) marks.advance(outside(static_cast<int>(n)), {1, 1});
  EXPECT_FALSE(marks.admits("source/more/1"));
  marks.drop();
  EXPECT_TRUE(marks.admits("source/more/1"));
}

TEST(SourceMarks, TheLimitHoldsAfterALoad) {
  source_marks marks;
  for (std::size_t n = 0; n < limits::outside_sources; ++n) marks.advance(outside(static_cast<int>(n)), {1, 1});
  auto again = loaded(committed(marks));
  EXPECT_FALSE(again.admits("source/more/1"));
  EXPECT_TRUE(again.admits(outside(5)));
}

TEST(SourceMarks, EveryTruncationAndMoreBytesAreRefused) {
  source_marks marks;
  marks.advance("shard/3", {1, 300});
  const std::string bytes{committed(marks)[0].second};
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    source_marks other;
    other.reset(1);
    EXPECT_FALSE(other.load(0, bytes.substr(0, n))) << n;
  }
  source_marks other;
  other.reset(1);
  EXPECT_FALSE(other.load(0, bytes + '\0'));
}

TEST(SourceMarks, BytesThatContradictThemselvesAreRefused) {
  const std::string head = "01 01 78 ";  // source "x"
  const std::string content = "00 00 00 00 00 00 00 00 ";
  const std::string line = "01 00 00 00 00 00 00 00 01 ";
  for (const auto& hex : {
           "02 01 78 00 " + content + "01 " + line,  // a format of tomorrow
           head + "02 " + content + "01 " + line,    // neither yes nor no
           head + "00 " + content + "00 ",           // no line
           head + "00 " + content + "05 " + line + line + line + line + line,
           head + "00 " + content + "ff ff ff ff ff ff ff ff ff 01 " + line,
       }) {
    source_marks marks;
    marks.reset(1);
    EXPECT_FALSE(marks.load(0, from_hex(hex))) << hex;
  }
  source_marks marks;
  marks.reset(2);
  EXPECT_TRUE(marks.load(0, from_hex(head + "00 " + content + "01 " + line)));
  EXPECT_FALSE(marks.load(1, from_hex(head + "00 " + content + "01 " + line)));  // one source twice
}

TEST(SourceMarks, ASlotWithoutAFieldIsUsedAgain) {
  source_marks marks;
  marks.reset(2);
  marks.load_nothing(0);
  marks.load_nothing(1);
  marks.advance("shard/1", {1, 1});
  EXPECT_EQ(committed(marks)[0].first, (std::string{"\0h0", 3}));
}

TEST(SourceNames, ThoseOfShardsAreTheirOwn) {
  EXPECT_EQ(shard_source(17), "shard/17");
  EXPECT_TRUE(is_shard_source("shard/17"));
  EXPECT_FALSE(is_shard_source("source/shard/17"));
}

}  // namespace
}  // namespace pawl
