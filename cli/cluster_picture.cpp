#include "cli/cluster_picture.hpp"

#include <algorithm>

namespace pawl::cli {
namespace {

/// The node whose answer has the latest view.
const node_picture* best_informed(const cluster_picture& p) {
  const node_picture* out = nullptr;
  for (const auto& n : p.nodes)
    if (n.view && (out == nullptr || n.view->view > out->view->view)) out = &n;
  return out;
}

void take_in(shard_picture& s, const shard_row& row, const std::string& node) {
  s.queued += row.queued;
  if (row.claim == "held" || row.claim == "draining") {
    s.holders.push_back(node);
    s.entities += row.entities;
    s.commits = std::max(s.commits, row.commits);
  }
  if (node == s.owner) s.claim = row.claim;
  if (row.claim == "lost") s.stopped = true;
  if (!row.waiting_for.empty() && (s.waiting_for.empty() || row.waiting > s.waiting)) {
    s.waiting_for = row.waiting_for;
    s.waiting_at = node;
    s.waiting = row.waiting;
  }
}

}  // namespace

const node_view* cluster_picture::latest() const {
  const auto* best = best_informed(*this);
  return best == nullptr ? nullptr : &*best->view;
}

const node_picture* cluster_picture::find(const std::string& name) const {
  const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const node_picture& n) { return n.name == name; });
  return found == nodes.end() ? nullptr : &*found;
}

std::vector<shard_picture> shards_of(const cluster_picture& p) {
  std::vector<shard_picture> out;
  const auto* best = best_informed(p);
  if (best == nullptr) return out;
  out.resize(best->view->shards);
  for (std::uint32_t i = 0; i < out.size(); ++i) {
    out[i].shard = i;
    if (i < best->shards.size()) out[i].owner = best->shards[i].owner;
  }
  for (const auto& n : p.nodes) {
    if (!n.view || n.view->dataset != best->view->dataset) continue;
    for (const auto& row : n.shards)
      if (row.shard < out.size()) take_in(out[row.shard], row, n.name);
  }
  return out;
}

}  // namespace pawl::cli
