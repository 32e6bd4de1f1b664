#include "cli/cluster_report.hpp"
#include "cli/commands/commands.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>

namespace pawl::cli {
namespace {

/// Beyond it `pawl shards --unserved` lists them.
constexpr std::size_t unserved_shown = 20;

std::vector<shard_picture> unserved(const cluster_picture& p) {
  auto all = shards_of(p);
  std::erase_if(all, [](const shard_picture& s) { return s.waiting_for.empty() && !s.stopped; });
  return all;
}

}  // namespace

exit_status run_status(session& s) {
  const auto& p = s.look();
  const auto v = judge(p);
  auto waiting = unserved(p);
  const auto all = shards_of(p);

  auto body = verdict_json(v);
  body["cluster"] = p.latest() == nullptr ? "" : p.latest()->cluster;
  body["dataset"] = p.latest() == nullptr ? "" : p.latest()->dataset;
  body["view"] = p.latest() == nullptr ? 0 : p.latest()->view;
  body["shards"] = all.size();
  body["shards_held"] = std::count_if(all.begin(), all.end(), [](const auto& x) { return !x.holders.empty(); });
  body["nodes"] = nodes_json(s);
  body["unserved"] = json::array();
  for (const auto& x : waiting) body["unserved"].push_back(shard_json(x));

  auto text = verdict_text(s, v, cluster_name(p), cluster_size(p));
  text += '\n' + nodes_table(s).text(s.paint);
  if (!waiting.empty()) {
    const auto more = waiting.size() > unserved_shown ? waiting.size() - unserved_shown : 0;
    waiting.resize(waiting.size() - more);
    text += '\n' + shards_table(waiting).text(s.paint);
    if (more != 0) text += "and " + std::to_string(more) + " more: pawl shards --unserved\n";
  }
  s.show(text, body);
  return status_of(v.level);
}

}  // namespace pawl::cli
