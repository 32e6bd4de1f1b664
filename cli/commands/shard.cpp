#include "cli/cluster_report.hpp"
#include "cli/commands/commands.hpp"
#include "cli/http_client.hpp"
#include "cli/node_answer.hpp"
#include "cli/survey.hpp"
#include "cli/wall_clock.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

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

/// Between two moments of two clocks that may differ.
std::string span_text(std::int64_t from, std::int64_t to) {
  return time_text(std::chrono::milliseconds{std::max<std::int64_t>(0, to - from)});
}

json details_json(const shard_details& d) {
  json out{{"owner", d.owner}, {"outbox", d.outbox}, {"receivers", d.receivers}};
  out["waiting"] = json::array();
  for (const auto& r : d.waiting)
    out["waiting"].push_back({{"shard", r.shard},
                              {"messages", r.messages},
                              {"stopped", r.stopped},
                              {"type", r.type},
                              {"key", r.key},
                              {"message", r.message},
                              {"sent_at", r.sent_at}});
  out["sources"] = d.sources;
  out["taken"] = json::array();
  for (const auto& s : d.taken) out["taken"].push_back({{"source", s.name}, {"position", s.position}});
  out["timers"] = d.timers;
  if (d.next_timer) out["next_timer"] = *d.next_timer;
  out["dead_letters"] = d.dead_letters;
  return out;
}

std::string details_text(const session& s, const shard_details& d) {
  const auto now = wall_clock_ms();
  auto text = "\nwaits in it: " + grouped(d.outbox) + " messages for " + grouped(d.receivers) + " shards, " +
              grouped(d.timers) + " timers" +
              (d.next_timer ? " (the next in " + span_text(now, *d.next_timer) + ")" : "") + ", " +
              grouped(d.dead_letters) + " dead letters; " + grouped(d.sources) + " sources known\n";
  table waiting{{{"TO SHARD", table::align::right}, {"MESSAGES", table::align::right}, {"THE FIRST"}, {"SENT"}, {""}}};
  for (const auto& r : d.waiting)
    waiting.add({std::to_string(r.shard),
                 grouped(r.messages),
                 r.message + " to " + r.type + "/" + r.key,
                 span_text(r.sent_at, now) + " ago",
                 {r.stopped ? "STOPPED: see the log" : "", tone::bad}});
  if (!waiting.empty()) text += '\n' + waiting.text(s.paint);
  table taken{{{"SOURCE"}, {"TAKEN UP TO", table::align::right}}};
  for (const auto& x : d.taken) taken.add({x.name, grouped(x.position)});
  if (!taken.empty()) text += '\n' + taken.text(s.paint);
  return text;
}

/// What waits in the shard, or why its owner does not say.
std::string ask_owner(const session& s, const shard_picture& shard, json& body) {
  // Nobody, and else one node alone: while no owner answers, each would take its time to say so.
  http_answer answer;
  answer.problem = "nobody holds the shard";
  if (!shard.holders.empty())
    answer = http_client{answering_nodes(s.picture()).front(), s.patience()}.get("/v1/shards/" +
                                                                                 std::to_string(shard.shard));
  auto why = answer.problem;
  if (answer.status == 200) {
    const auto details = decode_shard_details(answer.body);
    if (details.value) {
      body["details"] = details_json(*details.value);
      return details_text(s, *details.value);
    }
    why = details.problem;
  } else if (answer.status != 0) {
    why = problem_detail(answer.status, answer.body);
  }
  body["details"] = nullptr;
  return "\nwhat waits in it is not known: " + printable(why) + '\n';
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
  const auto waits = ask_owner(s, shard, body);
  s.show(verdict_text(s, v, "shard " + std::to_string(number), well) + '\n' + seen.text(s.paint) + waits, body);
  return status_of(v.level);
}

}  // namespace pawl::cli
