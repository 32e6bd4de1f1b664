#include "tests/cluster/order_events.hpp"
#include "tests/cluster/test_cluster.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace pawl::testing {
namespace {

const std::vector<std::string> three{"n1", "n2", "n3"};

std::string key_of(int i) { return "order-" + std::to_string(i); }

/// So long that only a fault of the node makes a message unresolved, not a busy machine.
test_cluster::setup patient() {
  test_cluster::setup s;
  s.flags = {"--request-timeout", "30s"};
  return s;
}

bool all_are(const post_answer& a, const std::string& result) {
  return std::ranges::all_of(a.messages, [&](const message_answer& m) { return m.result == result; });
}

TEST(Routing, a_message_that_enters_any_node_reaches_its_owner) {
  test_cluster cluster{patient()};
  cluster.start(three);
  std::set<std::string> owners;
  for (int i = 0; i < 30; ++i) {
    // The events of one order enter through one node after the other.
    for (std::uint64_t n = 0; n < three.size(); ++n) {
      const auto a = cluster.client(three[n]).post(event_of(key_of(i), n + 1).json);
      ASSERT_EQ(a.status, 200) << a.body;
      EXPECT_TRUE(all_are(a, "applied")) << a.body;
    }
    const auto should = replay(key_of(i), three.size());
    for (const auto& node : three) {
      auto client = cluster.client(node);
      const auto is = client.order(key_of(i));
      ASSERT_EQ(is.status, 200);
      EXPECT_EQ(is.events, should.events);
      EXPECT_EQ(is.chain, should.chain);
      EXPECT_EQ(is.owner, client.shards().at(is.shard).owner);
      owners.insert(is.owner);
    }
  }
  EXPECT_EQ(owners.size(), three.size()) << "some node owned nothing: nothing had to be routed to it";
}

TEST(Routing, the_same_id_with_other_content_is_a_conflict_at_every_node) {
  test_cluster cluster{patient()};
  cluster.start(three);
  const auto first = event_of("order-1", 1);
  ASSERT_EQ(cluster.client("n1").post(first.json).status, 200);
  auto other = first.json;
  other.replace(other.find("c-1"), 3, "c-2");
  for (const auto& node : three) {
    const auto a = cluster.client(node).post(other);
    EXPECT_EQ(a.status, 409) << a.body;
    ASSERT_EQ(a.messages.size(), 1U) << a.body;
    EXPECT_EQ(a.messages[0].result, "refused");
    EXPECT_FALSE(a.messages[0].reason.empty());
    EXPECT_EQ(cluster.client(node).post(first.json).status, 200) << "the conflict changed what is known of the id";
  }
  EXPECT_EQ(cluster.client("n1").order("order-1").chain, replay("order-1", 1).chain);
}

TEST(Routing, a_batch_of_ten_thousand_messages_is_answered_in_order_and_one_more_is_refused_as_a_whole) {
  constexpr int orders = 2'500;
  test_cluster cluster{patient()};
  cluster.start(three);
  std::string lines;
  std::vector<std::string> ids;
  for (std::uint64_t n = 1; n <= 4; ++n)
    for (int i = 0; i < orders; ++i) {
      const auto e = event_of(key_of(i), n);
      lines += e.json + "\n";
      ids.push_back(e.id);
    }
  auto client = cluster.client("n1");

  const auto refused = client.post_batch(lines + event_of("one-too-many", 1).json + "\n");
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(client.order(key_of(0)).status, 404) << "a part of a refused batch took effect";

  const auto taken = client.post_batch(lines);
  ASSERT_EQ(taken.status, 200) << taken.body;
  ASSERT_EQ(taken.messages.size(), ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) ASSERT_EQ(taken.messages[i].id, ids[i]);
  EXPECT_TRUE(all_are(taken, "applied"));
  EXPECT_TRUE(all_are(cluster.client("n2").post_batch(lines), "duplicate"));
  for (int i : {0, orders / 2, orders - 1}) EXPECT_EQ(client.order(key_of(i)).chain, replay(key_of(i), 4).chain);
}

}  // namespace
}  // namespace pawl::testing
