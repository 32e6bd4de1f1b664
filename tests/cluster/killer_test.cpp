// A message whose handler ends the process must not take one node after the other down.
#include "tests/cluster/order_load.hpp"
#include "tests/cluster/test_cluster.hpp"
#include "tests/cluster/until.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace pawl::testing {
namespace {

std::string bomb(const std::string& message, const std::string& id) {
  return R"({"type":"bomb","key":"b1","message":")" + message + R"(","id":")" + id + R"(","payload":{}})";
}

/// Sends it as a careful sender does: again, to whoever is left, until it is resolved.
message_answer insist(test_cluster& cluster, const std::string& message) {
  message_answer last;
  until("the message to be resolved", [&] {
    for (const auto& node : cluster.active()) {
      const auto a = cluster.client(node).post(message);
      if (!a.messages.empty()) last = a.messages.front();
      if (last.resolved()) return true;
    }
    return false;
  });
  return last;
}

TEST(Killer, a_message_that_ends_its_owners_is_refused_before_it_has_ended_all_of_them) {
  test_cluster cluster{{.flags = {"--request-timeout", "1s"}, .program = PAWL_STUCK_NODE}};
  const std::vector<std::string> nodes{"n1", "n2", "n3", "n4", "n5"};
  cluster.start(nodes);
  order_load load{cluster};
  load.every_order_moves_on();
  EXPECT_EQ(insist(cluster, bomb("Tick", "t1")).result, "applied");

  const auto refused = insist(cluster, bomb("Explode", "x"));
  EXPECT_EQ(refused.result, "refused");
  EXPECT_NE(refused.reason.find("ended its process"), std::string::npos) << refused.reason;

  // Four nodes, no more; and what it stood before goes on.
  EXPECT_EQ(std::count_if(nodes.begin(), nodes.end(), [&](const auto& n) { return !cluster.running(n); }), 4);
  cluster.settle();
  EXPECT_EQ(insist(cluster, bomb("Tick", "t2")).result, "applied");
  EXPECT_EQ(insist(cluster, bomb("Explode", "x")).result, "refused");
  const auto letters = cluster.client(cluster.active().front()).get("/v1/dead-letters");
  EXPECT_NE(letters.find("\"message\":\"Explode\""), std::string::npos) << letters;
  load.every_order_moves_on();
  load.finish_and_check();
}

}  // namespace
}  // namespace pawl::testing
