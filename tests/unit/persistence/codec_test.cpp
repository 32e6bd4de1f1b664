// The typed codec: golden bytes for what is written, and tables of inputs, good and hostile, for what is read. Input is
// written as msgpack bytes in hex, since no packer of ours may decide what a stranger sends.
#include "persistence/codec.hpp"

#include "tests/unit/persistence/hex.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace {

enum class colour : std::uint8_t { red, green };

struct item {
  std::string sku;
  double price = 1.5;
  PAWL_FIELDS(sku, price)
};

struct everything {
  bool flag = false;
  std::int8_t i8 = 0;
  std::uint8_t u8 = 0;
  std::int16_t i16 = 0;
  std::uint16_t u16 = 0;
  std::int32_t i32 = 0;
  std::uint32_t u32 = 0;
  std::int64_t i64 = 0;
  std::uint64_t u64 = 0;
  float f = 0;
  double d = 0;
  std::string s;
  colour c = colour::red;
  std::optional<std::int64_t> maybe;
  std::optional<item> maybe_item;
  std::vector<std::string> tags;
  std::vector<item> items;
  std::map<std::string, std::int64_t> counts;
  std::unordered_map<std::string, item> by_sku;
  item part;
  PAWL_STATE(flag, i8, u8, i16, u16, i32, u32, i64, u64, f, d, s, c, maybe, maybe_item, tags, items, counts, by_sku,
             part)
};

struct nothing {
  PAWL_MESSAGE(nothing)
};
struct one {
  std::int64_t n = 7;
  PAWL_MESSAGE(one, n)
};
/// `order_v1` two versions later: renamed, added, removed.
struct order_v1 {
  std::int64_t amount = 0;
  std::string state;
  std::string note;
  PAWL_STATE(amount, state, note)
};
struct order_v2 {
  std::int64_t total = -1;
  std::string status = "none";
  std::uint64_t version = 5;
  PAWL_STATE(total, status, version)
  PAWL_FORMER_NAMES({"amount", "total"}, {"sum", "total"}, {"state", "status"})
};
struct thirty_two {
  int a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0, a6 = 0, a7 = 0, a8 = 0, a9 = 0, a10 = 0, a11 = 0, a12 = 0, a13 = 0,
      a14 = 0, a15 = 0, a16 = 0, a17 = 0, a18 = 0, a19 = 0, a20 = 0, a21 = 0, a22 = 0, a23 = 0, a24 = 0, a25 = 0,
      a26 = 0, a27 = 0, a28 = 0, a29 = 0, a30 = 0, a31 = 0, a32 = 0;
  PAWL_MESSAGE(thirty_two, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, a17, a18, a19, a20,
               a21, a22, a23, a24, a25, a26, a27, a28, a29, a30, a31, a32)
};
struct semicolon_is_harmless {
  int n = 0;
  PAWL_STATE(n);
};
struct nested {
  std::vector<std::vector<std::vector<int>>> deep;
  PAWL_STATE(deep)
};
/// Contains itself, so that its values may nest without end.
struct endless {
  std::vector<endless> children;
  PAWL_STATE(children)
};

static_assert(std::is_aggregate_v<one> && std::is_aggregate_v<everything>);
static_assert(one{.n = 3}.n == 3);
static_assert(pawl::message_struct<nothing> && !pawl::state_struct<nothing>);
static_assert(pawl::state_struct<everything> && !pawl::message_struct<everything>);
static_assert(pawl::has_codec_fields<item> && !pawl::message_struct<item> && !pawl::state_struct<item>);
static_assert(one::pawl_message_name() == "one");
static_assert(pawl::codec::readable_again<nested> && !pawl::codec::readable_again<endless>);
static_assert(!pawl::codec::storable<int*> && !pawl::codec::storable<std::map<int, int>>);

template <class T>
std::string encoded(const T& value) {
  std::string out;
  pawl::encode_msgpack(value, out);
  return out;
}

