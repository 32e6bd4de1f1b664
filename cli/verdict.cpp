#include "cli/verdict.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace pawl::cli {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i)
    out += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
  return out;
}

std::string shards_text(const std::vector<std::uint32_t>& shards) {
  return (shards.size() == 1 ? "shard " : "shards ") + numbers_text(shards);
}

std::string seconds_text(std::chrono::milliseconds d) { return std::to_string(d.count() / 1'000) + " s"; }

/// Collects reasons, one rule after the other.
class judgement {
public:
  explicit judgement(const cluster_picture& p) : picture_(p), latest_(p.latest()), shards_(shards_of(p)) {}

  verdict of_cluster() {
    if (latest_ == nullptr) return nobody_answers();
    mixed_clusters();
    silent_nodes();
    incomplete_answers();
    node_states();
    strangers();
    stores();
    views();
    for (const auto& s : shards_) sort_shard(s);
    shard_reasons();
    counters();
    versions();
    return finished();
  }

  verdict of_shard(std::uint32_t shard) {
    const auto& s = shards_.at(shard);
    const auto* owner = picture_.find(s.owner);
    if (!s.owner.empty() && (owner == nullptr || !owner->view)) {
      add(health::degraded, "node_silent", "its owner " + s.owner + " does not answer");
      anybody_silent_ = true;
    }
    sort_shard(s);
    shard_reasons();
    return finished();
  }

private:
  void add(health level, std::string code, std::string text) {
    out_.reasons.push_back({level, std::move(code), std::move(text)});
  }

  verdict finished() {
    std::stable_sort(out_.reasons.begin(), out_.reasons.end(),
                     [](const reason& a, const reason& b) { return a.level > b.level; });
    if (!out_.reasons.empty()) out_.level = out_.reasons.front().level;
    return std::move(out_);
  }

  verdict nobody_answers() {
    for (const auto& n : picture_.nodes) add(health::unreachable, "node_silent", n.url + ": " + n.problem);
    if (picture_.nodes.empty()) add(health::unreachable, "node_silent", "there is no node to ask");
    return finished();
  }

  void mixed_clusters() {
    std::set<std::string> found;
    for (const auto& n : picture_.nodes)
      if (n.view) found.insert(n.view->cluster + " with dataset " + n.view->dataset);
    if (found.size() > 1)
      add(health::failed, "mixed_clusters",
          "the nodes asked are of different clusters: " + joined({found.begin(), found.end()}));
  }

  [[nodiscard]] bool member(const std::string& name) const {
    return std::any_of(latest_->members.begin(), latest_->members.end(),
                       [&](const member_row& m) { return m.node == name; });
  }

  void silent_nodes() {
    for (const auto& n : picture_.nodes) {
      if (n.view) continue;
      const auto who = n.name.empty() ? n.url : n.url.empty() ? n.name : n.name + " (" + n.url + ")";
      if (member(n.name) || n.asked_for) {
        add(health::degraded, "node_silent", who + " does not answer: " + n.problem);
        anybody_silent_ = true;
      }
    }
  }

  void incomplete_answers() {
    for (const auto& n : picture_.nodes) {
      if (!n.view || n.problem.empty()) continue;
      add(health::degraded, "answer_incomplete", n.name + ": " + n.problem);
      anybody_silent_ = true;
    }
  }

  void node_states() {
    for (const auto& n : picture_.nodes)
      if (n.view && n.view->state != "up") add(health::degraded, "node_state", n.name + " is " + n.view->state);
  }

  /// Nodes that take themselves for members, and are none by the latest view.
  void strangers() {
    for (const auto& n : picture_.nodes) {
      if (!n.view || n.view->state != "up") continue;
      const bool known = std::any_of(latest_->members.begin(), latest_->members.end(), [&](const member_row& m) {
        return m.node == n.view->node && m.incarnation == n.view->incarnation;
      });
      if (!known)
        add(health::degraded, "not_a_member", n.name + " is no member of view " + std::to_string(latest_->view));
    }
  }

  void stores() {
    std::vector<std::string> down;
    std::size_t answering = 0;
    for (const auto& n : picture_.nodes) {
      if (!n.view) continue;
      ++answering;
      if (!n.view->store_up) down.push_back(n.name);
    }
    if (down.empty()) return;
    const bool all = down.size() == answering;
    add(all ? health::failed : health::degraded, "store_down",
        (all ? "no node that answers reaches Redis" : joined(down) + " cannot reach Redis"));
  }

  void views() {
    std::map<std::uint64_t, std::vector<std::string>> by_view;
    for (const auto& n : picture_.nodes)
      if (n.view) by_view[n.view->view].push_back(n.name);
    if (by_view.size() < 2) return;
    std::vector<std::string> parts;
    parts.reserve(by_view.size());
    for (const auto& [view, names] : by_view) parts.push_back(joined(names) + " on view " + std::to_string(view));
    add(health::degraded, "views_differ", "the nodes do not act on the same view: " + joined(parts));
  }

  void sort_shard(const shard_picture& s) {
    if (s.holders.empty()) unheld_.push_back(s.shard);
    if (s.holders.size() > 1) held_twice_.push_back(s.shard);
    if (s.stopped) stopped_.push_back(s.shard);
    else if (!s.waiting_for.empty()) unserved_[s.waiting_for].push_back(&s);
  }

  void shard_reasons() {
    if (!stopped_.empty())
      add(health::failed, "shards_stopped",
          shards_text(stopped_) + " stopped: data is missing or was rolled back; the owner's log says what");
    for (const auto& [why, shards] : unserved_) {
      std::vector<std::uint32_t> numbers;
      std::chrono::milliseconds longest{0};
      for (const auto* s : shards) {
        numbers.push_back(s->shard);
        longest = std::max(longest, s->waiting);
      }
      add(longest > unserved_failed_after ? health::failed : health::degraded, "shards_unserved",
          shards_text(numbers) + " not served for " + seconds_text(longest) + ": " + why);
    }
    if (!unheld_.empty()) {
      auto text = unheld_.size() == 1
                      ? shards_text(unheld_) + " is"
                      : std::to_string(unheld_.size()) + " of " + std::to_string(latest_->shards) + " shards are";
      text += anybody_silent_ ? " held by no node that answers" : " held by no node: on the way, or nobody claims it";
      add(health::degraded, "shards_unheld", std::move(text));
    }
    if (!held_twice_.empty())
      add(health::degraded, "shards_held_twice",
          shards_text(held_twice_) + ": two nodes take themselves for the holder; the store refuses the older one");
  }

  void counters() {
    for (const auto& n : picture_.nodes) {
      if (!n.counters) continue;
      if (n.counters->violations > 0)
        add(health::degraded, "order_violated",
            n.name + " has applied messages out of their sender's order since it started: keep its log and report it");
      if (n.counters->stalled > 0)
        add(health::degraded, "handlers_stuck", "handlers on " + n.name + " do not return; its log names the shards");
    }
  }

  void versions() {
    std::set<std::string> found;
    for (const auto& n : picture_.nodes)
      if (n.view) found.insert(n.view->version);
    if (found.size() > 1) out_.notes.push_back("the nodes run versions " + joined({found.begin(), found.end()}));
  }

  const cluster_picture& picture_;
  const node_view* latest_;
  std::vector<shard_picture> shards_;
  verdict out_;
  bool anybody_silent_ = false;
  std::vector<std::uint32_t> unheld_, held_twice_, stopped_;
  std::map<std::string, std::vector<const shard_picture*>> unserved_;
};

}  // namespace

std::string_view to_string(health h) noexcept {
  switch (h) {
  case health::healthy: return "healthy";
  case health::degraded: return "degraded";
  case health::failed: return "failed";
  case health::unreachable: return "unreachable";
  }
  return "failed";
}

std::string numbers_text(const std::vector<std::uint32_t>& numbers) {
  constexpr std::size_t shown = 12;
  std::string out;
  for (std::size_t i = 0; i < std::min(numbers.size(), shown); ++i)
    out += (i == 0 ? "" : ", ") + std::to_string(numbers[i]);
  if (numbers.size() > shown) out += " and " + std::to_string(numbers.size() - shown) + " more";
  return out;
}

verdict judge(const cluster_picture& p) { return judgement{p}.of_cluster(); }

verdict judge_shard(const cluster_picture& p, std::uint32_t shard) { return judgement{p}.of_shard(shard); }

}  // namespace pawl::cli
