#include "tests/cluster/order_events.hpp"
#include "tests/cluster/test_cluster.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace pawl::testing {
namespace {

const std::string password = "marker-of-the-right-password";
const std::string wrong_password = "marker-of-the-wrong-password";

std::string file_with(const std::string& secret, const temporary_directory& folder) {
  auto path = folder.path() + "/" + secret.substr(10, 9);
  std::ofstream{path} << secret << '\n';
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  return path;
}

/// Everything a node shows to others.
std::vector<std::string> everything_shown(test_cluster& cluster, const std::string& node) {
  std::vector<std::string> out{cluster.node(node).log(), cluster.node(node).command_line()};
  for (const auto* path :
       {"/", "/metrics", "/v1/cluster", "/v1/shards", "/v1/events", "/readyz", "/v1/entities/order/order-1"})
    out.push_back(cluster.client(node).get(path));
  return out;
}

void expect_no_secret(const std::vector<std::string>& texts) {
  for (const auto& t : texts) {
    EXPECT_FALSE(t.empty());
    EXPECT_EQ(t.find(password), std::string::npos) << t;
    EXPECT_EQ(t.find(wrong_password), std::string::npos) << t;
  }
}

/// The store goes away and comes back, so that the nodes log in twice and have something to complain about.
void interrupt_store(test_cluster& cluster) {
  cluster.store().kill_hard();
  cluster.store().start();
  cluster.settle();
}

TEST(Secrets, the_password_of_redis_from_a_file_is_used_and_never_shown) {
  const temporary_directory folder;
  test_cluster cluster{{.flags = {"--redis-password-file", file_with(password, folder), "--log-level", "trace",
                                  "--request-timeout", "30s"},
                        .redis = {"--requirepass", password}}};
  cluster.start({"n1", "n2"});
  interrupt_store(cluster);
  EXPECT_EQ(cluster.client("n1").post(event_of("order-1", 1).json).status, 200);
  for (const auto* node : {"n1", "n2"}) expect_no_secret(everything_shown(cluster, node));

  auto words = cluster.arguments();
  words.emplace_back("--print-config");
  const auto printed = run_order_workflow(words);
  EXPECT_EQ(printed.exit_status, 0);
  expect_no_secret({printed.text});
}

TEST(Secrets, the_password_of_redis_from_the_environment_is_used_and_never_shown) {
  test_cluster cluster{{.flags = {"--log-level", "trace", "--request-timeout", "30s"},
                        .environment = {"PAWL_REDIS_PASSWORD=" + password},
                        .redis = {"--requirepass", password}}};
  cluster.start({"n1"});
  interrupt_store(cluster);
  EXPECT_EQ(cluster.client("n1").post(event_of("order-1", 1).json).status, 200);
  expect_no_secret(everything_shown(cluster, "n1"));
}

TEST(Secrets, a_node_with_a_wrong_password_ends_and_says_so_without_showing_it) {
  const temporary_directory folder;
  const redis_server store{{"--requirepass", password}};
  const std::vector<std::string> address{
      "--redis-socket", store.options().socket, "--http-port", "0", "--peer-port", "0"};
  for (const auto& secret : {std::vector<std::string>{"--redis-password-file", file_with(wrong_password, folder)},
                             std::vector<std::string>{}}) {
    auto words = address;
    words.insert(words.end(), secret.begin(), secret.end());
    const auto end = run_order_workflow(words);
    EXPECT_EQ(end.exit_status, 1);
    EXPECT_NE(end.text.find("password"), std::string::npos) << end.text;
    expect_no_secret({end.text});
  }
}

}  // namespace
}  // namespace pawl::testing