template <class T>
std::string decode_error(std::string_view hex, T value = {}) {
  std::string error;
  if (pawl::decode_msgpack(from_hex(hex), value, error)) return "accepted";
  return error;
}

template <class T>
T decoded(std::string_view hex, T value = {}) {
  std::string error;
  EXPECT_TRUE(pawl::decode_msgpack(from_hex(hex), value, error)) << hex << ": " << error;
  return value;
}

/// {"<name>": <value>} with a name of up to 15 bytes.
std::string field(std::string_view name, std::string_view value_hex) {
  return "81" + to_hex(std::string(1, static_cast<char>(0xa0 + name.size())) + std::string{name}) +
         std::string{value_hex};
}

TEST(Codec, WritesMapsFromMemberNameToValueInShortestForm) {
  EXPECT_EQ(to_hex(encoded(nothing{})), "80");
  EXPECT_EQ(to_hex(encoded(one{.n = 5})), "81 a1 6e 05");
  EXPECT_EQ(to_hex(encoded(one{.n = -1})), "81 a1 6e ff");
  EXPECT_EQ(to_hex(encoded(one{.n = 300})), "81 a1 6e cd 01 2c");
  EXPECT_EQ(to_hex(encoded(one{.n = std::numeric_limits<std::int64_t>::min()})), "81 a1 6e d3 80 00 00 00 00 00 00 00");
  EXPECT_EQ(to_hex(encoded(item{.sku = "x", .price = 2})),
            "82 a3 73 6b 75 a1 78 a5 70 72 69 63 65 cb 40 00 00 00 00 00 00 00");
}

