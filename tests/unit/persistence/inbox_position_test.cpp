#include "persistence/inbox_position.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace pawl {
namespace {

constexpr auto most = std::numeric_limits<std::uint64_t>::max();

TEST(EntryId, IsReadAsItIsWritten) {
  for (const entry_id id : {entry_id{}, entry_id{5, 0}, entry_id{1'700'000'000'000, 12}, entry_id{most, most}})
    EXPECT_EQ(parse_entry_id(to_text(id)), id);
}

TEST(EntryId, NothingElseIsOne) {
  for (const auto* text : {"", "-", "5", "5-", "-5", "5-5-5", "5 -5", "a-5", "5-a", "+5-1", "18446744073709551616-0"})
    EXPECT_FALSE(parse_entry_id(text)) << text;
}

TEST(EntryId, TheNextIsTheLeastAbove) {
  EXPECT_EQ((entry_id{5, 1}.next()), (entry_id{5, 2}));
  EXPECT_EQ((entry_id{5, most}.next()), (entry_id{6, 0}));
  EXPECT_LT((entry_id{5, most}), (entry_id{6, 0}));
}

}  // namespace
}  // namespace pawl
