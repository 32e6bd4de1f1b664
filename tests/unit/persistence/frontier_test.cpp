// Goal: the bytes of `\0f` never change by accident, and no bytes at all can do harm.
#include "persistence/frontier.hpp"

#include "tests/unit/persistence/hex.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

namespace pawl {
namespace {

frontier sample() {
  frontier f;
  for (std::size_t i = 0; i < f.dataset.size(); ++i) f.dataset[i] = static_cast<std::uint8_t>(i + 1);
  f.seq = 300;
  f.groups.push_back({"order", 1, 2, 200, 1'000, 2'000});
  f.groups.push_back({"x", 0, 0, 1, 0, 5});
  return f;
}

TEST(Frontier, HasPinnedBytes) {
  // A change here makes every stored shard unreadable.
  EXPECT_EQ(to_hex(encode(sample())), "01 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 "
                                      "2c 01 00 00 00 00 00 00 02 "
                                      "05 6f 72 64 65 72 01 02 c8 01 e8 03 00 00 00 00 00 00 d0 07 00 00 00 00 00 00 "
                                      "01 78 00 00 01 00 00 00 00 00 00 00 00 05 00 00 00 00 00 00 00");
  EXPECT_EQ(to_hex(encode(frontier{})),
            "01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
}

TEST(Frontier, ReadsBackWhatItWrote) {
  EXPECT_EQ(decode_frontier(encode(sample())), sample());
  EXPECT_EQ(decode_frontier(encode(frontier{})), frontier{});
  frontier most;
  most.seq = std::numeric_limits<std::uint64_t>::max();
  most.groups.push_back({std::string(64, 't'), most.seq - 2, most.seq - 1, most.seq,
                         std::numeric_limits<unix_ms>::max(), std::numeric_limits<unix_ms>::max()});
  EXPECT_EQ(decode_frontier(encode(most)), most);
}

TEST(Frontier, CountsItsSlotsOnlyIfThereAreAny) {
  auto f = sample();
  f.slots = {1, 2, 300, 4, 5};
  EXPECT_EQ(to_hex(encode(f)), to_hex(encode(sample())) + " 01 02 ac 02 04 05");
  EXPECT_EQ(decode_frontier(encode(f)), f);
  f.slots = {0, 0, 0, 0, 1u << 22};
  EXPECT_EQ(decode_frontier(encode(f)), f);
}

TEST(Frontier, HoldsThePositionOfTheInboxOnceThereIsOne) {
  auto f = sample();
  f.inbox = {{300, 1}, 7};
  EXPECT_EQ(to_hex(encode(f)), to_hex(encode(sample())) + " 00 00 00 00 00 ac 02 01 07");
  EXPECT_EQ(decode_frontier(encode(f)), f);
  f.slots = {1, 2, 3, 4, 5};
  f.inbox.last = {std::numeric_limits<std::uint64_t>::max(), std::numeric_limits<std::uint64_t>::max()};
  EXPECT_EQ(decode_frontier(encode(f)), f);
  const auto bytes = encode(f);
  for (std::size_t cut = 1; cut < 21; ++cut) EXPECT_FALSE(decode_frontier(bytes.substr(0, bytes.size() - cut))) << cut;
  EXPECT_FALSE(decode_frontier(encode(sample()) + std::string(8, '\0'))) << "would have been left out";
}

TEST(Frontier, RefusesMoreSlotsThanCanBeLoadedAndSlotsThatNeedNotBeWritten) {
  for (auto count :
       {&slot_counts::marks, &slot_counts::pairs, &slot_counts::records, &slot_counts::timers, &slot_counts::letters}) {
    auto f = sample();
    f.slots.*count = (1u << 22) + 1;
    EXPECT_FALSE(decode_frontier(encode(f)));
  }
  // One shard has one frontier, byte for byte: by them an owner recognises the commit in doubt.
  EXPECT_FALSE(decode_frontier(encode(sample()) + std::string(5, '\0')));
  const std::string huge{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10};
  EXPECT_FALSE(decode_frontier(encode(sample()) + huge + std::string(4, '\0')));
}

TEST(Frontier, RefusesEveryTruncationAndBytesAfterTheEnd) {
  const auto bytes = encode(sample());
  for (std::size_t n = 0; n < bytes.size(); ++n)
    EXPECT_FALSE(decode_frontier(std::string_view{bytes}.substr(0, n))) << n << " bytes";
  EXPECT_FALSE(decode_frontier(bytes + '\0'));
  auto f = sample();
  f.slots = {1, 2, 300, 4, 5};
  const auto with_slots = encode(f);
  for (std::size_t n = bytes.size() + 1; n < with_slots.size(); ++n)
    EXPECT_FALSE(decode_frontier(std::string_view{with_slots}.substr(0, n))) << n << " bytes";
  EXPECT_FALSE(decode_frontier(with_slots + '\0'));
}

TEST(Frontier, RefusesAFormatItDoesNotKnow) {
  auto bytes = encode(sample());
  for (int version : {0, 2, 255}) {
    bytes[0] = static_cast<char>(version);
    EXPECT_FALSE(decode_frontier(bytes)) << version;
  }
}

TEST(Frontier, WhateverADamagedByteSaysIsRefusedOrWithinBounds) {
  const auto bytes = encode(sample());
  std::size_t refused = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (int value = 0; value < 256; ++value) {
      auto damaged = bytes;
      damaged[i] = static_cast<char>(value);
      auto f = decode_frontier(damaged);
      refused += f ? 0 : 1;
      if (!f) continue;
      for (const auto& g : f->groups) {
        ASSERT_LE(g.trimmed, g.first);
        ASSERT_LE(g.first, g.next);
        ASSERT_LE(g.next - g.first, 1u << 22);
        ASSERT_GE(g.floor, 0);
        ASSERT_LE(g.floor, g.high);
      }
      // What is accepted is what the bytes say: nothing was guessed.
      ASSERT_EQ(decode_frontier(encode(*f)), f);
    }
  }
  EXPECT_GT(refused, bytes.size());
}

TEST(Frontier, RefusesGroupsThatContradictThemselves) {
  const std::vector<std::pair<const char*, std::function<void(frontier&)>>> damages{
      {"trimmed above first", [](frontier& f) { f.groups[0].trimmed = f.groups[0].first + 1; }},
      {"first above next", [](frontier& f) { f.groups[0].first = f.groups[0].next + 1; }},
      {"more live groups than memory can hold", [](frontier& f) { f.groups[0].next = std::uint64_t{1} << 60; }},
      {"negative floor", [](frontier& f) { f.groups[0].floor = -1; }},
      {"floor above the greatest sent_at", [](frontier& f) { f.groups[0].floor = f.groups[0].high + 1; }},
      {"one type twice", [](frontier& f) { f.groups[1].type = f.groups[0].type; }},
      {"a name that is too long", [](frontier& f) { f.groups[0].type.assign(65, 'x'); }},
      {"too many types", [](frontier& f) {
         f.groups.clear();
         for (int i = 0; i <= 1'024; ++i) f.groups.push_back({std::to_string(i), 0, 0, 0, 0, 0});
       }}};
  for (const auto& [what, damage] : damages) {
    auto f = sample();
    damage(f);
    EXPECT_FALSE(decode_frontier(encode(f))) << what;
  }
}

TEST(Frontier, DoesNotBelieveACountItCannotHold) {
  auto bytes = encode(frontier{});
  bytes.pop_back();
  EXPECT_FALSE(decode_frontier(bytes + std::string{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10}));
  EXPECT_FALSE(decode_frontier(bytes + '\x02'));
}

TEST(Frontier, NamesOfFieldsArePinned) {
  EXPECT_EQ(frontier_field, (std::string_view{"\0f", 2}));
  EXPECT_EQ(id_group_field("order", 17), (std::string{"\0iorder/17", 10}));
  EXPECT_EQ(entity_field("order", "o-1"), "eorder/o-1");
  // A name holds no '/', so the first one ends it, whatever the key contains.
  EXPECT_EQ(entity_field("order", "a/b"), "eorder/a/b");
}

}  // namespace
}  // namespace pawl
