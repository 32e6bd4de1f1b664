// Timers of many entities, all due at the same time. Orders it takes:
//
//   touch      makes the entities, so that what they take is not counted with their timers
//   schedule   gives each its timers, due at `due_ms` since 1970
//   fire       waits until all have fired; how late each was: from when it was due until its commit was confirmed
//   check      reads every entity: each timer fired once, none is left
#include "tests/bench/timers_program.hpp"

#include "actors/entity.hpp"
#include "persistence/codec.hpp"
#include "tests/bench/accounts.hpp"
#include "tests/bench/door_messages.hpp"
#include "tests/bench/outcomes.hpp"
#include "tests/bench/watched_program.hpp"
#include "tests/bench/workload.hpp"
#include "tests/cluster/until.hpp"

#include <atomic>
#include <stdexcept>

namespace pawl::bench {
namespace {

using json = nlohmann::json;

constexpr std::chrono::minutes fire_deadline{10};

struct Arm {
  std::uint32_t timers = 0;
  std::int64_t due_ms = 0;
  PAWL_MESSAGE(Arm, timers, due_ms)
};
struct Ring {
  PAWL_MESSAGE(Ring)
};
struct Alarm {
  std::uint32_t armed = 0;
  std::uint32_t rung = 0;
  PAWL_STATE(armed, rung)
};

entity_type alarm_type() {
  return entity<Alarm>("alarm")
      .on([](Alarm& a, const Arm& m, context& ctx) {
        a.armed += m.timers;
        for (std::uint32_t t = 0; t < m.timers; ++t) ctx.schedule_at("t" + std::to_string(t), m.due_ms, Ring{});
      })
      .on([](Alarm& a, const Ring&) { ++a.rung; });
}

std::string alarm_key(std::size_t alarm) { return "a-" + std::to_string(alarm); }

/// How late the timers were that have fired.
class lateness {
public:
  /// On the store's thread. Timers are due by the wall clock, which is read once a commit.
  void hear(const commit_watch::tags& dues) {
    using namespace std::chrono;
    const auto now = duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
    for (const auto due : dues) us_.push_back(static_cast<float>(now - static_cast<std::int64_t>(due) * 1000));
    fired_.store(us_.size(), std::memory_order_release);
  }
  [[nodiscard]] std::size_t fired() const { return fired_.load(std::memory_order_acquire); }
  /// Once all have fired.
  [[nodiscard]] std::vector<float> us() const { return us_; }

private:
  std::vector<float> us_;
  std::atomic<std::size_t> fired_{0};
};

class timer_loads {
public:
  timer_loads(local_node& node, lateness& late) : node_(node), late_(late) {}

  json touch(const json& asked) { return arm(asked, "touch", {}); }

  json schedule(const json& asked) {
    return arm(asked, "schedule",
               {asked.at("timers_each").get<std::uint32_t>(), asked.at("due_ms").get<std::int64_t>()});
  }

  json fire(const json& asked) {
    const auto timers = asked.at("timers").get<std::size_t>();
    if (late_.fired() != 0) throw std::runtime_error("timers were due before all of them were loaded");
    testing::until(
        std::to_string(timers) + " timers have fired", [&] { return late_.fired() >= timers; }, fire_deadline);
    const auto us = late_.us();
    const auto seconds = static_cast<double>(*std::max_element(us.begin(), us.end())) * 1e-6;
    return {{"rate", static_cast<double>(us.size()) / seconds}, {"latency_ms", latency_ms(us)}};
  }

  json check(const json& asked) {
    const auto each = asked.at("timers_each").get<std::uint32_t>();
    // The last commit is seen here before its owner hears of it.
    testing::until(
        "no timer is left", [&] { return node_.pending_timers() == 0; }, fire_deadline);
    check_entities(node_.door(), "alarm", asked.at("entities").get<std::size_t>(), alarm_key,
                   [&](std::size_t, const entity_answer& a) {
                     Alarm found;
                     std::string error;
                     return a.kind == entity_answer::status::found && decode_msgpack(a.state, found, error) &&
                            found.armed == each && found.rung == each && a.timers.empty();
                   });
    return json::object();
  }

private:
  json arm(const json& asked, const std::string& id, const Arm& m) {
    const auto entities = asked.at("entities").get<std::size_t>();
    std::string payload;
    encode_msgpack(m, payload);
    flow under_way{asked.at("window").get<std::size_t>()};
    const auto cpu = own_cpu_seconds();
    const auto began = bench_clock::now();
    hand_in(node_.door(), entities, under_way, leaves::answered, [&](std::size_t a) {
      return outgoing{"alarm", alarm_key(a), "Arm", id, payload};
    });
    return load_account(entities, began, cpu);
  }

  local_node& node_;
  lateness& late_;
};

}  // namespace

int timers_program(int argc, char** argv) {
  lateness late;
  commit_watch watch{[&](const commit_watch::tags& dues, bench_clock::time_point) { late.hear(dues); }};
  auto due_of = [](const message& m, const handled&) {
    // A timer's message was sent, as it says, when it was due.
    return m.name == "Ring" ? std::optional{static_cast<std::uint64_t>(m.sent_at)} : std::nullopt;
  };
  return serve_watched(argc, argv, "A node whose entities have timers; takes orders on standard input",
                       {watch.watched(alarm_type(), due_of)}, watch, [&](watched_node n, dialogue& orders) {
                         auto loads = std::make_shared<timer_loads>(n.node, late);
                         orders.on("touch", [loads](const json& asked) { return loads->touch(asked); });
                         orders.on("schedule", [loads](const json& asked) { return loads->schedule(asked); });
                         orders.on("fire", [loads](const json& asked) { return loads->fire(asked); });
                         orders.on("check", [loads](const json& asked) { return loads->check(asked); });
                       });
}

}  // namespace pawl::bench
