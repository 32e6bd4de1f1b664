// Goal: a program that knows only Redis is a durable producer: what it adds to the inboxes takes effect once and in
// order, whatever is killed, and nothing of it is left behind.
#include "persistence/keys.hpp"
#include "tests/cluster/order_events.hpp"
#include "tests/cluster/test_cluster.hpp"
#include "tests/cluster/until.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

namespace pawl::testing {
namespace {

constexpr int orders = 60;
constexpr std::uint64_t events = 20;

/// Every order's events in turns, as lines of a file. The last line, if it is not empty, is put into the middle.
std::string write_messages(const std::string& directory, const std::string& odd_one = {}) {
  auto name = directory + "/messages.jsonl";
  std::ofstream out{name};
  for (std::uint64_t n = 1; n <= events; ++n) {
    for (int i = 0; i < orders; ++i) out << event_of("order-" + std::to_string(i), n).json << '\n';
    if (n == events / 2 && !odd_one.empty()) out << odd_one << '\n';
  }
  return name;
}

struct running_producer {
  running_producer(test_cluster& c, const std::string& file)
      : program("/usr/bin/python3",
                {PAWL_INBOX_PRODUCER, file, "--redis", "unix://" + c.store().options().socket, "--cluster", "test"},
                c.directory() + "/producer.log") {}
  process program;
};

/// Entries in all inboxes, and the lowest number of orders' events that took effect.
std::int64_t entries_left(test_cluster& c) {
  const key_names keys{"test"};
  std::int64_t left = 0;
  for (std::uint32_t s = 0; s < c.shards(); ++s) left += c.store().ask({"XLEN", keys.inbox({s})}).integer;
  return left;
}

bool all_have_all(test_cluster& c, const std::string& node) {
  auto client = c.client(node);
  for (int i = 0; i < orders; ++i)
    if (client.order("order-" + std::to_string(i)).events < events) return false;
  return true;
}

void expect_right(test_cluster& c, const std::string& node) {
  auto client = c.client(node);
  for (int i = 0; i < orders; ++i) {
    const auto key = "order-" + std::to_string(i);
    const auto expected = replay(key, events);
    const auto found = client.order(key);
    EXPECT_EQ(found.events, expected.events) << key;
    EXPECT_EQ(found.chain, expected.chain) << key;
    EXPECT_EQ(found.order_status, expected.status) << key;
  }
}

std::uint64_t applied(test_cluster& c) {
  std::uint64_t sum = 0;
  for (const auto& n : c.active()) {
    const auto text = c.client(n).get("/metrics");
    const std::string name = "\npawl_inbox_entries_total ";
    if (const auto at = text.find(name); at != std::string::npos) sum += std::stoull(text.substr(at + name.size()));
  }
  return sum;
}

TEST(Inbox, a_producer_in_another_language_is_a_durable_one_while_nodes_are_killed_and_join) {
  test_cluster cluster;
  cluster.start({"n1", "n2", "n3"});
  running_producer producer{cluster, write_messages(cluster.directory())};
  until("a part of the messages to be taken", [&] { return applied(cluster) > orders; });
  cluster.kill("n2");
  cluster.start({"n4"});
  cluster.kill("n3");
  EXPECT_EQ(producer.program.exit_status(), 0) << producer.program.log();
  until("all messages to take effect", [&] { return all_have_all(cluster, "n1"); });
  expect_right(cluster, "n4");
  until("the inboxes to be empty", [&] { return entries_left(cluster) == 0; });
}

TEST(Inbox, what_was_added_while_no_node_ran_is_taken_when_one_comes) {
  test_cluster cluster;
  running_producer producer{cluster, write_messages(cluster.directory())};
  EXPECT_EQ(producer.program.exit_status(), 0) << producer.program.log();
  EXPECT_EQ(entries_left(cluster), static_cast<std::int64_t>(orders * events));
  cluster.start({"n1"});
  until("all messages to take effect", [&] { return all_have_all(cluster, "n1"); });
  expect_right(cluster, "n1");
}

TEST(Inbox, a_killed_redis_makes_the_producer_add_again_what_it_heard_nothing_of_and_nothing_comes_twice) {
  test_cluster cluster{{.redis = {"--appendfsync", "always"}}};
  cluster.start({"n1", "n2"});
  running_producer producer{cluster, write_messages(cluster.directory())};
  for (int i = 0; i < 3; ++i) {
    const auto before = applied(cluster);
    until("more messages to be taken", [&] { return !producer.program.running() || applied(cluster) > before + 50; });
    cluster.store().kill_hard();
    cluster.store().start();
  }
  EXPECT_EQ(producer.program.exit_status(), 0) << producer.program.log();
  until("all messages to take effect", [&] { return all_have_all(cluster, "n2"); });
  expect_right(cluster, "n1");
}

TEST(Inbox, an_entry_that_is_no_message_becomes_a_dead_letter_and_holds_nothing_up) {
  test_cluster cluster;
  cluster.start({"n1"});
  const key_names keys{"test"};
  cluster.store().run({"XADD", keys.inbox({3}), "*", "hello", "world"});
  running_producer producer{
      cluster,
      write_messages(cluster.directory(),
                     R"({"type":"order","key":"order-1","message":"OrderShipped","id":"odd","payload":{"at":[]}})")};
  EXPECT_EQ(producer.program.exit_status(), 0) << producer.program.log();
  until("all messages to take effect", [&] { return all_have_all(cluster, "n1"); });
  expect_right(cluster, "n1");
  const auto letters = cluster.client("n1").get("/v1/dead-letters");
  EXPECT_NE(letters.find("unknown field \\\"hello\\\""), std::string::npos) << letters;
  EXPECT_NE(letters.find("\"source\":\"inbox\""), std::string::npos) << letters;
}

// What the stream has lost is said; and nothing is passed over silently.
TEST(Inbox, a_stream_that_was_put_back_is_not_read_until_an_operator_says_so) {
  test_cluster cluster;
  cluster.start({"n1"});
  running_producer producer{cluster, write_messages(cluster.directory())};
  EXPECT_EQ(producer.program.exit_status(), 0) << producer.program.log();
  until("the inboxes to be empty", [&] { return entries_left(cluster) == 0; });
  const key_names keys{"test"};
  for (std::uint32_t s = 0; s < cluster.shards(); ++s) cluster.store().run({"DEL", keys.inbox({s})});
  cluster.kill("n1");
  cluster.start({"n1"});
  until("it to be said", [&] { return cluster.logged("inbox stopped") > 0; });
  EXPECT_NE(cluster.client("n1").get("/metrics").find("\npawl_inbox_stopped "), std::string::npos);
  EXPECT_EQ(cluster.client("n1").get("/metrics").find("\npawl_inbox_stopped 0\n"), std::string::npos);
}

}  // namespace
}  // namespace pawl::testing
