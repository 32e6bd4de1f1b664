#include "cluster/bytes.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace pawl {
namespace {

TEST(Bytes, ReadsBackWhatItWrote) {
  std::string out;
  byte_writer w{out};
  w.u8(0xfe);
  w.u16(0xfedc);
  w.u32(0xfedcba98);
  w.u64(std::numeric_limits<std::uint64_t>::max());
  w.i64(-2);
  for (std::uint64_t v : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, std::uint64_t{1} << 63,
                          std::numeric_limits<std::uint64_t>::max()})
    w.varint(v);
  w.bytes("shard");
  byte_reader r{out};
  EXPECT_EQ(r.u8(), 0xfe);
  EXPECT_EQ(r.u16(), 0xfedc);
  EXPECT_EQ(r.u32(), 0xfedcba98u);
  EXPECT_EQ(r.u64(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(r.i64(), -2);
  for (std::uint64_t v : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, std::uint64_t{1} << 63,
                          std::numeric_limits<std::uint64_t>::max()})
    EXPECT_EQ(r.varint(), v);
  EXPECT_EQ(r.bytes(5), "shard");
  EXPECT_TRUE(r.finished());
}

TEST(Bytes, FailsAtEveryTruncationWithoutReadingPastTheEnd) {
  std::string out;
  byte_writer w{out};
  w.u32(7);
  w.bytes("abcdef");
  w.varint(300);
  for (std::size_t n = 0; n < out.size(); ++n) {
    byte_reader r{std::string_view{out}.substr(0, n)};
    (void)r.u32();
    (void)r.bytes(100);
    (void)r.varint();
    EXPECT_TRUE(r.failed()) << n;
  }
}

TEST(Bytes, RefusesLengthsBeyondTheLimitAndVarintsThatOverflow) {
  std::string out;
  byte_writer{out}.bytes("abcdef");
  byte_reader r{out};
  EXPECT_EQ(r.bytes(5), "");
  EXPECT_TRUE(r.failed());

  byte_reader endless{std::string_view{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11}};
  EXPECT_EQ(endless.varint(), 0u);
  EXPECT_TRUE(endless.failed());
  byte_reader eleventh_bit{std::string_view{"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10}};
  EXPECT_EQ(eleventh_bit.varint(), 0u);
  EXPECT_TRUE(eleventh_bit.failed());
}

TEST(Bytes, SeesBytesAfterTheEnd) {
  byte_reader r{"ab"};
  (void)r.u8();
  EXPECT_FALSE(r.failed());
  EXPECT_FALSE(r.finished());
}

}  // namespace
}  // namespace pawl
