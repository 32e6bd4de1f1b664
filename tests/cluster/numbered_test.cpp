// Goal: messages of a numbered type come from several places in no order, and take effect in the order of their
// numbers, each once, whichever node dies meanwhile.
#include "cluster/shard_map.hpp"
#include "tests/cluster/seed.hpp"
#include "tests/cluster/test_cluster.hpp"
#include "tests/cluster/until.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace pawl::testing {
namespace {

using numbers = std::vector<std::uint64_t>;

numbers one_to(std::uint64_t last) {
  numbers out(last);
  std::iota(out.begin(), out.end(), 1);
  return out;
}

struct Numbered : ::testing::Test {
  static constexpr std::uint64_t last = 400;
  static constexpr std::size_t senders = 4;
  test_cluster cluster{{.shards = 8, .flags = {"--request-timeout", "1s"}, .program = PAWL_RELAY_NODE}};

  [[nodiscard]] std::string message(std::uint64_t n) const {
    const auto number = std::to_string(n);
    return R"({"type":"journal","key":"j","message":"Number","id":"m)" + number + R"(","seq":)" + number +
           R"(,"sent_at":)" + std::to_string(sent_at_) + R"(,"payload":{"n":)" + number + "}}\n";
  }
  [[nodiscard]] node_client survivor() { return cluster.client(cluster.active().front()); }
  [[nodiscard]] std::string owner() { return survivor().shards().at(shard_of("j", cluster.shards()).value).owner; }
  [[nodiscard]] numbers taken() {
    const auto a = nlohmann::json::parse(survivor().get("/v1/entities/journal/j"), nullptr, false);
    return a.is_object() && a.contains("state") ? a["state"]["taken"].get<numbers>() : numbers{};
  }
  /// Sends what it has in requests of a few, whatever comes to hand, to any node, until all of it is resolved.
  void send(unsigned lot, numbers mine) {
    std::seed_seq both{seed(), lot};
    std::mt19937 dice{both};
    std::map<std::uint16_t, node_client> clients;
    while (!mine.empty()) {
      std::shuffle(mine.begin(), mine.end(), dice);
      const auto doors = cluster.doors();
      const auto port = doors.at(dice() % doors.size()).port;
      std::string lines;
      const auto count = std::min<std::size_t>(mine.size(), 1 + dice() % 8);
      for (std::size_t i = 0; i < count; ++i) lines += message(mine[i]);
      const auto a = clients.try_emplace(port, port, std::chrono::seconds{3}).first->second.post_batch(lines);
      for (std::size_t i = a.messages.size(); i-- > 0;)
        if (a.messages[i].resolved()) note(a.messages[i], mine, i);
    }
  }
  void note(const message_answer& a, numbers& mine, std::size_t at) {
    const std::lock_guard lock{mutex_};
    ++results[a.result];
    mine.erase(mine.begin() + static_cast<std::ptrdiff_t>(at));
  }

  std::map<std::string, std::uint64_t> results;  ///< of resolved messages

private:
  std::mutex mutex_;
  std::int64_t sent_at_ =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
};

TEST_F(Numbered, take_effect_in_the_order_of_their_numbers_whichever_owner_dies) {
  cluster.start({"n1", "n2", "n3"});
  std::vector<numbers> shares(senders);
  std::mt19937 dice{seed()};
  // The first is missing, so all others come early: what is held of them dies with its owner.
  for (std::uint64_t n = 2; n <= last; ++n) shares[dice() % senders].push_back(n);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < senders; ++i) threads.emplace_back([this, i, &shares] { send(i + 1, shares[i]); });

  const auto wait_for_held = [this] {
    until("messages to be held",
          [this] { return cluster.client(owner()).metric(R"(pawl_held_messages{entity_type="journal"})") > 0; });
    EXPECT_EQ(taken(), numbers{});
  };
  for (int deaths = 0; deaths < 2; ++deaths) {
    wait_for_held();
    cluster.kill(owner());
    cluster.settle();
  }
  wait_for_held();
  threads.emplace_back([this] { send(senders + 1, {1}); });
  for (auto& t : threads) t.join();
  EXPECT_EQ(taken(), one_to(last));
  EXPECT_EQ(results["applied"] + results["duplicate"], last);

  // A number that was used is known for ever.
  const auto again = survivor().post_batch(message(7) + message(last));
  ASSERT_EQ(again.messages.size(), 2U);
  for (const auto& m : again.messages) EXPECT_EQ(m.result, "duplicate") << m.reason;
}

}  // namespace
}  // namespace pawl::testing
