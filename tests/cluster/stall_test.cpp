// Handlers that do not return. A node that no longer gets on must not keep its shards from the others.
#include "cluster/shard_map.hpp"
#include "tests/cluster/order_load.hpp"
#include "tests/cluster/test_cluster.hpp"
#include "tests/cluster/until.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <vector>

namespace pawl::testing {
namespace {

constexpr std::uint32_t shards = 32;

/// Gates of one node that do not let messages pass.
class closed_gates {
public:
  closed_gates(test_cluster& cluster, std::string folder, const std::string& node)
      : cluster_(cluster), file_(std::move(folder) + "/" + node + ".closed"), node_(node) {
    std::ofstream{file_} << "closed\n";
  }
  ~closed_gates() { open(); }
  closed_gates(const closed_gates&) = delete;
  closed_gates& operator=(const closed_gates&) = delete;

  /// Sends a message to so many shards of the node, each of which then does not come back from its handler.
  void block(std::size_t count) {
    const auto rows = cluster_.client(node_).shards();
    std::vector<bool> taken(rows.size());
    for (int i = 0; senders_.size() < count; ++i) {
      auto key = "gate-" + std::to_string(i);
      const auto shard = shard_of(key, shards).value;
      if (rows.at(shard).owner != node_ || taken.at(shard)) continue;
      taken[shard] = true;
      key_ = key;
      senders_.emplace_back([client = cluster_.client(node_), key]() mutable { (void)client.post(pass(key, "1")); });
    }
  }

  [[nodiscard]] static std::string pass(const std::string& key, const std::string& id) {
    return R"({"type":"gate","key":")" + key + R"(","message":"Pass","id":")" + id + R"(","payload":{}})";
  }
  /// Of the shard that was blocked last.
  [[nodiscard]] const std::string& key() const noexcept { return key_; }

