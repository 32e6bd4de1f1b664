#include "tests/cluster/test_cluster.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace pawl::testing {
namespace {

std::vector<std::string> at(const redis_server& store, std::vector<std::string> words) {
  words.insert(words.end(), {"--cluster", "test", "--redis-socket", store.options().socket});
  return words;
}

/// A node on this store must end by itself, with a reason that contains these words.
void expect_refused(const redis_server& store, const std::vector<std::string>& words) {
  const auto end = run_order_workflow(at(store, {"--http-port", "0", "--peer-port", "0"}));
  EXPECT_EQ(end.exit_status, 1);
  for (const auto& w : words) EXPECT_NE(end.text.find(w), std::string::npos) << "no \"" << w << "\" in: " << end.text;
}

TEST(Start, a_node_refuses_a_store_without_a_dataset_and_says_how_to_make_one) {
  const redis_server store;
  expect_refused(store, {"no dataset", "init --shards"});
  EXPECT_TRUE(store.keys("*").empty()) << "the refused node wrote something";
}

TEST(Start, a_node_refuses_a_store_that_forgets_at_a_restart_and_says_what_to_set) {
  redis_server store{{"--appendonly", "no"}};
  ASSERT_EQ(run_order_workflow(at(store, {"init", "--shards", "8"})).exit_status, 0);
  expect_refused(store, {"appendonly yes", "--allow-volatile"});
}

TEST(Start, a_node_refuses_a_store_that_evicts_and_says_what_to_set) {
  redis_server store{{"--maxmemory-policy", "allkeys-lru"}};
  ASSERT_EQ(run_order_workflow(at(store, {"init", "--shards", "8"})).exit_status, 0);
  expect_refused(store, {"allkeys-lru", "maxmemory-policy noeviction"});
}

TEST(Start, a_node_refuses_a_store_that_does_not_answer) {
  redis_server store;
  store.kill_hard();
  expect_refused(store, {store.options().socket});
}

TEST(Start, a_second_init_is_refused_and_changes_nothing) {
  const redis_server store;
  ASSERT_EQ(run_order_workflow(at(store, {"init", "--shards", "8"})).exit_status, 0);
  const auto names = store.keys("*");
  std::vector<std::string> before(names.size());
  std::ranges::transform(names, before.begin(), [&](const auto& n) { return store.dump(n); });

  const auto second = run_order_workflow(at(store, {"init", "--shards", "16"}));

  EXPECT_EQ(second.exit_status, 1);
  EXPECT_NE(second.text.find("has a dataset already"), std::string::npos) << second.text;
  EXPECT_EQ(store.keys("*"), names);
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(store.dump(names[i]), before[i]) << names[i];
}

TEST(Start, wrong_flags_end_the_program_with_status_two_and_their_names) {
  struct mistake {
    std::vector<std::string> words;
    std::string named;
  };
  const std::vector<mistake> mistakes{
      {{"--no-such-flag"}, "no-such-flag"},
      {{"--cluster-lease", "soon"}, "lease"},
      {{"--cluster-lease", "200ms", "--cluster-beat", "200ms"}, "cluster.lease"},
      {{"--node", "Not A Name"}, "node"},
      {{"--http-port", "65536"}, "port"},
      {{"--peer-address", "0.0.0.0"}, "--insecure"},
      {{"init", "--shards", "16385"}, "shards"},
      {{"--config", "/nowhere/pawl.toml"}, "/nowhere/pawl.toml"},
  };
  for (const auto& m : mistakes) {
    const auto end = run_order_workflow(m.words);
    EXPECT_EQ(end.exit_status, 2) << end.text;
    EXPECT_NE(end.text.find(m.named), std::string::npos) << "no \"" << m.named << "\" in: " << end.text;
  }
}

}  // namespace
}  // namespace pawl::testing
