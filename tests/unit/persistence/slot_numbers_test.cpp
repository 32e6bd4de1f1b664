// Goal: numbers stay dense, and none is given out while the field under it may still be removed as dead.
#include "persistence/slot_numbers.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace pawl {
namespace {

using numbers = std::vector<std::uint32_t>;

TEST(SlotNumbers, TheLowestFreeOneIsTakenFirst) {
  slot_numbers s;
  for (std::uint32_t n = 0; n < 4; ++n) EXPECT_EQ(s.take(), n);
  s.release(2);
  s.release(0);
  EXPECT_EQ(s.take(), 0u);
  EXPECT_EQ(s.take(), 2u);
  EXPECT_EQ(s.take(), 4u);
  EXPECT_EQ(s.count(), 5u);
  EXPECT_EQ(s.used(), 5u);
}

TEST(SlotNumbers, AReleasedOneIsStaleUntilItIsTakenOrCleaned) {
  slot_numbers s;
  for (int i = 0; i < 3; ++i) (void)s.take();
  s.release(0);
  s.release(1);
  EXPECT_FALSE(s.uses(0));
  EXPECT_TRUE(s.uses(2));
  EXPECT_EQ(s.stale(10), (numbers{0, 1}));
  EXPECT_EQ(s.stale(1), (numbers{0}));
  EXPECT_EQ(s.take(), 0u);
  EXPECT_EQ(s.stale(10), (numbers{1}));
  s.cleaned(1);
  EXPECT_EQ(s.stale(10), numbers{});
}

TEST(SlotNumbers, OneThatWasTakenAgainIsNotFreedByALateCleaning) {
  slot_numbers s;
  (void)s.take();
  s.release(0);
  EXPECT_EQ(s.take(), 0u);
  s.cleaned(0);
  EXPECT_TRUE(s.uses(0));
  EXPECT_EQ(s.take(), 1u);
}

// The count is what the next owner loads: it must not fall below a field that may still be there.
TEST(SlotNumbers, TheCountFallsOnlyOverCleanedNumbersAtTheEnd) {
  slot_numbers s;
  for (int i = 0; i < 4; ++i) (void)s.take();
  for (std::uint32_t n : {1u, 2u, 3u}) s.release(n);
  s.cleaned(2);
  EXPECT_EQ(s.count(), 4u);
  s.cleaned(3);
  EXPECT_EQ(s.count(), 2u);  // 1 is stale
  s.cleaned(1);
  EXPECT_EQ(s.count(), 1u);
  EXPECT_EQ(s.used(), 1u);
}

TEST(SlotNumbers, AfterALoadAllAreInUseUntilTheyAreReleased) {
  slot_numbers s;
  (void)s.take();
  s.release(0);
  s.reset(3);
  EXPECT_EQ(s.used(), 3u);
  EXPECT_EQ(s.stale(10), numbers{});
  s.release(1);
  s.release(1);
  EXPECT_EQ(s.used(), 2u);
  EXPECT_EQ(s.take(), 1u);
  EXPECT_EQ(s.take(), 3u);
}

// Against a model: what is in use, and what is stored under each number.
TEST(SlotNumbers, NeverHandOutANumberThatIsInUse) {
  std::mt19937 random{11};
  slot_numbers s;
  std::map<std::uint32_t, bool> used;  // by number; false: dead, but still stored
  for (int round = 0; round < 20'000; ++round) {
    switch (random() % 3) {
    case 0: {
      const auto n = s.take();
      ASSERT_FALSE(used.contains(n) && used[n]) << n;
      used[n] = true;
      break;
    }
    case 1:
      if (const auto n = static_cast<std::uint32_t>(random() % 40); s.uses(n)) {
        s.release(n);
        used[n] = false;
      }
      break;
    default:
      for (auto n : s.stale(random() % 3)) {
        ASSERT_FALSE(used.at(n));
        used.erase(n);
        s.cleaned(n);
      }
    }
    std::size_t in_use = 0;
    for (const auto& [n, live] : used) {
      ASSERT_LT(n, s.count());
      in_use += live ? 1 : 0;
    }
    ASSERT_EQ(s.used(), in_use);
  }
}

}  // namespace
}  // namespace pawl
