// What a node remembers of its log: which lines, how many, and how a burst becomes one entry.

#include "metrics/recent_events.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace pawl::testing {

class RecentEvents : public ::testing::Test {
protected:
  void add(std::string_view name, std::initializer_list<log::field> fields = {}, log::level level = log::level::info) {
    events.add(level, name, {fields.begin(), fields.size()});
  }
  std::int64_t now = 1'000;
  recent_events events{[this] { return now; }};
};

TEST_F(RecentEvents, AreKeptInOrderWithTheirFields) {
  add("view", {{"number", "3"}, {"members", "n1,n2"}});
  now = 2'500;
  add("member evicted", {{"member", "n3"}}, log::level::warn);
  const auto got = events.get();
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].name, "view");
  EXPECT_EQ(got[0].at, 1'000);
  EXPECT_EQ(got[0].count, 1u);
  EXPECT_EQ(got[0].fields[1].second, "n1,n2");
  EXPECT_EQ(got[1].name, "member evicted");
  EXPECT_EQ(got[1].level, log::level::warn);
}

TEST_F(RecentEvents, DebugIsLeftOutButForClaimsAndReleases) {
  add("peer cannot be reached", {}, log::level::debug);
  add("shard claimed", {{"shard", "1"}}, log::level::debug);
  add("shard released", {{"shard", "2"}}, log::level::debug);
  ASSERT_EQ(events.get().size(), 2u);
}

TEST_F(RecentEvents, BurstIsOneEntryWithItsShardsAndItsLongestPause) {
  for (const auto* shard : {"7", "8", "9"}) {
    now += 400;
    add("shard claimed", {{"shard", shard}, {"reason", "takeover"}, {"pause_ms", shard}}, log::level::debug);
    add("shard released", {{"shard", shard}}, log::level::debug);  // interleaved
  }
  add("shard claimed", {{"shard", "1"}, {"reason", "join"}, {"pause_ms", "1"}}, log::level::debug);
  const auto got = events.get();
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0].count, 3u);
  EXPECT_EQ(got[0].at, 1'400);
  EXPECT_EQ(got[0].until, 2'200);
  EXPECT_EQ(got[0].fields[0].second, "7,8,9");
  EXPECT_EQ(got[0].fields[2].second, "9");
  EXPECT_EQ(got[2].fields[1].second, "join");
}

TEST_F(RecentEvents, PauseIsComparedAsANumber) {
  for (const auto* pause : {"99", "120", "5"}) add("shard claimed", {{"pause_ms", pause}}, log::level::debug);
  EXPECT_EQ(events.get().at(0).fields[0].second, "120");
}

TEST_F(RecentEvents, SameEventLaterIsAnEntryOfItsOwn) {
  add("shard claimed", {{"shard", "1"}}, log::level::debug);
  now += recent_events::merged_within_ms + 1;
  add("shard claimed", {{"shard", "2"}}, log::level::debug);
  EXPECT_EQ(events.get().size(), 2u);
}

TEST_F(RecentEvents, OldestIsForgottenAndNothingGrowsWithoutBound) {
  for (int i = 0; i < 10'000; ++i) add("view", {{"number", std::to_string(i)}});
  EXPECT_EQ(events.get().size(), recent_events::events_max);
  EXPECT_EQ(events.get().back().fields[0].second, "9999");
  for (int i = 0; i < 10'000; ++i) add("shard released", {{"shard", std::to_string(i)}}, log::level::debug);
  EXPECT_EQ(events.get().back().count, 10'000u);
  EXPECT_LE(events.get().back().fields[0].second.size(), recent_events::value_bytes_max);
  EXPECT_TRUE(events.get().back().fields[0].second.ends_with(",..."));
  add("x", {{"reason", std::string(100'000, 'x')}});
  EXPECT_EQ(events.get().back().fields[0].second.size(), recent_events::value_bytes_max);
}

TEST_F(RecentEvents, ListenerHearsWhatTheLevelHides) {
  log::set_level("error");
  log::set_listener([this](auto level, auto name, auto fields) { events.add(level, name, fields); });
  log::debug("shard claimed", {{"shard", "1"}});
  log::set_listener({});
  log::set_level("info");
  log::debug("shard claimed", {{"shard", "2"}});
  ASSERT_EQ(events.get().size(), 1u);
  EXPECT_EQ(events.get()[0].fields[0].second, "1");
}

}  // namespace pawl::testing
