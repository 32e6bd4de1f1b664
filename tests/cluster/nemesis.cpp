#include "tests/cluster/nemesis.hpp"

#include "tests/cluster/until.hpp"

#include <algorithm>
#include <array>
#include <iomanip>
#include <iostream>
#include <random>
#include <stdexcept>

namespace pawl::testing {
namespace {

using namespace std::chrono_literals;
using kind = fault::kind;
using std::chrono::milliseconds;

constexpr std::size_t at_a_time = 2;
/// After a fault its victim is left alone for a while, or no node would ever be a member for long.
constexpr milliseconds rest{300};

struct row {
  kind what;
  std::string_view name;
};
constexpr std::array<row, 13> kinds{{
    {kind::killed, "killed"},
    {kind::drained, "drained"},
    {kind::killed_draining, "killed while draining"},
    {kind::stopped, "stopped"},
    {kind::cut_off, "cut off from its peers"},
    {kind::refused, "refused by its peers"},
    {kind::deaf, "deaf to its peers"},
    {kind::mute, "not heard by its peers"},
    {kind::cut_from_one, "cut off from one peer"},
    {kind::deaf_to_one, "deaf to one peer"},
    {kind::cut_from_redis, "cut off from redis"},
    {kind::redis_killed, "redis killed"},
    {kind::redis_stopped, "redis stopped"},
}};

bool harms_redis(kind what) { return what == kind::redis_killed || what == kind::redis_stopped; }

class dice {
public:
  explicit dice(unsigned seed) : source_(seed) {}
  /// Not std::uniform_int_distribution: the same seed is the same schedule with every library.
  [[nodiscard]] std::size_t below(std::size_t n) { return source_() % n; }
  [[nodiscard]] milliseconds between(milliseconds least, milliseconds most) {
    return least + milliseconds{below(static_cast<std::size_t>((most - least).count()) + 1)};
  }
  [[nodiscard]] const std::string& one_of(const std::vector<std::string>& names) { return names[below(names.size())]; }

private:
  std::mt19937 source_;
};

milliseconds length_of(dice& d, milliseconds lease) {
  switch (d.below(3)) {
  case 0: return d.between(50ms, lease / 2);
  case 1: return d.between(lease * 3 / 4, lease * 3 / 2);
  default: return d.between(lease * 3 / 2, lease * 3);
  }
}

}  // namespace

std::string_view to_string(kind what) noexcept { return std::ranges::find(kinds, what, &row::what)->name; }

std::ostream& operator<<(std::ostream& out, const fault& f) {
  out << std::fixed << std::setprecision(2) << std::setw(7) << static_cast<double>(f.at.count()) / 1000 << " s  ";
  if (!harms_redis(f.what)) out << f.victim << ' ';
  out << to_string(f.what);
  if (!f.other.empty()) out << ", " << f.other << ',';
  return out << " for " << static_cast<double>(f.length.count()) / 1000 << " s";
}

std::vector<fault> make_schedule(unsigned seed, const std::vector<std::string>& nodes, milliseconds lease,
                                 milliseconds length) {
  dice d{seed};
  std::vector<fault> out;
  const auto over = [](const fault& f) { return f.at + f.length; };
  for (milliseconds at = d.between(100ms, lease); at < length; at += d.between(100ms, lease)) {
    std::vector<fault> active;
    for (const auto& f : out)
      if (over(f) + rest > at) active.push_back(f);
    if (active.size() >= at_a_time) {
      at = over(*std::ranges::min_element(active, {}, over)) + rest;
      continue;
    }
    fault f{kinds[d.below(kinds.size())].what, at, length_of(d, lease), d.one_of(nodes), {}};
    if (harms_redis(f.what)) f.victim = "redis";
    if (f.what == kind::cut_from_one || f.what == kind::deaf_to_one)
      while (f.other.empty() || f.other == f.victim) f.other = d.one_of(nodes);
    if (std::ranges::find(active, f.victim, &fault::victim) == active.end()) out.push_back(std::move(f));
  }
  return out;
}

void nemesis::carry_out(const std::vector<fault>& schedule) {
  const auto began = std::chrono::steady_clock::now();
  const auto passed = [&] { return std::chrono::steady_clock::now() - began; };
  std::vector<fault> active;
  auto next = schedule.begin();
  auto last_end = 0ms;
  while (next != schedule.end() || !active.empty() || !all_take_requests()) {
    for (const auto& node : nodes_) supervise(node);
    for (; next != schedule.end() && next->at <= passed(); ++next) {
      std::cout << *next << std::endl;
      begin(*next);
      active.push_back(*next);
      last_end = std::max(last_end, next->at + next->length);
    }
    std::erase_if(active, [&](const fault& f) {
      const bool over = f.at + f.length <= passed();
      if (over) end(f);
      return over;
    });
    if (active.empty() && next == schedule.end() && passed() > last_end + patience)
      gave_up("all nodes take requests after the last fault", patience);
    look_again_soon();
  }
}

bool nemesis::all_take_requests() {
  return std::ranges::all_of(nodes_,
                             [&](const auto& node) { return cluster_.running(node) && cluster_.takes_requests(node); });
}

std::vector<std::string> nemesis::others(const std::string& node) const {
  auto out = nodes_;
  std::erase(out, node);
  return out;
}

void nemesis::supervise(const std::string& node) {
  if (cluster_.running(node)) {
    static_cast<void>(cluster_.takes_requests(node));
    return;
  }
  if (end_explained_.insert(node).second) {
    // Before it is a member a node may give up; later it must not.
    const auto log = cluster_.node(node).log();
    if (log.find(" error cannot run ") == log.npos) throw std::runtime_error(node + " has ended unasked:\n" + log);
    ++failed_starts_;
  }
  if (held_down_.contains(node) || redis_away_ || without_redis_.contains(node)) return;
  cluster_.launch(node);
  end_explained_.erase(node);
}

void nemesis::begin(const fault& f) {
  ++faults_[to_string(f.what)];
  auto& wires = cluster_.wires();
  switch (f.what) {
  case kind::killed:
    held_down_.insert(f.victim);
    end_explained_.insert(f.victim);
    cluster_.kill(f.victim);
    break;
  case kind::drained:
  case kind::killed_draining:
    held_down_.insert(f.victim);
    end_explained_.insert(f.victim);
    cluster_.ask_to_end(f.victim);
    break;
  case kind::stopped: cluster_.pause(f.victim); break;
  case kind::cut_off:
    for (const auto& peer : others(f.victim)) wires.cut(f.victim, peer);
    break;
  case kind::refused:
    for (const auto& peer : others(f.victim)) wires.refuse(f.victim, peer);
    break;
  case kind::deaf:
    for (const auto& peer : others(f.victim)) wires.cut_one_way(peer, f.victim);
    break;
  case kind::mute:
    for (const auto& peer : others(f.victim)) wires.cut_one_way(f.victim, peer);
    break;
  case kind::cut_from_one: wires.cut(f.victim, f.other); break;
  case kind::deaf_to_one: wires.cut_one_way(f.other, f.victim); break;
  case kind::cut_from_redis:
    without_redis_.insert(f.victim);
    wires.cut_from_redis(f.victim);
    break;
  case kind::redis_killed:
    redis_away_ = true;
    cluster_.store().kill_hard();
    break;
  case kind::redis_stopped:
    redis_away_ = true;
    cluster_.store().pause();
    break;
  }
}

void nemesis::end(const fault& f) {
  auto& wires = cluster_.wires();
  switch (f.what) {
  case kind::killed_draining: cluster_.kill(f.victim); [[fallthrough]];
  case kind::killed:
  case kind::drained: held_down_.erase(f.victim); break;
  case kind::stopped: cluster_.go_on(f.victim); break;
  case kind::cut_off:
  case kind::refused:
  case kind::deaf:
  case kind::mute:
    for (const auto& peer : others(f.victim)) wires.heal(f.victim, peer);
    break;
  case kind::cut_from_one:
  case kind::deaf_to_one: wires.heal(f.victim, f.other); break;
  case kind::cut_from_redis:
    without_redis_.erase(f.victim);
    wires.heal_redis(f.victim);
    break;
  case kind::redis_killed:
    cluster_.store().start();
    redis_away_ = false;
    break;
  case kind::redis_stopped:
    cluster_.store().go_on();
    redis_away_ = false;
    break;
  }
}

}  // namespace pawl::testing
