#pragma once

#include "cli/cluster_picture.hpp"
#include "cli/verdict.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace pawl::cli {

/// A cluster of nodes that are all well: shard s is owned and held by node s modulo their number.
inline cluster_picture healthy_cluster(const std::vector<std::string>& names = {"n1", "n2", "n3"},
                                       std::uint32_t shards = 6) {
  cluster_picture p;
  p.taken = std::chrono::steady_clock::time_point{std::chrono::seconds{100}};
  std::vector<member_row> members;
  members.reserve(names.size());
  for (const auto& n : names) members.push_back({n, 7, "up", "127.0.0.1:1", "127.0.0.1:2"});
  for (const auto& name : names) {
    node_picture n;
    n.name = name;
    n.url = "http://127.0.0.1:1" + name.substr(1);
    n.view.emplace();
    n.view->cluster = "orders";
    n.view->dataset = "d1";
    n.view->node = name;
    n.view->incarnation = 7;
    n.view->state = "up";
    n.view->version = "1";
    n.view->store_up = true;
    n.view->shards = shards;
    n.view->view = 5;
    n.view->members = members;
    n.counters.emplace();
    for (std::uint32_t s = 0; s < shards; ++s) {
      shard_row row;
      row.shard = s;
      row.owner = names[s % names.size()];
      row.local = row.owner == name;
      row.claim = row.local ? "held" : "unclaimed";
      n.shards.push_back(row);
      if (row.local) ++n.view->shards_owned;
    }
    p.nodes.push_back(std::move(n));
  }
  return p;
}

inline node_picture& node_of(cluster_picture& p, const std::string& name) {
  return *std::find_if(p.nodes.begin(), p.nodes.end(), [&](const node_picture& n) { return n.name == name; });
}

/// The node says nothing any more.
inline void silence(cluster_picture& p, const std::string& name) {
  auto& n = node_of(p, name);
  n.view.reset();
  n.shards.clear();
  n.counters.reset();
  n.problem = "Connection refused";
}

inline void wait_for(cluster_picture& p, const std::string& node, std::uint32_t shard, const std::string& what,
                     std::chrono::milliseconds time) {
  auto& row = node_of(p, node).shards.at(shard);
  row.waiting_for = what;
  row.waiting = time;
}

inline bool has(const verdict& v, const std::string& code) {
  return std::any_of(v.reasons.begin(), v.reasons.end(), [&](const reason& r) { return r.code == code; });
}

}  // namespace pawl::cli
