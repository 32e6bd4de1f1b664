#include "tests/cluster/order_events.hpp"
#include "tests/cluster/test_cluster.hpp"
#include "tests/unit/http/raw_client.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace pawl::testing {
namespace {

using namespace std::string_literals;

std::string random_bytes(std::size_t size) {
  std::mt19937 source{1};
  std::string out(size, '\0');
  for (auto& c : out) c = static_cast<char>(source());
  return out;
}

TEST(Hostile, whatever_a_stranger_sends_to_the_peer_port_is_turned_away_and_the_node_goes_on) {
  test_cluster cluster{{.flags = {"--request-timeout", "30s"}}};
  cluster.start({"n1", "n2"});
  auto node = cluster.client("n1");
  const auto memory = node.metric("process_resident_memory_bytes");
  const auto port = cluster.peer_port("n1");
  const std::vector<std::string> garbage{
      random_bytes(100'000),
      "\xff\xff\xff\xff"s,                                // a message of 4 GiB
      "\xff\xff\xff\xff\x01"s + random_bytes(1'000'000),  // and its beginning
      "\0\0\0\0"s,                                        // an empty one
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n"s,
      "\x05\0\0\0\x01half"s,  // a hello that breaks off
      "\x01\0\0\0\x02"s,      // a frame from one who has not said hello
      ""s,                    // silence
  };
  std::vector<raw_client> strangers;
  for (const auto& g : garbage) {
    strangers.emplace_back(port);
    // A node that turns the stranger away early takes no more bytes.
    static_cast<void>(strangers.back().send(g));
  }
  const auto a = node.post(event_of("order-1", 1).json);
  EXPECT_EQ(a.status, 200) << "served while strangers hold connections: " << a.body;
  for (std::size_t i = 0; i < strangers.size(); ++i) EXPECT_TRUE(strangers[i].ended()) << "stranger " << i;

  EXPECT_TRUE(cluster.node("n1").running());
  EXPECT_LT(node.metric("process_resident_memory_bytes") - memory, 64e6);
  cluster.settle();
  for (int i = 0; i < 20; ++i) {
    const auto key = "order-" + std::to_string(i);
    EXPECT_EQ(cluster.client("n2").post(event_of(key, 1).json).status, 200);
    EXPECT_EQ(node.order(key).chain, replay(key, 1).chain);
  }
}

}  // namespace
}  // namespace pawl::testing