TEST(Codec, ReadsBackWhatItWrote) {
  everything v;
  v.flag = true;
  v.i8 = -128, v.u8 = 255, v.i16 = -32768, v.u16 = 65535, v.i32 = std::numeric_limits<std::int32_t>::min();
  v.u32 = std::numeric_limits<std::uint32_t>::max();
  v.i64 = std::numeric_limits<std::int64_t>::min(), v.u64 = std::numeric_limits<std::uint64_t>::max();
  v.f = -0.0f, v.d = 0x1p64, v.s = std::string("a\0\xff", 3), v.c = colour::green;
  v.maybe = -5, v.maybe_item = item{"m", 0.1};
  v.tags = {"", std::string(300, 't')};
  v.items = {{"a", 1}, {"b", -2.5}};
  v.counts = {{"", 1}, {"k", 2}};
  v.by_sku = {{"q", {"q", 9}}};
  v.part = {"p", 3};
  const auto bytes = encoded(v);
  everything back;
  std::string error;
  ASSERT_TRUE(pawl::decode_msgpack(bytes, back, error)) << error;
  EXPECT_EQ(back.i8, -128);
  EXPECT_EQ(back.u8, 255);
  EXPECT_EQ(back.i64, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(back.u64, std::numeric_limits<std::uint64_t>::max());
  EXPECT_TRUE(std::signbit(back.f));
  EXPECT_EQ(back.d, 0x1p64);
  EXPECT_EQ(back.s, v.s);
  EXPECT_EQ(back.c, colour::green);
  EXPECT_EQ(back.maybe_item->sku, "m");
  EXPECT_EQ(back.items[1].price, -2.5);
  EXPECT_EQ(back.by_sku.at("q").price, 9);
  // The rest is compared as bytes: equal values encode equally.
  EXPECT_EQ(encoded(back), bytes);
}

TEST(Codec, ReadsAndWritesThirtyTwoMembers) {
  thirty_two v;
  v.a1 = 1, v.a32 = 32;
  EXPECT_EQ(encoded(v).substr(0, 3), from_hex("de0020"));
  thirty_two back;
  std::string error;
  ASSERT_TRUE(pawl::decode_msgpack(encoded(v), back, error)) << error;
  EXPECT_EQ(back.a1, 1);
  EXPECT_EQ(back.a32, 32);
}

TEST(Codec, MissingMembersKeepWhatTheValueHeld) {
  EXPECT_EQ(decoded<one>("80").n, 7);
  EXPECT_EQ(decoded("80", one{.n = 9}).n, 9);
  EXPECT_EQ(decoded<item>("81a3736b75a178").price, 1.5);
}

TEST(Codec, ARenamedMemberIsReadUnderTheNamesItHad) {
  std::string before, error;
  pawl::encode_msgpack(order_v1{12, "paid", "gift"}, before);
  order_v2 after;
  ASSERT_TRUE(pawl::decode_msgpack(before, after, error)) << error;
  EXPECT_EQ(after.total, 12);
  EXPECT_EQ(after.status, "paid");
  EXPECT_EQ(after.version, 5U) << "added since: its default";
  // {"sum": 3}
  ASSERT_TRUE(pawl::decode_msgpack(from_hex("81 a3 73 75 6d 03"), after, error)) << error;
  EXPECT_EQ(after.total, 3);
}

TEST(Codec, WhatIsWrittenHasThePresentNamesOnly) {
  std::string bytes, again, error;
  pawl::encode_msgpack(order_v2{1, "a", 2}, bytes);
  EXPECT_EQ(bytes.find("amount"), std::string::npos);
  order_v2 back;
  ASSERT_TRUE(pawl::decode_msgpack(bytes, back, error));
  pawl::encode_msgpack(back, again);
  EXPECT_EQ(again, bytes);
}

TEST(Codec, AWrongTypeUnderAFormerNameIsNamedByThat) {
  order_v2 after;
  std::string error;
  EXPECT_FALSE(pawl::decode_msgpack(from_hex("81 a6 61 6d 6f 75 6e 74 a1 78"), after, error));
  EXPECT_NE(error.find("field 'amount'"), std::string::npos) << error;
}

TEST(Codec, UnknownKeysAreSkippedWhateverTheyHold) {
  // {"a": {"n": [1, {"n": nil}], "b": bin, "e": ext}, "n": 3, "z": 1.5}
  auto v =
      decoded<one>("83 a161 83 a16e 92 01 81 a16e c0 a162 c4 02 0001 a165 d4 05 00 a16e 03 a17a cb3ff8000000000000");
  EXPECT_EQ(v.n, 3);
}

TEST(Codec, OfAKeyThatComesTwiceTheLastCounts) {
  EXPECT_EQ(decoded<one>("82 a16e 01 a16e 02").n, 2);
  // {"part": {"sku": "x"}, "part": {"price": 2}}: the second is a whole value, not an amendment of the first.
  auto v = decoded<everything>("82 a470617274 81 a3736b75 a178 a470617274 81 a57072696365 02");
  EXPECT_EQ(v.part.sku, "");
  EXPECT_EQ(v.part.price, 2);
  EXPECT_EQ(decoded<everything>("82 a474616773 92 a161 a162 a474616773 91 a163").tags, std::vector<std::string>{"c"});
  EXPECT_EQ(decoded<everything>("81 a6636f756e7473 82 a16b 01 a16b 02").counts.at("k"), 2);
  EXPECT_FALSE(decoded<everything>("82 a56d61796265 05 a56d61796265 c0").maybe);
}

TEST(Codec, ContainersReplaceWhatTheValueHeld) {
  everything before;
  before.tags = {"old"};
  before.counts = {{"old", 1}};
  before.maybe = 4;
  auto v = decoded("83 a474616773 90 a6636f756e7473 80 a56d61796265 c0", before);
  EXPECT_TRUE(v.tags.empty());
  EXPECT_TRUE(v.counts.empty());
  EXPECT_FALSE(v.maybe);
}

TEST(Codec, WholeFloatingPointNumbersAreTakenForIntegers) {
  EXPECT_EQ(decoded<one>("81 a16e cb3ff0000000000000").n, 1);
  EXPECT_EQ(decoded<one>("81 a16e ca40000000").n, 2);
  EXPECT_EQ(decoded<one>("81 a16e cb8000000000000000").n, 0);                                         // -0.0
  EXPECT_EQ(decoded<one>("81 a16e cbc3e0000000000000").n, std::numeric_limits<std::int64_t>::min());  // -2^63
  EXPECT_EQ(decoded<everything>(field("u64", "cb43efffffffffffff")).u64, 0xfffffffffffff800u);
}

TEST(Codec, IntegersAreTakenForFloatingPointNumbers) {
  EXPECT_EQ(decoded<everything>(field("d", "03")).d, 3);
  EXPECT_EQ(decoded<everything>(field("d", "ff")).d, -1);
  EXPECT_EQ(decoded<everything>(field("f", "cfffffffffffffffff")).f, 0x1p64f);
  EXPECT_TRUE(std::isnan(decoded<everything>(field("d", "cb7ff8000000000000")).d));
  EXPECT_TRUE(std::isinf(decoded<everything>(field("f", "cb7ff0000000000000")).f));
}

TEST(Codec, SignedEncodingsOfPositiveNumbersAreTaken) {
  EXPECT_EQ(decoded<everything>(field("u8", "d005")).u8, 5);
  EXPECT_EQ(decoded<everything>(field("u64", "d30000000000000005")).u64, 5u);
}

struct refused_row {
  std::string input;
  std::string_view error;
};

TEST(Codec, NamesFieldAndTypesOfWhatDoesNotFit) {
  const refused_row rows[] = {
      {"90", "expected a map, got an array"},
      {"c0", "expected a map, got null"},
      {"a0", "expected a map, got a string"},
      {field("flag", "01"), "field 'flag': expected a boolean, got an integer"},
      {field("i64", "a131"), "field 'i64': expected an integer, got a string"},
      {field("i64", "c3"), "field 'i64': expected an integer, got a boolean"},
      {field("i64", "c0"), "field 'i64': expected an integer, got null"},
      {field("i64", "cb3ff8000000000000"), "field 'i64': expected an integer, got 1.5"},
      {field("i64", "cb7ff8000000000000"), "field 'i64': expected an integer, got nan"},
      {field("i64", "cb7ff0000000000000"), "field 'i64': inf is out of range of an integer"},
      {field("u64", "cb43f0000000000000"), "field 'u64': 18446744073709551616 is out of range of an integer"},
      {field("i64", "90"), "field 'i64': expected an integer, got an array"},
      {field("i64", "80"), "field 'i64': expected an integer, got a map"},
      {field("i64", "d40500"), "field 'i64': expected an integer, got an extension value"},
      {field("i64", "cf8000000000000000"),
       "field 'i64': 9223372036854775808 is out of range: expected an integer from -9223372036854775808 to "
       "9223372036854775807"},
      {field("i8", "cc80"), "field 'i8': 128 is out of range: expected an integer from -128 to 127"},
      {field("i8", "d1ff7f"), "field 'i8': -129 is out of range: expected an integer from -128 to 127"},
      {field("i16", "d2ffff7fff"), "field 'i16': -32769 is out of range: expected an integer from -32768 to 32767"},
      {field("u8", "cd0100"), "field 'u8': 256 is out of range: expected an integer from 0 to 255"},
      {field("u8", "ff"), "field 'u8': -1 is out of range: expected an integer from 0 to 255"},
      {field("u64", "ff"), "field 'u64': -1 is out of range: expected an integer from 0 to 18446744073709551615"},
      {field("u8", "cbbff0000000000000"), "field 'u8': -1 is out of range: expected an integer from 0 to 255"},
      {field("c", "cd0100"), "field 'c': 256 is out of range: expected an integer from 0 to 255"},
      {field("d", "a0"), "field 'd': expected a number, got a string"},
      {field("f", "cb7e37e43c8800759c"), "field 'f': 1e+300 is out of range of a 32-bit number"},
      {field("s", "01"), "field 's': expected a string, got an integer"},
      {field("s", "c40161"), "field 's': expected a string, got binary data"},
      {field("tags", "80"), "field 'tags': expected an array, got a map"},
      {field("tags", "92a061"), "field 'tags[1]': expected a string, got an integer"},
      {field("counts", "90"), "field 'counts': expected a map, got an array"},
      {field("counts", "81a16ba0"), "field 'counts[\"k\"]': expected an integer, got a string"},
      {field("counts", "81a40a27c3a9a0"), "field 'counts[\"????\"]': expected an integer, got a string"},
      {field("maybe", "a0"), "field 'maybe': expected an integer, got a string"},
      {field("maybe_item", "81a3736b7501"), "field 'maybe_item.sku': expected a string, got an integer"},
      {field("part", "c0"), "field 'part': expected a map, got null"},
      {field("items", "9380 80 81a57072696365a131"), "field 'items[2].price': expected a number, got a string"},
      {field("by_sku", "81a171 81a57072696365c0"), "field 'by_sku[\"q\"].price': expected a number, got null"},
  };
  for (const auto& [input, error] : rows) EXPECT_EQ(decode_error<everything>(input), error) << input;
}

TEST(Codec, ALongKeyIsCutInErrors) {
  auto error = decode_error<everything>("81 a6636f756e7473 81 d9c8" + to_hex(std::string(200, 'k')) + "a0");
  EXPECT_EQ(error, "field 'counts[\"" + std::string(64, 'k') + "...\"]': expected an integer, got a string");
}

TEST(Codec, DeepStructsAreFilledAtEveryLevel) {
  auto v = decoded<nested>("81 a464656570 92 90 92 91 05 92 06 07");
  ASSERT_EQ(v.deep.size(), 2u);
  EXPECT_EQ(v.deep[1][1], (std::vector<int>{6, 7}));
}

TEST(Codec, AnnouncedSizesAreNotBelievedBeforeTheInputCanHoldThem) {
  // Would reserve 65,536 and then 4 billion elements.
  EXPECT_EQ(decode_error<everything>(field("items", "dd00010000")),
            "an array announces 65536 elements, more than the input holds");
  EXPECT_EQ(decode_error<everything>(field("items", "ddffffffff")),
            "an array has 4294967295 elements; at most 65536 are allowed");
  EXPECT_EQ(decode_error<everything>(field("by_sku", "dfffffffff")),
            "a map has 4294967295 elements; at most 65536 are allowed");
}

// Good input with some bytes changed: fits or is refused with a text, never a crash (sanitizers watch).
TEST(Codec, GivesAnAnswerForDamagedInput) {
  everything v;
  v.tags = {"a", "b"}, v.items = {{"x", 1}, {"y", 2}}, v.counts = {{"k", 1}}, v.by_sku = {{"q", {}}};
  v.maybe = 1, v.maybe_item = item{};
  const auto good = encoded(v);
  std::mt19937 random{7420};
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = good;
    for (auto n = random() % 3 + 1; n > 0; --n) bytes[random() % bytes.size()] = static_cast<char>(random());
    everything target;
    std::string error;
    const bool ok = pawl::decode_msgpack(bytes, target, error);
    EXPECT_EQ(ok, error.empty());
    refused += !ok;
  }
  EXPECT_GT(refused, 1000);
  EXPECT_LT(refused, 20'000);
}

TEST(Codec, StoredStatesMayHaveAsManyElementsAsTheirBytesHold) {
  everything v;
  v.tags.resize(pawl::codec_limits::elements + 1);
  everything back;
  std::string error;
  EXPECT_FALSE(pawl::decode_msgpack(encoded(v), back, error));
  ASSERT_TRUE(pawl::decode_msgpack(encoded(v), back, error, pawl::codec_limits::stored_elements)) << error;
  EXPECT_EQ(back.tags.size(), v.tags.size());
}

}  // namespace