  void open() {
    std::filesystem::remove(file_);
    for (auto& s : senders_) s.join();
    senders_.clear();
  }

private:
  test_cluster& cluster_;
  std::string file_;
  std::string node_;
  std::string key_;
  std::vector<std::thread> senders_;
};

struct Stall : ::testing::Test {
  temporary_directory gates;
  test_cluster cluster{{.shards = shards,
                        .flags = {"--cluster-beat", "100ms", "--cluster-lease", "1s", "--threads", "4"},
                        .environment = {"PAWL_TEST_GATES=" + gates.path()},
                        .program = PAWL_STUCK_NODE}};
};

TEST_F(Stall, a_node_with_all_its_workers_in_handlers_that_do_not_return_is_replaced_and_joins_again_afterwards) {
  cluster.start({"n1", "n2", "n3"});
  order_load load{cluster};
  load.every_order_moves_on();
  const auto before = cluster.client("n2").status();
  ASSERT_GT(before.shards_owned, 4U);

  closed_gates n2{cluster, gates.path(), "n2"};
  n2.block(4);
  until("n1 and n3 own all shards", [&] {
    return cluster.client("n1").status().shards_owned + cluster.client("n3").status().shards_owned == shards;
  });
  until("n2 knows what has become of it", [&] {
    return cluster.client("n2").status().state == "evicted" && cluster.client("n2").metric("pawl_shards_stalled") == 4;
  });
  EXPECT_NE(cluster.node("n2").log().find("shards do not progress, not beating"), std::string::npos);
  load.every_order_moves_on();

  n2.open();
  until("n2 is a member again", [&] {
    const auto now = cluster.client("n2").status();
    return now.state == "up" && now.incarnation > before.incarnation;
  });
  cluster.settle();
  EXPECT_EQ(cluster.client("n2").metric("pawl_shards_stalled"), 0);
  EXPECT_GT(cluster.client("n2").status().shards_owned, 0U);
  load.every_order_moves_on();
  load.finish_and_check();
}

TEST_F(Stall, a_single_handler_that_does_not_return_is_reported_and_stops_its_shard_only) {
  cluster.start({"n1", "n2"});
  const auto before = cluster.client("n2").status();

  closed_gates n2{cluster, gates.path(), "n2"};
  n2.block(1);
  until("n2 says so", [&] { return cluster.client("n2").metric("pawl_shards_stalled") == 1; });
  EXPECT_NE(cluster.client("n2").get("/v1/shards").find(R"("waiting_for":"a handler has not returned")"),
            std::string::npos);
  EXPECT_NE(cluster.node("n2").log().find("a handler has not returned"), std::string::npos);
  EXPECT_EQ(cluster.client("n2").status().incarnation, before.incarnation) << "it was evicted for one handler";
  EXPECT_EQ(cluster.client("n1").status().members, (std::vector<std::string>{"n1", "n2"}));

  n2.open();
  until("n2 says that it is over", [&] {
    return cluster.client("n2").metric("pawl_shards_stalled") == 0 &&
           cluster.client("n2").get("/v1/shards").find("waiting_for") == std::string::npos;
  });
}

/// A line for each, of this key or of keys of their own.
std::string passes(std::size_t count, const std::string& prefix, const std::string& key = {}) {
  std::string lines;
  for (std::size_t i = 0; i < count; ++i) {
    const auto id = prefix + std::to_string(i);
    lines += closed_gates::pass(key.empty() ? id : key, id) + "\n";
  }
  return lines;
}

TEST(StallRoom, a_shard_that_stands_still_leaves_room_for_those_that_go_on) {
  temporary_directory gates;
  test_cluster cluster{{.shards = shards,
                        .flags = {"--node-queue-messages", "200", "--threads", "4"},
                        .environment = {"PAWL_TEST_GATES=" + gates.path()},
                        .program = PAWL_STUCK_NODE}};
  cluster.start({"n1"});
  closed_gates n1{cluster, gates.path(), "n1"};
  n1.block(1);
  const auto stuck = shard_of(n1.key(), shards).value;
  until("its message to be in its handler", [&] { return cluster.client("n1").metric("pawl_shards_stalled") == 1; });

  // Once 61 wait, 60 more would be more than what is then left: of two requests one is turned away, at once.
  const auto send = [&](const char* prefix) {
    return std::async(std::launch::async, [&cluster, lines = passes(60, prefix, n1.key())] {
      return cluster.client("n1").post_batch(lines);
    });
  };
  std::array two{send("a"), send("b")};
  const auto ready = [](auto& f) { return f.wait_for(std::chrono::seconds{0}) == std::future_status::ready; };
  until("one of them to be answered", [&] { return ready(two[0]) || ready(two[1]); });
  const auto more = two[ready(two[0]) ? 0 : 1].get();
  ASSERT_EQ(more.messages.size(), 60U);
  for (const auto& m : more.messages) {
    EXPECT_EQ(m.result, "busy");
    EXPECT_NE(m.reason.find("for this shard at this node: send it again a little later"), std::string::npos);
  }
  // Together with the 61 they are too many for the node.
  const auto flood = cluster.client("n1").post_batch(passes(140, "c"));
  ASSERT_EQ(flood.messages.size(), 140U);
  for (const auto& m : flood.messages) {
    EXPECT_EQ(m.result, "busy");
    EXPECT_NE(m.reason.find("wait at this node: send it again a little later, or to another node"), std::string::npos);
  }
  const auto purchase = [](const std::string& key) {
    return R"({"type":"order","key":")" + key + R"(","message":"OrderPurchased","id":")" + key +
           R"(","payload":{"customer":"ada","at":"2024-05-01T09:30"}})" + "\n";
  };
  std::string orders;
  for (int i = 0; orders.size() < 3'000; ++i) {
    const auto key = "order-" + std::to_string(i);
    if (shard_of(key, shards).value == stuck) continue;
    orders += purchase(key);
  }
  for (const auto& m : cluster.client("n1").post_batch(orders).messages) EXPECT_EQ(m.result, "applied") << m.reason;
  n1.open();
  until("all room to be free", [&] {
    const auto again = cluster.client("n1").post_batch(passes(199, "d"));
    return again.messages.size() == 199 && again.messages.front().result == "applied";
  });
}

}  // namespace
}  // namespace pawl::testing
