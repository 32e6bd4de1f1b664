#include "cli/health_check.hpp"

#include "pictures.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace pawl::cli {
namespace {

store_facts good_store() {
  store_facts f;
  f.version = "7.0.15";
  f.mode = "standalone";
  f.role = "master";
  f.maxmemory_policy = "noeviction";
  f.aof_enabled = "1";
  f.aof_last_write = "ok";
  f.appendfsync = "everysec";
  f.dataset = "d1";
  f.shards = 6;
  return f;
}

grade worst(const findings& all) {
  auto out = grade::ok;
  for (const auto& f : all) out = std::max(out, f.level);
  return out;
}

/// All that is not ok must say what to do about it.
void expect(const findings& all, grade level, const std::string& words = {}) {
  EXPECT_EQ(to_string(worst(all)), to_string(level));
  bool found = words.empty();
  for (const auto& f : all) {
    if (f.level == grade::ok) continue;
    EXPECT_FALSE(f.text.empty());
    found = found || (f.text + f.remedy).find(words) != std::string::npos;
  }
  EXPECT_TRUE(found) << words;
}

TEST(StoreCheck, AGoodServerIsOk) { expect(check_store(good_store(), false), grade::ok); }

TEST(StoreCheck, EachThingThatLosesDataIsNamedWithItsRemedy) {
  struct row {
    void (*change)(store_facts&);
    grade level;
    std::string words;
  };
  const std::vector<row> table{
      {[](store_facts& f) { f.error = "cannot connect"; }, grade::fail, "cannot connect"},
      {[](store_facts& f) { f.version = "6.2.1"; }, grade::fail, "7.0 or later"},
      {[](store_facts& f) { f.version = ""; }, grade::fail, "Redis server"},
      {[](store_facts& f) { f.mode = "cluster"; }, grade::fail, "cluster-enabled no"},
      {[](store_facts& f) { f.role = "slave"; }, grade::fail, "primary"},
      {[](store_facts& f) { f.maxmemory_policy = "allkeys-lru"; }, grade::fail, "noeviction"},
      {[](store_facts& f) { f.aof_enabled = "0"; }, grade::fail, "appendonly yes"},
      {[](store_facts& f) { f.aof_last_write = "err"; }, grade::fail, "disk"},
      {[](store_facts& f) { f.appendfsync = "no"; }, grade::warn, "everysec"},
      {[](store_facts& f) { f.appendfsync = ""; }, grade::warn, "CONFIG GET"},
      {[](store_facts& f) { f.dataset_error = "no dataset: run init"; }, grade::fail, "run init"},
  };
  for (const auto& r : table) {
    auto f = good_store();
    r.change(f);
    expect(check_store(f, false), r.level, r.words);
  }
}

TEST(StoreCheck, AVolatileStoreThatIsMeantIsAWarning) {
  auto f = good_store();
  f.aof_enabled = "0";
  expect(check_store(f, true), grade::warn, "appendonly yes");
}

TEST(AgreementCheck, IsOkIfAllNodesSeeTheSameAndEachShardIsHeldOnce) {
  expect(check_agreement(healthy_cluster(), "d1"), grade::ok);
  expect(check_agreement(healthy_cluster(), ""), grade::ok);
}

TEST(AgreementCheck, TellsWhatStatusWouldTell) {
  auto p = healthy_cluster();
  silence(p, "n3");
  expect(check_agreement(p, "d1"), grade::warn, "4 of 6");
  for (const auto* n : {"n1", "n2"}) silence(p, n);
  expect(check_agreement(p, "d1"), grade::fail, "--node");
}

TEST(AgreementCheck, AConfigurationThatLeadsToAnotherDatasetFails) {
  expect(check_agreement(healthy_cluster(), "d2"), grade::fail, "d2");
}

TEST(ClockCheck, ADifferenceBeyondWhatTheAnswersTookIsTold) {
  auto p = healthy_cluster();
  expect(check_clocks(p), grade::warn, "do not tell");
  node_of(p, "n1").clock = {-400, 100};
  node_of(p, "n2").clock = {500, 20};
  expect(check_clocks(p), grade::ok);
  node_of(p, "n2").clock = {1'100, 20};
  expect(check_clocks(p), grade::warn, "n2 is 1500 ms ahead of n1");
  node_of(p, "n2").clock = {61'000, 20};
  expect(check_clocks(p), grade::fail, "NTP");
}

TEST(ClockCheck, ClocksAtTheEndsOfTimeDoNotOverflow) {
  auto p = healthy_cluster();
  node_of(p, "n1").clock = {std::numeric_limits<std::int64_t>::min(), 0};
  node_of(p, "n2").clock = {std::numeric_limits<std::int64_t>::max(), 0};
  expect(check_clocks(p), grade::fail);
}

TEST(LimitCheck, FewFilesOrNearlyAllOpenIsTold) {
  auto p = healthy_cluster({"n1"});
  EXPECT_TRUE(check_limits(p).empty()) << "the node does not tell";
  auto& c = *node_of(p, "n1").counters;
  c.open_files = 20;
  c.open_files_max = 65'536;
  expect(check_limits(p), grade::ok);
  c.open_files_max = 1'024;
  expect(check_limits(p), grade::warn, "LimitNOFILE");
  c.open_files = 1'000;
  expect(check_limits(p), grade::fail, "LimitNOFILE");
}

}  // namespace
}  // namespace pawl::cli
