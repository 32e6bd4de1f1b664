// Goal: whatever a client of the store puts into an inbox is a message, or becomes a dead letter that says why not.
#include "actors/http/json_object.hpp"
#include "actors/inbox_entries.hpp"
#include "actors/trace_context.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace pawl {
namespace {

using fields = std::vector<std::pair<std::string, std::string>>;

const fields good{{"type", "order"}, {"key", "o1"}, {"message", "OrderCreated"}, {"id", "m1"}, {"payload", "\x80"}};

fields with(const std::string& name, const std::string& value) {
  auto f = good;
  for (auto& [n, v] : f)
    if (n == name) {
      v = value;
      return f;
    }
  f.emplace_back(name, value);
  return f;
}

fields without(const std::string& name) {
  auto f = good;
  std::erase_if(f, [&](const auto& x) { return x.first == name; });
  return f;
}

inbox_batch parse(const fields& f, std::uint32_t shards = 1) {
  const std::vector<inbox_entry> entries{{{1'700, 3}, f}};
  return parse_inbox(entries, 7, {0}, shards, &msgpack_of_json);
}

std::string problem(const fields& f, std::uint32_t shards = 1) { return parse(f, shards).items.front().problem; }

TEST(InboxEntries, AllFieldsMakeAMessageInItsPlace) {
  const auto b = parse(with("sent_at", "1234"));
  ASSERT_EQ(b.block->messages.size(), 1U);
  const auto& m = b.block->messages.front();
  EXPECT_EQ(b.items.front().problem, "");
  EXPECT_EQ(b.items.front().at, (inbox_position{{1'700, 3}, 7}));
  EXPECT_EQ(m.type, "order");
  EXPECT_EQ(m.key, "o1");
  EXPECT_EQ(m.name, "OrderCreated");
  EXPECT_EQ(m.id, "m1");
  EXPECT_EQ(m.payload, "\x80");
  EXPECT_EQ(m.sent_at, 1'234);
  EXPECT_EQ(m.seq, 0U);
  EXPECT_FALSE(m.stamped);
}

TEST(InboxEntries, WithoutATimeTheEntrysIdGivesOne) {
  const auto m = parse(good).block->messages.front();
  EXPECT_EQ(m.sent_at, 1'700);
  EXPECT_TRUE(m.stamped);
}

TEST(InboxEntries, NumbersGoOnFromTheFirst) {
  const std::vector<inbox_entry> entries{{{1, 0}, good}, {{1, 1}, good}, {{2, 0}, good}};
  const auto b = parse_inbox(entries, 10, {0}, 1, &msgpack_of_json);
  EXPECT_EQ(b.items[0].at, (inbox_position{{1, 0}, 10}));
  EXPECT_EQ(b.items[2].at, (inbox_position{{2, 0}, 12}));
  EXPECT_EQ(b.block->messages.size(), 3U);
}

TEST(InboxEntries, AJsonObjectIsAPayloadToo) {
  const auto b = parse(with("payload", R"( {"a": 1, "b": [true]})"));
  EXPECT_EQ(b.block->messages.front().payload, "\x82\xa1"
                                               "a\x01\xa1"
                                               "b\x91\xc3");
}

TEST(InboxEntries, ATraceIsTakenIfItIsOne) {
  const std::string valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const auto traced = parse(with("traceparent", valid));
  EXPECT_EQ(traced.items.front().problem, "");
  EXPECT_EQ(traced.block->messages.front().trace, parse_traceparent(valid));
  for (const auto& other : {std::string{}, std::string{"00-zz"}, std::string(1'000, '0')}) {
    const auto ignored = parse(with("traceparent", other));
    EXPECT_EQ(ignored.items.front().problem, "");
    EXPECT_EQ(ignored.block->messages.front().trace, "");
  }
}

TEST(InboxEntries, NoPayloadIsAnEmptyOne) {
  const auto b = parse(without("payload"));
  EXPECT_EQ(b.items.front().problem, "");
  EXPECT_EQ(b.block->messages.front().payload, "\x80");
}

TEST(InboxEntries, WhatIsWrongIsNamed) {
  for (const auto* name : {"type", "key", "message", "id"})
    EXPECT_EQ(problem(without(name)), "field \"" + std::string{name} + "\" is missing");
  EXPECT_NE(problem(with("prio", "1")).find("unknown field \"prio\""), std::string::npos);
  auto twice = good;
  twice.emplace_back("id", "m2");
  EXPECT_EQ(problem(twice), "field \"id\" stands twice");
  EXPECT_NE(problem(with("sent_at", "12x")).find("sent_at"), std::string::npos);
  EXPECT_NE(problem(with("sent_at", "-1")).find("sent_at"), std::string::npos);
  EXPECT_NE(problem(with("sent_at", "9223372036854775808")).find("sent_at"), std::string::npos);
  EXPECT_NE(problem(with("seq", "0")).find("seq"), std::string::npos);
  EXPECT_NE(problem(with("type", "or der")).find("type"), std::string::npos);
  EXPECT_NE(problem(with("key", "")).find("key"), std::string::npos);
  EXPECT_NE(problem(with("key", std::string(257, 'k'))).find("key"), std::string::npos);
  EXPECT_NE(problem(with("id", "\xff")).find("UTF-8"), std::string::npos);
  EXPECT_NE(problem(with("payload", "[]")).find("payload"), std::string::npos);
  EXPECT_NE(problem(with("payload", "{\"a\":")).find("not valid JSON"), std::string::npos);
  EXPECT_NE(problem(with("payload", R"({"a":1,"a":2})")).find("payload"), std::string::npos);
  EXPECT_NE(problem(with("payload", "{} {}")).find("not valid JSON"), std::string::npos);
  EXPECT_NE(problem(with("payload", std::string(1, '\x81') + std::string(limits::payload_bytes, 'x'))).find("payload"),
            std::string::npos);
  EXPECT_EQ(problem({}), "field \"type\" is missing");
}

TEST(InboxEntries, DeepNestingIsRefusedWithoutUsingTheStack) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += R"({"a":)";
  EXPECT_NE(problem(with("payload", deep)).find("nested deeper than 32"), std::string::npos);
}

TEST(InboxEntries, AKeyOfAnotherShardIsSentThere) {
  const std::vector<inbox_entry> entries{{{1, 0}, good}};
  int wrong = 0;
  for (std::uint32_t s = 0; s < 4; ++s) {
    const auto b = parse_inbox(entries, 1, {s}, 4, &msgpack_of_json);
    if (b.items.front().problem.empty()) continue;
    ++wrong;
    EXPECT_NE(b.items.front().problem.find("belongs to shard"), std::string::npos);
  }
  EXPECT_EQ(wrong, 3);
}

TEST(InboxEntries, WhatIsNoMessageIsKeptWithinLimitsForPeople) {
  auto f = with("type", "bad type");
  f.emplace_back("junk", std::string(100'000, 'j'));
  for (int i = 0; i < 100; ++i) f.emplace_back("f" + std::to_string(i), "v");
  f[1].second = std::string(1'000, 'k');
  const auto b = parse(f);
  const auto& m = b.block->messages.front();
  EXPECT_NE(b.items.front().problem, "");
  EXPECT_EQ(m.type, "");
  EXPECT_EQ(m.name, "OrderCreated");
  EXPECT_EQ(m.key.size(), limits::id_bytes);
  EXPECT_LT(m.payload.size(), 5'000U);
  EXPECT_NE(m.payload.find("jjjj"), std::string::npos);
}

}  // namespace
}  // namespace pawl
