#include "cli/cluster_report.hpp"
#include "cli/commands/commands.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace pawl::cli {

exit_status run_shards(session& s) {
  const auto& p = s.look();
  const auto v = judge(p);
  auto shown = shards_of(p);
  if (s.words.has("--unserved"))
    std::erase_if(shown, [](const auto& x) { return x.waiting_for.empty() && !x.stopped; });
  if (const auto owner = s.words.text("--owner"); !owner.empty())
    std::erase_if(shown, [&](const auto& x) {
      return x.owner != owner && std::find(x.holders.begin(), x.holders.end(), owner) == x.holders.end();
    });
  auto body = verdict_json(v);
  body["shards"] = json::array();
  for (const auto& x : shown) body["shards"].push_back(shard_json(x));
  auto text = verdict_text(s, v, cluster_name(p), cluster_size(p));
  if (!shown.empty()) text += '\n' + shards_table(shown).text(s.paint);
  s.show(text, body);
  return status_of(v.level);
}

}  // namespace pawl::cli
