#include "cli/closed_loop.hpp"
#include "cli/cluster_report.hpp"
#include "cli/commands/commands.hpp"
#include "cli/outgoing_message.hpp"
#include "cli/survey.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace pawl::cli {
namespace {

std::string latency_text(double ms) { return rate_text(ms) + " ms"; }

/// Numbers that could not be meant, with what may be.
std::string complaint(const closed_loop_plan& plan) {
  constexpr std::size_t connections_max = 64;
  constexpr std::uint64_t count_max = 10'000'000;
  if (plan.connections < 1 || plan.connections > connections_max) return "--connections must be 1 to 64";
  if (plan.count < 1 || plan.count > count_max) return "--count must be 1 to 10000000";
  if (plan.keys < 1 || plan.keys > count_max) return "--keys must be 1 to 10000000";
  return {};
}

json result_json(const closed_loop_result& r) {
  json out;
  out["applied"] = r.applied;
  out["duplicate"] = r.duplicate;
  out["refused"] = r.refused;
  out["unresolved"] = r.unresolved;
  out["retries"] = r.retries;
  out["seconds"] = r.seconds;
  out["messages_per_second"] = r.per_second();
  for (const auto& [name, share] : latency_shares) out["latency_ms"][name] = r.latency_ms(share);
  return out;
}

std::string result_text(const session& s, const closed_loop_result& r) {
  auto text = s.paint(tone::strong, rate_text(r.per_second()) + " messages/s") + "  over " + rate_text(r.seconds) +
              " s: " + grouped(r.applied) + " applied, " + grouped(r.duplicate) + " duplicates, " + grouped(r.refused) +
              " refused, " + grouped(r.unresolved) + " unresolved, " + grouped(r.retries) + " retries\n";
  table latencies{{{"LATENCY"}, {"", table::align::right}}};
  for (const auto& [name, share] : latency_shares) latencies.add({name, latency_text(r.latency_ms(share))});
  text += '\n' + latencies.text(s.paint);
  if (!r.problem.empty()) text += "\n  " + printable(r.problem) + '\n';
  return text;
}

}  // namespace

exit_status run_bench(session& s) {
  closed_loop_plan plan;
  plan.type = s.words.text("TYPE");
  plan.message = s.words.text("MESSAGE");
  plan.count = s.words.count("--count", 10'000);
  plan.length = s.words.duration("--for", std::chrono::seconds{10});
  plan.connections = s.words.count("--connections", 8);
  plan.keys = s.words.count("--keys", 100);
  plan.timeout = s.patience();
  auto problem = complaint(plan);
  if (problem.empty()) static_cast<void>(read_payload(s.words.text("--payload", "{}"), plan.payload, problem));
  if (problem.empty() && !s.words.has("--yes"))
    problem = "it sends up to " + grouped(plan.count) + " messages that take effect, to the entities " + plan.type +
              "/bench-0 and on; --yes does it";
  if (!problem.empty()) {
    session::say(printable(problem));
    return exit_status::usage;
  }
  plan.nodes = answering_nodes(s.look());
  if (plan.nodes.empty()) {
    const auto v = judge(s.picture());
    s.show(verdict_text(s, v, "bench", {}), verdict_json(v));
    return status_of(v.level);
  }
  const auto result = run_closed_loop(plan);
  const auto level = result.refused != 0                             ? health::failed
                     : result.unresolved != 0 || result.retries != 0 ? health::degraded
                                                                     : health::healthy;
  json body;
  body["verdict"] = to_string(level);
  body.update(result_json(result));
  if (!result.problem.empty()) body["problem"] = result.problem;
  s.show(result_text(s, result), body);
  return status_of(level);
}

}  // namespace pawl::cli
