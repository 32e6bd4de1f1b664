#include "persistence/state_blob.hpp"

#include "tests/unit/persistence/hex.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace {

std::string blob(std::uint64_t last_seq, std::string_view state) {
  std::string out;
  pawl::begin_state_blob(out, last_seq);
  return out.append(state);
}

TEST(StateBlob, HasPinnedBytes) {
  EXPECT_EQ(to_hex(blob(0, "\x80")), "01 00 80");
  EXPECT_EQ(to_hex(blob(300, "\x80")), "01 ac 02 80");
}

TEST(StateBlob, IsReadBack) {
  for (std::uint64_t seq :
       {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, std::numeric_limits<std::uint64_t>::max()}) {
    std::string error;
    const auto bytes = blob(seq, "state");
    auto read = pawl::decode_state_blob(bytes, error);
    ASSERT_TRUE(read) << error;
    EXPECT_EQ(read->last_seq, seq);
    EXPECT_EQ(read->state, "state");
  }
}

// rule A19
TEST(StateBlob, OfAnErasedEntityHoldsItsLastNumberOnly) {
  std::string bytes, error;
  pawl::append_erased_blob(bytes, 300);
  EXPECT_EQ(to_hex(bytes), "02 ac 02");
  auto read = pawl::decode_state_blob(bytes, error);
  ASSERT_TRUE(read) << error;
  EXPECT_EQ(read->last_seq, 300u);
  EXPECT_TRUE(read->state.empty());
  EXPECT_FALSE(pawl::decode_state_blob(from_hex("02 00 80"), error));
}

TEST(StateBlob, OfAnotherVersionIsRefusedWithBothVersions) {
  std::string error;
  EXPECT_FALSE(pawl::decode_state_blob(from_hex("03 00 80"), error));
  EXPECT_EQ(error, "stored state has format version 3, this program knows version 1: run the version of the program "
                   "that wrote it, or a newer one");
}

TEST(StateBlob, ThatIsCutOrDamagedIsRefused) {
  for (std::string_view hex : {"", "01", "01 00", "01 80", "01 ff ff ff ff ff ff ff ff ff 02 80", "00 00 80"}) {
    std::string error;
    EXPECT_FALSE(pawl::decode_state_blob(from_hex(hex), error)) << hex;
    EXPECT_FALSE(error.empty()) << hex;
  }
}

}  // namespace
