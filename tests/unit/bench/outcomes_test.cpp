#include "tests/bench/outcomes.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace pawl::bench {
namespace {

using namespace std::chrono_literals;

TEST(Outcomes, GiveTheSmallestLatencyThatTheShareDoesNotExceed) {
  outcomes all{1'000};
  for (std::size_t i = 0; i < 1'000; ++i) all.set(i, outcomes::kind::applied, (i + 1) * 1ms);
  std::vector<float> us;
  all.add_latencies(0, us);
  const auto found = latency_ms(us);
  EXPECT_FLOAT_EQ(found.at("p50"), 500);
  EXPECT_FLOAT_EQ(found.at("p99"), 990);
  EXPECT_FLOAT_EQ(found.at("p99_9"), 999);
  EXPECT_FLOAT_EQ(found.at("max"), 1'000);
}

TEST(Outcomes, HaveNoLatencyOfWhatWasTurnedAwayOrCameFirst) {
  outcomes all{3};
  all.set(0, outcomes::kind::applied, 1ms);
  all.set(1, outcomes::kind::turned_away, 2ms);
  all.set(2, outcomes::kind::duplicate, 3ms);
  std::vector<float> us;
  all.add_latencies(1, us);
  EXPECT_EQ(us, std::vector<float>{3'000});
  EXPECT_TRUE(latency_ms({}).is_null());
}

TEST(Outcomes, LeaveOutTheFirstSecondOfAnOpenLoop) {
  EXPECT_EQ(first_counted(100'000, 20'000), 20'000);
  EXPECT_EQ(first_counted(40'000, 20'000), 10'000);  // but never more than a quarter
  EXPECT_EQ(first_counted(40'000, 0), 0);
}

}  // namespace
}  // namespace pawl::bench
