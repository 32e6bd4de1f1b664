#include "actors/activation.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace pawl {
namespace {

using namespace std::chrono_literals;

constexpr steady_time start{1h};

void put(activation& a, const std::string& key, steady_time touched, type_index type = 0) {
  resident r;
  r.touched = touched;
  a.put(type, key, std::move(r));
}

TEST(Activation, FindsWhatWasPutUnderTheSameTypeAndKeyOnly) {
  activation a;
  put(a, "k", start);
  put(a, "k", start + 1s, 1);
  ASSERT_NE(a.find(0, "k"), nullptr);
  EXPECT_EQ(a.find(0, "k")->touched, start);
  EXPECT_EQ(a.find(1, "k")->touched, start + 1s);
  EXPECT_EQ(a.find(2, "k"), nullptr);
  EXPECT_EQ(a.find(0, ""), nullptr);
  EXPECT_EQ(a.find(0, std::string_view{"k\0", 2}), nullptr);
}

TEST(Activation, PutReplaces) {
  activation a;
  put(a, "k", start);
  put(a, "k", start + 1s);
  EXPECT_EQ(a.size(), 1u);
  EXPECT_EQ(a.find(0, "k")->touched, start + 1s);
}

// Batches hold on to them while reads bring others in.
TEST(Activation, AResidentStaysInItsPlaceWhileOthersCome) {
  activation a;
  put(a, "k", start);
  const auto* before = a.find(0, "k");
  for (int i = 0; i < 10'000; ++i) put(a, std::to_string(i), start);
  EXPECT_EQ(a.find(0, "k"), before);
}

TEST(Activation, DropsWhatWasNotTouchedSince) {
  activation a;
  put(a, "old", start - 1ms);
  put(a, "young", start);
  a.passivate(start, 10);
  EXPECT_EQ(a.find(0, "old"), nullptr);
  EXPECT_NE(a.find(0, "young"), nullptr);
}

TEST(Activation, BeyondItsBoundDropsTheLongestUntouchedAndAQuarterMore) {
  activation a;
  for (int i = 0; i < 101; ++i) put(a, std::to_string(i), start + std::chrono::seconds{i});
  a.passivate(start, 100);
  EXPECT_EQ(a.size(), 75u);
  EXPECT_EQ(a.find(0, "25"), nullptr);
  EXPECT_NE(a.find(0, "26"), nullptr);
}

TEST(Activation, KeepsItsBoundWhenAllWereTouchedAtOnce) {
  for (auto [most, kept] : {std::pair{0u, 0u}, {1u, 1u}, {99u, 75u}, {100u, 100u}}) {
    activation a;
    for (int i = 0; i < 100; ++i) put(a, std::to_string(i), start);
    a.passivate(start, most);
    EXPECT_EQ(a.size(), kept);
  }
}

TEST(Activation, OfThoseTouchedAtOnceTheSameGoInEveryProcess) {
  activation a;
  for (int i = 9; i >= 0; --i) put(a, std::to_string(i), start);
  a.passivate(start, 4);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(a.find(0, std::to_string(i)) != nullptr, i >= 7) << i;
}

TEST(Activation, AtItsBoundNothingGoes) {
  activation a;
  for (int i = 0; i < 100; ++i) put(a, std::to_string(i), start + std::chrono::seconds{i});
  a.passivate(start, 100);
  EXPECT_EQ(a.size(), 100u);
  a.clear();
  a.passivate(start, 0);
  EXPECT_EQ(a.size(), 0u);
}

}  // namespace
}  // namespace pawl
