// Handlers that do not return. A node that no longer gets on must not keep its shards from the others.
#include "cluster/shard_map.hpp"
#include "tests/cluster/order_load.hpp"
#include "tests/cluster/test_cluster.hpp"
#include "tests/cluster/until.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
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
      senders_.emplace_back([client = cluster_.client(node_), key]() mutable {
        (void)client.post(R"({"type":"gate","key":")" + key + R"(","message":"Pass","id":"1","payload":{}})");
      });
    }
  }

  void open() {
    std::filesystem::remove(file_);
    for (auto& s : senders_) s.join();
    senders_.clear();
  }

private:
  test_cluster& cluster_;
  std::string file_;
  std::string node_;
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

}  // namespace
}  // namespace pawl::testing
