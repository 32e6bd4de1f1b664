// The workload and its bookkeeping, on which every comparison's check rests.
#include "tests/bench/workload.hpp"

#include "persistence/codec.hpp"
#include "tests/bench/bench_order.hpp"
#include "tests/bench/ledger.hpp"

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

namespace pawl::bench {
namespace {

workload_options small() {
  workload_options o;
  o.orders = 50;
  o.messages = 10'000;
  return o;
}

/// What a system that handles each message once, in order, stores for the order.
std::string applied_once(const workload& w, std::uint32_t order) {
  OrderState state;
  workload::words words{w};
  std::uint32_t next = 0;
  for (const auto& e : w.events()) {
    if (e.number != next) continue;
    ++next;
    if (e.order != order) continue;
    OrderEvent message;
    std::string error;
    EXPECT_TRUE(decode_msgpack(w.payload(e), message, error)) << error;
    words.put(e);
    apply(state, message, words.id());
  }
  std::string out;
  encode_msgpack(state, out);
  return out;
}

TEST(Workload, RepeatsTheAskedShareWithin200Messages) {
  const workload w{small()};
  std::map<std::uint32_t, std::size_t> first;
  std::size_t repeated = 0, farthest = 0;
  for (std::size_t i = 0; i < w.events().size(); ++i) {
    const auto [seen, fresh] = first.emplace(w.events()[i].number, i);
    if (fresh) continue;
    ++repeated;
    farthest = std::max(farthest, i - seen->second);
  }
  EXPECT_EQ(w.events().size(), 10'000);
  EXPECT_EQ(w.distinct(), first.size());
  EXPECT_NEAR(static_cast<double>(repeated), 500, 100);
  EXPECT_LE(farthest, 220);  // a repetition gives way to others that are due at the same place
}

TEST(Workload, GivesEachOrderAMessageInEveryRound) {
  auto o = small();
  o.duplicates = 0;
  const workload w{o};
  std::vector<int> messages(o.orders);
  for (std::size_t i = 0; i < o.orders; ++i) ++messages[w.events()[i].order];
  EXPECT_EQ(messages, std::vector<int>(o.orders, 1));
}

TEST(Workload, CanSendEachMessageTwice) {
  auto o = small();
  o.duplicates = 0.5;
  const workload w{o};
  EXPECT_NEAR(static_cast<double>(w.distinct()), 5'000, 200);
}

TEST(Workload, CountsOnlyWhatItKeeps) {
  workload w{small()};
  w.keep([](std::string_view key) { return key == "order-7"; });
  EXPECT_GT(w.events().size(), 190);
  EXPECT_NEAR(static_cast<double>(w.distinct()), 190, 10);
}

TEST(Ledger, KnowsWhatApplyingEachMessageOnceMakesOfAnOrder) {
  const workload w{small()};
  ledger book;
  book.take(w);
  EXPECT_EQ(book.orders(), 50);
  EXPECT_EQ(book.key(7), "order-7");
  EXPECT_TRUE(book.right(7, applied_once(w, 7)));
  EXPECT_FALSE(book.right(7, applied_once(w, 8)));
  EXPECT_FALSE(book.right(7, ""));
}

TEST(Ledger, KeepsOrdersOfSeveralSendersApart) {
  auto o = small();
  ledger book;
  for (const char* prefix : {"a-", "b-"}) {
    o.prefix = prefix;
    book.take(workload{o});
  }
  EXPECT_EQ(book.orders(), 100);
  EXPECT_EQ(book.key(49), "a-order-49");
  EXPECT_EQ(book.key(50), "b-order-0");
}

TEST(Ledger, LeavesOutWhatWasTurnedAway) {
  const workload w{small()};
  const std::vector<std::uint8_t> none(w.events().size());
  ledger book;
  book.take(w, none);
  EXPECT_TRUE(book.right(7, ""));
}

TEST(Ledger, SeesAMessageAppliedTwice) {
  const workload w{small()};
  const std::vector<std::uint8_t> all(w.events().size(), 1);  // repetitions included
  ledger book;
  EXPECT_THROW(book.take(w, all), std::runtime_error);
}

}  // namespace
}  // namespace pawl::bench
