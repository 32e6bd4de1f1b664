#include "tests/cluster/order_ledger.hpp"

#include "tests/cluster/order_events.hpp"
#include "tests/cluster/test_cluster.hpp"
#include "tests/cluster/until.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace pawl::testing {
namespace {

stored_order after(std::uint64_t events) {
  const auto o = replay("order-1", events);
  return {o.status, o.events, o.chain};
}

verdict judged(const stored_order& found) { return judge({{"order-1", 5}}, {{"order-1", found}}); }

TEST(OrderLedger, an_order_with_all_its_events_is_flawless) {
  const auto v = judged(after(5));
  EXPECT_TRUE(v.flawless()) << v;
  EXPECT_EQ(v.events, 5U);
}

TEST(OrderLedger, missing_events_are_lost) {
  EXPECT_EQ(judged(after(4)).lost, 1U);
  EXPECT_EQ(judge({{"order-1", 5}}, {}).lost, 5U);
}

TEST(OrderLedger, additional_events_took_effect_twice) { EXPECT_EQ(judged(after(6)).twice, 1U); }

TEST(OrderLedger, as_many_events_with_another_chain_or_status_are_not_in_order) {
  auto swapped = after(5);
  swapped.chain = replay("order-2", 5).chain;
  EXPECT_EQ(judged(swapped).out_of_order, 1U);
  auto late = after(5);
  late.status = "approved";
  EXPECT_EQ(judged(late).out_of_order, 1U);
}

TEST(OrderLedger, an_order_that_nobody_sent_is_invented) {
  const auto v = judge({}, {{"order-1", after(1)}});
  EXPECT_EQ(v.invented, 1U);
  EXPECT_FALSE(v.flawless());
}

TEST(OrderLedger, reads_from_redis_what_lies_under_the_live_tokens_and_nothing_else) {
  test_cluster cluster;
  cluster.start({"n1"});
  std::map<std::string, std::uint64_t> sent;
  for (int i = 0; i < 100; ++i) {
    const auto key = "order-" + std::to_string(i);
    sent[key] = 1;
    until(key + " is purchased", [&] { return cluster.client("n1").post(event_of(key, 1).json).status == 200; });
  }
  const auto& store = cluster.store();
  EXPECT_TRUE(dead_names(store).empty());
  const auto first = judge(sent, stored_orders(store, cluster.shards()));
  EXPECT_TRUE(first.flawless()) << first;

  // An owner of long ago writes beside the data.
  store.run({"HSET", "pawl:test:{0}:1-n9-0:s", "eorder/order-1", "x"});
  EXPECT_EQ(dead_names(store), std::vector<std::string>{"pawl:test:{0}:1-n9-0:s"});
  EXPECT_TRUE(judge(sent, stored_orders(store, cluster.shards())).flawless());

  const auto token = store.ask({"HGET", "pawl:test:{0}:rec", "tok"}).text;
  store.run({"DEL", "pawl:test:{0}:own:" + token});
  EXPECT_THROW(static_cast<void>(stored_orders(store, cluster.shards())), std::runtime_error);
}

}  // namespace
}  // namespace pawl::testing
