// Goal: wherever an owner dies on the way of a message between entities, of a timer, or of an entry of its inbox, each
// takes effect once and in order, and nothing is left behind. The owner stands still at the very step, as its bytes
// pass to Redis, and is killed there.
#include "cluster/shard_map.hpp"
#include "persistence/keys.hpp"
#include "tests/cluster/test_cluster.hpp"
#include "tests/cluster/until.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <future>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::testing {
namespace {

using numbers = std::vector<std::uint64_t>;
using namespace std::string_view_literals;

/// A command of the owner, by what is in it and in nothing else that it sends then: see persistence/SCHEMA.md.
struct step {
  const char* name;
  std::string_view bytes;
  enum class way : std::uint8_t { message, timer, inbox } by = way::message;
};

constexpr step steps[] = {
    {"commit_that_sends", "\r\n\0o0\r\n"sv},
    {"commit_that_takes", "\r\n\0h0\r\n"sv},
    {"commit_that_says_it_was_delivered", "\r\n\0p0\r\n"sv},
    {"removal_of_what_was_delivered", "\r\nHDEL\r\n"sv},
    {"commit_that_sets_a_timer", "\r\n\0t0\r\n"sv, step::way::timer},
    {"commit_of_a_timers_message", "\r\n\0t0\r\n$0\r\n"sv, step::way::timer},
    {"commit_of_an_inbox", "\r\nHSET\r\n"sv, step::way::inbox},
    {"removal_from_an_inbox", "\r\nXTRIM\r\n"sv, step::way::inbox},
};
// For the lists of tests, which would show bytes.
void PrintTo(const step& s, std::ostream* out) { *out << s.name; }

constexpr std::string_view whens[] = {"before", "unanswered", "answered"};

struct StepKill : ::testing::TestWithParam<std::tuple<step, trap::when>> {
  static constexpr std::uint32_t shards = 8;
  test_cluster cluster{
      {.shards = shards, .flags = {"--request-timeout", "1s"}, .program = PAWL_RELAY_NODE, .wired = true}};
  std::string source, sink;

  /// Keys in two shards of the node.
  void choose_keys(const std::string& node) {
    const auto rows = cluster.client(node).shards();
    for (int i = 0; sink.empty(); ++i) {
      auto key = "key-" + std::to_string(i);
      if (rows.at(shard_of(key, shards).value).owner != node) continue;
      if (source.empty()) source = std::move(key);
      else if (shard_of(key, shards) != shard_of(source, shards)) sink = std::move(key);
    }
  }
  [[nodiscard]] std::string message(std::uint64_t n, bool timer) const {
    const auto number = std::to_string(n);
    return R"({"type":"source","key":")" + source + R"(","id":")" + number + R"(","sent_at":)" +
           std::to_string(sent_at_) + R"(,"message":")" + (timer ? "Alarm" : "Emit") + R"(","payload":{"n":)" + number +
           (timer ? "}}" : R"(,"to":")" + sink + R"("}})");
  }
  /// As a careful sender does: again, to the same door, until it is resolved.
  void insist(node_client client, const std::string& m) {
    until("a message to be resolved", [&] {
      const auto a = client.post(m);
      return !a.messages.empty() && a.messages.front().resolved();
    });
  }
  void add_to_inbox(std::uint64_t n) {
    const auto number = std::to_string(n);
    cluster.store().run({"XADD", key_names{"test"}.inbox(shard_of(source, shards)), "*", "type", "source", "key",
                         source, "message", "Emit", "id", number, "sent_at", std::to_string(sent_at_), "payload",
                         R"({"n":)" + number + R"(,"to":")" + sink + R"("})"});
  }
  void bring(std::uint64_t n, step::way by) {
    if (by == step::way::inbox) add_to_inbox(n);
    else insist(cluster.client("n2"), message(n, by == step::way::timer));
  }
  numbers read(const std::string& type, const std::string& key, const char* list) {
    const auto answer =
        nlohmann::json::parse(cluster.client("n2").get("/v1/entities/" + type + "/" + key), nullptr, false);
    if (!answer.is_object() || !answer.contains("state")) return {};
    return answer["state"][list].get<numbers>();
  }
  numbers arrived(step::way by) {
    return by == step::way::timer ? read("source", source, "rung") : read("sink", sink, "taken");
  }
  std::string metric(const std::string& node, const std::string& name) {
    const auto text = cluster.client(node).get("/metrics");
    const auto at = text.find("\n" + name + " ");
    return at == std::string::npos ? ""
                                   : text.substr(at + name.size() + 2, text.find('\n', at + 1) - at - name.size() - 2);
  }

private:
  std::int64_t sent_at_ =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
};

TEST_P(StepKill, NothingIsLostAndNothingComesTwice) {
  const auto& [at, when] = GetParam();
  cluster.start({"n1", "n2"});
  choose_keys("n1");
  bring(1, at.by);
  until("the first to arrive", [&] { return arrived(at.by) == numbers{1}; });
  until("the outbox to be tidy", [&] { return metric("n1", "pawl_outbox_messages") == "0"; });

  cluster.wires().trap_redis("n1", {std::string{at.bytes}, when});
  auto second = std::async(std::launch::async, [this, by = at.by] { bring(2, by); });
  until("the step to be reached", [&] { return cluster.wires().sprung("n1"); });
  cluster.kill("n1");
  second.get();
  bring(3, at.by);
  until("all to arrive", [&] { return arrived(at.by).size() >= 3; });

  cluster.wires().trap_redis("n1", {});
  cluster.wires().heal_redis("n1");
  cluster.start({"n1"});
  bring(4, at.by);
  until("the last to arrive", [&] { return arrived(at.by).size() >= 4; });
  EXPECT_EQ(read("source", source, "taken"), (numbers{1, 2, 3, 4}));
  EXPECT_EQ(arrived(at.by), (numbers{1, 2, 3, 4}));
  for (const auto* node : {"n1", "n2"}) {
    until("the outboxes to be empty", [&] { return metric(node, "pawl_outbox_messages") == "0"; });
    EXPECT_EQ(metric(node, "pawl_timers"), "0");
    EXPECT_EQ(metric(node, "pawl_dead_letters"), "0");
  }
}

INSTANTIATE_TEST_SUITE_P(, StepKill,
                         ::testing::Combine(::testing::ValuesIn(steps),
                                            ::testing::Values(trap::when::before, trap::when::unanswered,
                                                              trap::when::answered)),
                         [](const auto& chosen) {
                           return std::string{std::get<0>(chosen.param).name} + "_" +
                                  std::string{whens[static_cast<std::size_t>(std::get<1>(chosen.param))]};
                         });

}  // namespace
}  // namespace pawl::testing
