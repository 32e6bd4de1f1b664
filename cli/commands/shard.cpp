#include "cli/cluster_report.hpp"
#include "cli/commands/commands.hpp"

#include <nlohmann/json.hpp>

namespace pawl::cli {
namespace {

/// What each node says of the shard: where they disagree is where to look.
table sights(const cluster_picture& p, std::uint32_t shard, json& rows) {
  table out{{{"NODE"}, {"OWNER"}, {"CLAIM"}, {"QUEUED", table::align::right}, {"WAITING FOR"}}};
  for (const auto& n : p.nodes) {
    if (!n.view || shard >= n.shards.size()) {
      out.add({n.name.empty() ? n.url : n.name, {"no answer", tone::bad}, "-", "-", n.problem});
      continue;
    }
    const auto& row = n.shards[shard];
    const auto waits = row.waiting_for.empty() ? "-" : row.waiting_for + " (" + time_text(row.waiting) + ")";
    out.add({n.name, row.owner.empty() ? "-" : row.owner, row.claim, grouped(row.queued), waits});
    rows.push_back({{"node", n.name}, {"owner", row.owner}, {"claim", row.claim}, {"queued", row.queued}});
  }
  return out;
}

}  // namespace

exit_status run_shard(session& s) {
  const auto& p = s.look();
  const auto shards = shards_of(p);
  const auto number = s.words.count("N", 0);
  if (p.latest() == nullptr) {
    const auto v = judge(p);
    s.show(verdict_text(s, v, "shard " + std::to_string(number), {}), verdict_json(v));
    return status_of(v.level);
  }
  if (number >= shards.size()) {
    session::say("there is no shard " + std::to_string(number) + "; the cluster has " + std::to_string(shards.size()) +
                 ", from 0");
    return exit_status::usage;
  }
  const auto& shard = shards[number];
  const auto v = judge_shard(p, shard.shard);
  auto body = verdict_json(v);
  body.update(shard_json(shard));
  body["sights"] = json::array();
  const auto seen = sights(p, shard.shard, body["sights"]);
  const auto well = "held by " + shard.owner + ", " + grouped(shard.entities) + " entities in memory, " +
                    grouped(shard.queued) + " messages queued, commit " + grouped(shard.commits);
  s.show(verdict_text(s, v, "shard " + std::to_string(number), well) + '\n' + seen.text(s.paint), body);
  return status_of(v.level);
}

}  // namespace pawl::cli
