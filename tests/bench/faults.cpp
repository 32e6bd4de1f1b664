#include "tests/bench/faults.hpp"

#include "cluster/placement.hpp"
#include "tests/cluster/until.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <stdexcept>

namespace pawl::bench {
namespace {

using namespace std::chrono_literals;
using testing::until;
using names = std::vector<std::string>;

/// Of load alone, before each fault.
constexpr auto calm_time = 500ms;

steady_time now() { return std::chrono::steady_clock::now(); }
double ms_since(steady_time t) { return std::chrono::duration<double, std::milli>(now() - t).count(); }

std::string victim_of(const fault_scene& s) { return s.nodes[static_cast<std::size_t>(s.round) % s.nodes.size()]; }

names without(names all, const std::string& one) {
  std::erase(all, one);
  return all;
}

std::vector<std::string> owners_with(const names& nodes, std::uint32_t shards) {
  view v{{1}, {}};
  for (const auto& n : nodes) v.members.push_back({{n, 1}, member_state::up, "", "", 0});
  const placement table{v, shards};
  std::vector<std::string> out;
  for (std::uint32_t s = 0; s < shards; ++s) out.push_back(table.owner({s})->id.node);
  return out;
}

std::vector<shard_id> all_shards(std::uint32_t shards) {
  std::vector<shard_id> out;
  for (std::uint32_t s = 0; s < shards; ++s) out.push_back({s});
  return out;
}

/// Known before the fault, for everybody can compute who owns what: these are the ones worth watching.
std::vector<shard_id> moved_between(const names& before, const names& after, std::uint32_t shards) {
  const auto a = owners_with(before, shards);
  const auto b = owners_with(after, shards);
  std::vector<shard_id> out;
  for (std::uint32_t s = 0; s < shards; ++s)
    if (a[s] != b[s]) out.push_back({s});
  return out;
}

std::vector<shard_id> owned_by(const std::string& node, const fault_scene& s) {
  const auto owners = s.cluster.owners(node);
  std::vector<shard_id> out;
  for (std::uint32_t i = 0; i < s.shards; ++i)
    if (owners[i] == node) out.push_back({i});
  return out;
}

void await_traffic(const fault_scene& s, steady_time due) {
  until("every watched key moves on", [&] { return s.traffic.all_moved_on(due); });
}

void watch_calmly(const fault_scene& s, std::vector<shard_id> shards) {
  s.traffic.watch(std::move(shards));
  await_traffic(s, now() + calm_time);
}

void await_placed(const fault_scene& s, const names& nodes) {
  const auto expected = owners_with(nodes, s.shards);
  s.cluster.await_members(nodes);
  if (s.cluster.owners(nodes.front()) != expected)
    throw std::runtime_error("the cluster places shards otherwise than this program: was it built with the nodes?");
}

/// Milliseconds between a wall clock time and a line of a node's log, which begins with its time.
double ms_between(std::chrono::system_clock::time_point from, const std::string& line) {
  std::tm t{};
  const char* rest = ::strptime(line.c_str(), "%Y-%m-%dT%H:%M:%S", &t);
  if (rest == nullptr) throw std::runtime_error("no time in front of " + line);
  const auto at = std::chrono::system_clock::from_time_t(::timegm(&t)) +
                  std::chrono::milliseconds{std::strtol(rest + 1, nullptr, 10)};
  return std::chrono::duration<double, std::milli>(at - from).count();
}

/// When the last of these nodes had a view with exactly these members.
double view_ms(const fault_scene& s, const names& nodes, std::chrono::system_clock::time_point from) {
  std::string list;
  for (const auto& n : nodes) list += (list.empty() ? "" : ",") + n;
  double last = 0;
  for (const auto& n : nodes) {
    const auto log = s.cluster.log(n);
    const auto at = log.rfind(" members=" + list + "\n");
    if (at == log.npos) continue;
    const auto line = log.rfind('\n', at) + 1;
    last = std::max(last, ms_between(from, log.substr(line, at - line)));
  }
  return last;
}

fault_cost cost_of(traffic_window w) {
  fault_cost out;
  out.serving_ms = std::move(w.serving_ms);
  out.wait_ms = std::move(w.wait_ms);
  out.gap_ms = std::move(w.gap_ms);
  out.lag_ms = w.lag_ms;
  out.retries = w.retries;
  out.resolved = w.resolved;
  out.seconds = w.seconds;
  return out;
}

/// Until all watched shards serve, and a little longer, so that the answers to what was held up are in.
fault_cost outcome(const fault_scene& s) {
  until("all shards of the fault serve again", [&] { return s.traffic.all_serve(); });
  await_traffic(s, now());
  return cost_of(s.traffic.close_window());
}

void bring_back(const fault_scene& s, const std::string& node) {
  s.cluster.launch(node);
  s.cluster.await_door(node);
  s.cluster.settle();
  s.traffic.use_doors(s.cluster.doors());
}

fault_cost nothing(fault_scene& s) {
  watch_calmly(s, owned_by(victim_of(s), s));
  s.traffic.open_window(now());
  await_traffic(s, now() + 3s);
  return outcome(s);
}

fault_cost kill(fault_scene& s) {
  const auto victim = victim_of(s);
  watch_calmly(s, owned_by(victim, s));
  const auto wall = std::chrono::system_clock::now();
  const auto begun = now();
  s.cluster.node(victim).kill_hard();
  s.traffic.open_window(begun);  // the dead node's door stays in use: senders have to find out
  auto out = outcome(s);
  const auto others = without(s.nodes, victim);
  await_placed(s, others);
  out.view_ms = view_ms(s, others, wall);
  bring_back(s, victim);
  return out;
}

fault_cost join(fault_scene& s) {
  static const std::string joiner = "n9";
  auto with = s.nodes;
  with.push_back(joiner);
  const auto moving = moved_between(s.nodes, with, s.shards);
  watch_calmly(s, moving);
  const auto wall = std::chrono::system_clock::now();
  const auto begun = now();
  s.traffic.open_window(begun);
  s.cluster.launch(joiner);
  s.cluster.await_door(joiner);
  s.traffic.use_doors(s.cluster.doors());
  s.cluster.settle();
  const auto moved = ms_since(begun);
  auto out = outcome(s);
  out.serving_ms = {moved};
  await_placed(s, with);
  out.view_ms = view_ms(s, with, wall);
  s.traffic.use_doors([&] {
    auto doors = s.cluster.doors();
    std::erase(doors, s.cluster.door(joiner));
    return doors;
  }());
  s.cluster.node(joiner).signal(SIGTERM);
  if (s.cluster.node(joiner).exit_status() != 0) throw std::runtime_error("the drained node failed");
  s.cluster.settle();
  return out;
}

/// The door of the drained node stays in use: senders have to find out.
fault_cost drain_one(const fault_scene& s, const std::string& victim) {
  const auto others = without(s.nodes, victim);
  watch_calmly(s, moved_between(s.nodes, others, s.shards));
  const auto wall = std::chrono::system_clock::now();
  const auto begun = now();
  s.traffic.open_window(begun);
  s.cluster.node(victim).signal(SIGTERM);
  if (s.cluster.node(victim).exit_status() != 0) throw std::runtime_error("the drained node failed");
  s.cluster.settle();
  const auto moved = ms_since(begun);
  auto out = outcome(s);
  out.serving_ms = {moved};
  await_placed(s, others);
  out.view_ms = view_ms(s, others, wall);
  return out;
}

fault_cost drain(fault_scene& s) {
  auto out = drain_one(s, victim_of(s));
  bring_back(s, victim_of(s));
  return out;
}

void add(fault_cost& sum, fault_cost part) {
  sum.wait_ms.insert(sum.wait_ms.end(), part.wait_ms.begin(), part.wait_ms.end());
  sum.gap_ms.insert(sum.gap_ms.end(), part.gap_ms.begin(), part.gap_ms.end());
  sum.lag_ms = std::max(sum.lag_ms, part.lag_ms);
  sum.retries += part.retries;
  sum.resolved += part.resolved;
  sum.seconds += part.seconds;
}

fault_cost rolling_restart(fault_scene& s) {
  fault_cost sum;
  const auto begun = now();
  for (const auto& node : s.nodes) {
    add(sum, drain_one(s, node));
    watch_calmly(s, moved_between(without(s.nodes, node), s.nodes, s.shards));
    s.traffic.open_window(now());
    bring_back(s, node);
    add(sum, outcome(s));
  }
  sum.serving_ms = {ms_since(begun)};
  return sum;
}

fault_cost freeze(fault_scene& s) {
  const auto victim = victim_of(s);
  watch_calmly(s, owned_by(victim, s));
  const auto wall = std::chrono::system_clock::now();
  const auto begun = now();
  s.cluster.pause(victim);
  // What a frozen door would do to its senders is not the question: a load balancer takes it out.
  s.traffic.use_doors(s.cluster.doors());
  s.traffic.open_window(begun);
  s.traffic.abandon_door(s.cluster.door(victim));
  auto out = outcome(s);
  const auto others = without(s.nodes, victim);
  await_placed(s, others);
  out.view_ms = view_ms(s, others, wall);
  s.cluster.go_on(victim);
  s.cluster.settle();
  s.traffic.use_doors(s.cluster.doors());
  return out;
}

/// From Redis, not from its peers: it answers them, but can confirm nothing.
fault_cost cut(fault_scene& s) {
  const auto victim = victim_of(s);
  watch_calmly(s, owned_by(victim, s));
  const auto wall = std::chrono::system_clock::now();
  const auto begun = now();
  s.cluster.cut(victim);
  const auto others = without(s.nodes, victim);
  std::vector<std::uint16_t> doors;
  for (const auto& n : others) doors.push_back(s.cluster.door(n));
  // It says that it is not ready: a load balancer takes it out.
  s.traffic.use_doors(doors);
  s.traffic.open_window(begun);
  s.traffic.abandon_door(s.cluster.door(victim));
  auto out = outcome(s);
  await_placed(s, others);
  out.view_ms = view_ms(s, others, wall);
  s.cluster.heal(victim);
  s.cluster.settle();
  s.traffic.use_doors(s.cluster.doors());
  return out;
}

fault_cost restart_redis(fault_scene& s) {
  watch_calmly(s, all_shards(s.shards));
  const auto begun = now();
  s.cluster.store().kill_hard();
  s.traffic.open_window(begun);
  s.cluster.store().start();
  const auto started = ms_since(begun);
  auto out = outcome(s);
  out.store_ms = started;
  s.cluster.settle();
  return out;
}

constexpr std::array table{
    fault{"none", "load alone, for 3 s", 3, judged::waits, 0, 0, "-", nothing},
    fault{"kill", "SIGKILL of one of 3", 3, judged::last_shard, 250, 1'000, "last < 250, worst < 1,000", kill},
    fault{"kill4", "SIGKILL of one of 4", 4, judged::last_shard, 250, 1'000, "last < 250, worst < 1,000", kill},
    fault{"join", "a 4th joins", 3, judged::waits, 50, 250, "p99 < 50, worst < 250", join},
    fault{"drain", "SIGTERM to one of 4", 4, judged::waits, 50, 250, "p99 < 50, worst < 250", drain},
    fault{"rolling", "rolling restart of 3", 3, judged::waits, 50, 250, "p99 < 50, worst < 250", rolling_restart},
    fault{"freeze", "SIGSTOP of one of 3", 3, judged::last_shard, 3'500, 3'500, "last < lease + 500", freeze},
    fault{"cut", "one of 3 cut from Redis", 3, judged::last_shard, 3'500, 3'500, "last < lease + 500", cut, true},
    fault{"redis", "SIGKILL and start of Redis", 3, judged::last_shard, 500, 500, "last < its start + 500",
          restart_redis},
};

}  // namespace

std::span<const fault> faults() { return table; }

}  // namespace pawl::bench
