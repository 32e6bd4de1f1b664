// Decoding is on the path of every message: it must allocate what the user's members need and nothing else.
#include "persistence/codec.hpp"

#include "tests/unit/persistence/count_allocations.hpp"

#include <gtest/gtest.h>

namespace {

struct position {
  double x = 0, y = 0;
  PAWL_FIELDS(x, y)
};
struct moved {
  std::string short_text;  // fits into the string object
  std::vector<position> track;
  std::optional<position> last;
  PAWL_MESSAGE(moved, short_text, track, last)
};

std::size_t allocations_of_decode(const moved& m) {
  std::string bytes, error;
  pawl::encode_msgpack(m, bytes);
  moved warm_up, target;
  EXPECT_TRUE(pawl::decode_msgpack(bytes, warm_up, error)) << error;  // the first call of a thread sets up its parser
  const auto before = pawl::test::allocations;
  const bool ok = pawl::decode_msgpack(bytes, target, error);
  const auto count = pawl::test::allocations - before;
  EXPECT_TRUE(ok) << error;
  return count;
}

TEST(CodecAllocation, DecodingAllocatesOnlyWhatTheMembersNeed) {
  EXPECT_EQ(allocations_of_decode({.short_text = "short", .track = {}, .last = position{}}), 0u);
  EXPECT_EQ(allocations_of_decode({.short_text = "short", .track = std::vector<position>(1000), .last = {}}), 1u);
}

}  // namespace
