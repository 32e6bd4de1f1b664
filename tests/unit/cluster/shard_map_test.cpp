#include "cluster/shard_map.hpp"

#include <gtest/gtest.h>

namespace pawl {
namespace {

TEST(ShardMap, ComputesCrc16AsEveryRedisClusterClientDoes) {
  EXPECT_EQ(crc16_xmodem("123456789"), 0x31c3);  // the check value of CRC-16/XMODEM
  EXPECT_EQ(crc16_xmodem(""), 0);
}

TEST(ShardMap, HashesTheTagInBracesOnlyIfItIsNotEmpty) {
  EXPECT_EQ(hashed_part("{user1}.cart"), "user1");
  EXPECT_EQ(hashed_part("a{b}{c}"), "b");
  EXPECT_EQ(hashed_part("foo{}{bar}"), "foo{}{bar}");
  EXPECT_EQ(hashed_part("foo{bar"), "foo{bar");
  EXPECT_EQ(hashed_part("{{x}}"), "{x");
  EXPECT_EQ(hashed_part("}{"), "}{");
}

TEST(ShardMap, PinsTheShardOfKnownKeys) {
  // Changing these would move every key of every dataset.
  EXPECT_EQ(shard_of("order-1", 256).value, crc16_xmodem("order-1") % 256u);
  EXPECT_EQ(shard_of("123456789", 256).value, 0xc3u);
  EXPECT_EQ(shard_of("123456789", 16384).value, 0x31c3u);
  EXPECT_EQ(shard_of("x{123456789}y", 256).value, 0xc3u);
}

}  // namespace
}  // namespace pawl
