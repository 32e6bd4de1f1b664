#include "cli/cluster_events.hpp"

#include "cli/table.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace pawl::cli {
namespace {

using events = std::vector<cluster_event>;

std::string reasons_text(const verdict& v) {
  constexpr std::size_t shown = 3;
  std::string out;
  for (std::size_t i = 0; i < std::min(v.reasons.size(), shown); ++i) out += (i == 0 ? ": " : "; ") + v.reasons[i].text;
  if (v.reasons.size() > shown) out += "; and " + std::to_string(v.reasons.size() - shown) + " more";
  return out;
}

std::map<std::string, std::string> member_states(const cluster_picture& p) {
  std::map<std::string, std::string> out;
  if (const auto* latest = p.latest())
    for (const auto& m : latest->members) out[m.node] = m.state;
  return out;
}

void compare_members(const cluster_picture& before, const cluster_picture& now, events& out) {
  if (now.latest() == nullptr || before.latest() == nullptr) return;
  const auto then = member_states(before);
  const auto current = member_states(now);
  for (const auto& [node, state] : current) {
    const auto was = then.find(node);
    if (was == then.end()) out.push_back({"node_joined", node + " joined", health::healthy});
    else if (was->second != state)
      out.push_back({"node_state", std::string{node}.append(" is ").append(state), health::degraded});
  }
  for (const auto& [node, _] : then)
    if (!current.contains(node)) out.push_back({"node_left", node + " is no longer a member", health::degraded});
  if (before.latest()->view != now.latest()->view)
    out.push_back({"view_changed",
                   "view " + std::to_string(before.latest()->view) + " → " + std::to_string(now.latest()->view) + ": " +
                       std::to_string(current.size()) + (current.size() == 1 ? " member" : " members"),
                   health::healthy});
}

void compare_nodes(const cluster_picture& before, const cluster_picture& now, events& out) {
  for (const auto& n : now.nodes) {
    const auto* then = before.find(n.name);
    if (then == nullptr) continue;
    if (then->view && !n.view)
      out.push_back({"node_silent", n.name + " does not answer: " + n.problem, health::degraded});
    if (!n.view) continue;
    if (!then->view) {
      out.push_back({"node_answers", n.name + " answers again", health::healthy});
      continue;
    }
    if (then->view->incarnation != n.view->incarnation && n.view->incarnation != 0)
      out.push_back({"node_restarted", n.name + " is a new member: it was restarted, or was evicted and joined again",
                     health::healthy});
    if (then->view->store_up != n.view->store_up)
      out.push_back(n.view->store_up ? cluster_event{"store_up", n.name + " reaches Redis again", health::healthy}
                                     : cluster_event{"store_down", n.name + " cannot reach Redis", health::failed});
  }
}

std::string holder(const shard_picture& s) { return s.holders.empty() ? std::string{"nobody"} : s.holders.front(); }

/// Moves between the same two nodes are one event.
void compare_shards(const cluster_picture& before, const cluster_picture& now, events& out) {
  const auto then = shards_of(before);
  const auto current = shards_of(now);
  std::map<std::pair<std::string, std::string>, std::vector<std::uint32_t>> moves;
  std::map<std::string, std::vector<std::uint32_t>> stuck;
  std::vector<std::uint32_t> served;
  for (std::size_t i = 0; i < std::min(then.size(), current.size()); ++i) {
    if (holder(then[i]) != holder(current[i])) moves[{holder(then[i]), holder(current[i])}].push_back(current[i].shard);
    if (then[i].waiting_for != current[i].waiting_for) {
      if (current[i].waiting_for.empty()) served.push_back(current[i].shard);
      else stuck[current[i].waiting_for].push_back(current[i].shard);
    }
  }
  for (const auto& [way, shards] : moves)
    out.push_back({"shards_moved",
                   std::to_string(shards.size()) + (shards.size() == 1 ? " shard " : " shards ") + way.first + " → " +
                       way.second + ": " + numbers_text(shards),
                   way.second == "nobody" ? health::degraded : health::healthy});
  for (const auto& [why, shards] : stuck)
    out.push_back({"shards_unserved", "not served: " + numbers_text(shards) + ": " + why, health::failed});
  if (!served.empty()) out.push_back({"shards_served", "served again: " + numbers_text(served), health::healthy});
}

/// Messages judged per second, of the nodes that answered both times.
double rate_between(const cluster_picture& before, const cluster_picture& now) {
  const auto judged = [](const node_counters& c) { return c.applied + c.duplicate + c.refused; };
  const std::chrono::duration<double> passed = now.taken - before.taken;
  double messages = 0;
  for (const auto& n : now.nodes) {
    const auto* then = before.find(n.name);
    if (n.counters && then != nullptr && then->counters)
      messages += std::max(0.0, judged(*n.counters) - judged(*then->counters));
  }
  return passed.count() > 0 ? messages / passed.count() : 0;
}

}  // namespace

events event_watch::look(const cluster_picture& p) {
  events out;
  const auto v = judge(p);
  if (looked_) {
    compare_members(before_, p, out);
    compare_nodes(before_, p, out);
    compare_shards(before_, p, out);
    // Twice or half as many as last told; a trickle is no change.
    constexpr double trickle = 5;
    const auto rate = rate_between(before_, p);
    const bool quiet = rate < trickle;
    const bool was_quiet = rate_told_ < trickle;
    if (quiet != was_quiet || (!quiet && (rate > rate_told_ * 2 || rate < rate_told_ / 2))) {
      out.push_back({"rate_changed", rate_text(rate_told_) + " → " + rate_text(rate) + " messages/s", health::healthy});
      rate_told_ = rate;
    }
  }
  if (!looked_ || v.level != level_)
    out.push_back({"verdict", std::string{to_string(v.level)} + reasons_text(v), v.level});
  looked_ = true;
  level_ = v.level;
  before_ = p;
  return out;
}

}  // namespace pawl::cli
