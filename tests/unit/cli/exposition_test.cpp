#include "cli/exposition.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pawl::cli {
namespace {

TEST(Exposition, SamplesAreCutIntoNameLabelsAndValue) {
  std::vector<std::string> seen;
  for_each_sample("# HELP a text\n# TYPE a counter\na 1\nb{x=\"1\"} 2.5\nc{x=\"}\\\"\",y=\"z\"} +Inf 1700\n\n"
                  "no value\nd{x=\"1\" 3\ne{} 4",
                  [&](const sample& s) {
                    seen.push_back(std::string{s.name} + "|" + std::string{s.labels} + "|" + std::to_string(s.value));
                  });
  EXPECT_EQ(seen, (std::vector<std::string>{"a||1.000000", "b|x=\"1\"|2.500000", "c|x=\"}\\\"\",y=\"z\"|inf",
                                            "e||4.000000"}));
}

TEST(Exposition, LabelsAreFoundByTheirWholeName) {
  constexpr std::string_view labels = R"(entity_type="a\"b",outcome="applied")";
  EXPECT_EQ(label(labels, "outcome"), "applied");
  EXPECT_EQ(label(labels, "entity_type"), "a\\\"b");
  EXPECT_EQ(label(labels, "type"), "");
  EXPECT_EQ(label("outcome=\"applied", "outcome"), "");
}

TEST(Exposition, CountersAreSummedOverEntityTypes) {
  const auto c =
      read_counters("pawl_messages_total{entity_type=\"a\",outcome=\"applied\"} 5\n"
                    "pawl_messages_total{entity_type=\"b\",outcome=\"applied\"} 7\n"
                    "pawl_messages_total{entity_type=\"b\",outcome=\"duplicate\"} 2\n"
                    "pawl_ordering_violations_total{entity_type=\"a\"} 1\nprocess_open_fds 12\nprocess_max_fds 1024\n");
  EXPECT_EQ(c.applied, 12);
  EXPECT_EQ(c.duplicate, 2);
  EXPECT_EQ(c.violations, 1);
  EXPECT_EQ(c.open_files, 12);
  EXPECT_EQ(c.open_files_max, 1'024);
}

TEST(Exposition, ValuesThatCannotBeCountsAreLeftOut) {
  const auto c =
      read_counters("pawl_messages_total{outcome=\"applied\"} NaN\npawl_messages_total{outcome=\"applied\"} +Inf\n"
                    "pawl_messages_total{outcome=\"applied\"} -5\npawl_messages_total{outcome=\"applied\"} 3\n");
  EXPECT_EQ(c.applied, 3);
}

std::string buckets(int first, int second, int all) {
  const auto line = [](const char* le, int n) {
    return "pawl_message_latency_seconds_bucket{entity_type=\"a\",le=\"" + std::string{le} + "\"} " +
           std::to_string(n) + "\n";
  };
  return line("0.001", first) + line("0.01", second) + line("+Inf", all);
}

TEST(Exposition, QuantilesAreOfTheTimeBetweenTwoScrapes) {
  const auto before = read_counters(buckets(100, 100, 100));
  EXPECT_NEAR(latency_quantile(before, read_counters(buckets(100, 200, 200)), 0.5), 0.0055, 1e-9);
  EXPECT_NEAR(latency_quantile(before, read_counters(buckets(200, 200, 200)), 0.99), 0.00099, 1e-9);
  EXPECT_NEAR(latency_quantile(before, read_counters(buckets(100, 100, 200)), 0.99), 0.01, 1e-9)
      << "beyond the last bound";
  EXPECT_LT(latency_quantile(before, before, 0.99), 0) << "nothing happened";
  EXPECT_LT(latency_quantile({}, before, 0.99), 0) << "the first scrape had no buckets";
  EXPECT_LT(latency_quantile(before, read_counters(buckets(1, 1, 1)), 0.99), 0) << "the process was restarted";
}

}  // namespace
}  // namespace pawl::cli
