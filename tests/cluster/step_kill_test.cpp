// Goal: wherever an owner dies on the way of a message between entities, of a timer, or of an entry of its inbox, each
// takes effect once and in order, and nothing is left behind. The owner stands still at the very step, as its bytes
// pass to Redis, and is killed there.
#include "cluster/shard_map.hpp"
#include "persistence/keys.hpp"
#include "tests/cluster/test_cluster.hpp"
#include "tests/cluster/until.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <future>
#include <ostream>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace pawl::testing {
namespace {

using numbers = std::vector<std::uint64_t>;
using namespace std::string_view_literals;

/// A command to Redis: its words.
using command = std::vector<std::string>;

/// Writes a field of this kind, whatever its slot. A slot that is over is written as "".
bool writes(const command& c, char kind, bool over = false) {
  for (std::size_t i = 2; i + 1 < c.size(); i += 2)
    if (c[i].starts_with(std::string{'\0', kind}) && c[i + 1].empty() == over) return true;
  return false;
}
bool commits(const command& c) { return c.front() == "HSET"; }

/// A command of the owner of a shard: see persistence/SCHEMA.md.
struct step {
  const char* name;
  enum class way : std::uint8_t { message, timer, inbox } by;
  enum class place : std::uint8_t { source, sink } at;  ///< whose shard
  std::size_t commands;                                 ///< a commit counts with the `EXISTS` behind it
  bool (*is)(const command&);
};

using way = step::way;
using enum step::way;
using enum step::place;
constexpr step steps[] = {
    {"commit_that_sends", message, source, 2, [](const command& c) { return commits(c) && writes(c, 'o'); }},
    {"commit_that_takes", message, sink, 2, [](const command& c) { return commits(c) && writes(c, 'h'); }},
    {"commit_that_says_it_was_delivered", message, source, 2,
     [](const command& c) { return commits(c) && writes(c, 'p') && !writes(c, 'o'); }},
    {"removal_of_what_was_delivered", message, source, 1,
     [](const command& c) { return c.front() == "HDEL" && c[2].starts_with("\0o"sv); }},
    {"commit_that_sets_a_timer", timer, source, 2, [](const command& c) { return commits(c) && writes(c, 't'); }},
    {"commit_of_a_timers_message", timer, source, 2,
     [](const command& c) { return commits(c) && writes(c, 't', true); }},
    // It sends, too: so it is no other commit of the shard.
    {"commit_of_an_inbox", inbox, source, 2, [](const command& c) { return commits(c) && writes(c, 'o'); }},
    {"removal_from_an_inbox", inbox, source, 1, [](const command& c) { return c.front() == "XTRIM"; }},
};
// For the lists of tests, which would show bytes.
void PrintTo(const step& s, std::ostream* out) { *out << s.name; }

struct StepKill : ::testing::TestWithParam<std::tuple<step, trap::when>> {
  static constexpr std::uint32_t shards = 8;
  // They outlive the cluster, whose proxies look at them.
  std::string from, to;             ///< keys of the source and the sink
  std::atomic<bool> armed = false;  ///< the step is awaited; the keys change no more
  test_cluster cluster{
      {.shards = shards, .flags = {"--request-timeout", "1s"}, .program = PAWL_RELAY_NODE, .wired = true}};

  /// Called by the thread of a proxy.
  [[nodiscard]] bool reached(const step& at, const command& c) const {
    if (!armed || c.size() < 2) return false;
    const auto shard = shard_of(at.at == source ? from : to, shards).value;
    return c[1].find("{" + std::to_string(shard) + "}") != std::string::npos && at.is(c);
  }
  /// Keys in two shards of the node.
  void choose_keys(const std::string& node) {
    const auto rows = cluster.client(node).shards();
    for (int i = 0; to.empty(); ++i) {
      auto key = "key-" + std::to_string(i);
      if (rows.at(shard_of(key, shards).value).owner != node) continue;
      if (from.empty()) from = std::move(key);
      else if (shard_of(key, shards) != shard_of(from, shards)) to = std::move(key);
    }
  }
  [[nodiscard]] std::string request(std::uint64_t n, way by) const {
    const auto number = std::to_string(n);
    return R"({"type":"source","key":")" + from + R"(","id":")" + number + R"(","sent_at":)" +
           std::to_string(sent_at_) + R"(,"message":")" + (by == timer ? "Alarm" : "Emit") + R"(","payload":{"n":)" +
           number + (by == timer ? "}}" : R"(,"to":")" + to + R"("}})");
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
    cluster.store().run({"XADD", key_names{"test"}.inbox(shard_of(from, shards)), "*", "type", "source", "key", from,
                         "message", "Emit", "id", number, "sent_at", std::to_string(sent_at_), "payload",
                         R"({"n":)" + number + R"(,"to":")" + to + R"("})"});
  }
  void bring(std::uint64_t n, way by) {
    if (by == inbox) add_to_inbox(n);
    else insist(cluster.client("n2"), request(n, by));
  }
  numbers read(const std::string& type, const std::string& key, const char* list) {
    const auto answer =
        nlohmann::json::parse(cluster.client("n2").get("/v1/entities/" + type + "/" + key), nullptr, false);
    if (!answer.is_object() || !answer.contains("state")) return {};
    return answer["state"][list].get<numbers>();
  }
  numbers arrived(way by) { return by == timer ? read("source", from, "rung") : read("sink", to, "taken"); }
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
  const auto& at = std::get<0>(GetParam());
  const auto when = std::get<1>(GetParam());
  cluster.wires().trap_redis(
      "n1",
      trap{.wanted = [this, &at](const command& c) { return reached(at, c); }, .at = when, .commands = at.commands});
  cluster.start({"n1", "n2"});
  choose_keys("n1");
  bring(1, at.by);
  until("the first to arrive", [&] { return arrived(at.by) == numbers{1}; });
  until("the outbox to be tidy", [&] { return metric("n1", "pawl_outbox_messages") == "0"; });

  armed = true;
  auto second = std::async(std::launch::async, [this, by = at.by] { bring(2, by); });
  until("the step to be reached", [&] { return cluster.wires().sprung("n1"); });
  cluster.kill("n1");
  second.get();
  bring(3, at.by);
  until("all to arrive", [&] { return arrived(at.by).size() >= 3; });

  cluster.wires().trap_redis("n1", std::nullopt);
  cluster.wires().heal_redis("n1");
  cluster.start({"n1"});
  bring(4, at.by);
  until("the last to arrive", [&] { return arrived(at.by).size() >= 4; });
  for (const auto* node : {"n1", "n2"}) {
    until("the outboxes to be empty", [&] { return metric(node, "pawl_outbox_messages") == "0"; });
    EXPECT_EQ(metric(node, "pawl_timers"), "0");
    EXPECT_EQ(metric(node, "pawl_dead_letters"), "0");
  }
  // Only now: a copy may come late.
  EXPECT_EQ(read("source", from, "taken"), (numbers{1, 2, 3, 4}));
  EXPECT_EQ(arrived(at.by), (numbers{1, 2, 3, 4}));
}

INSTANTIATE_TEST_SUITE_P(, StepKill,
                         ::testing::Combine(::testing::ValuesIn(steps),
                                            ::testing::Values(trap::when::before, trap::when::unanswered,
                                                              trap::when::answered)),
                         [](const auto& chosen) {
                           return std::string{std::get<0>(chosen.param).name} + "_" +
                                  name_of(std::get<1>(chosen.param));
                         });

}  // namespace
}  // namespace pawl::testing
