#include "cli/cluster_report.hpp"
#include "cli/commands/commands.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <thread>

namespace pawl::cli {

exit_status run_nodes(session& s) {
  if (s.before() == nullptr && !s.words.has(watch_option)) {
    // A rate takes two looks; run again and again, the look before serves.
    s.look();
    std::this_thread::sleep_for(std::chrono::seconds{1});
  }
  const auto& p = s.look();
  const auto v = judge(p);
  auto body = verdict_json(v);
  body["nodes"] = nodes_json(s);
  s.show(verdict_text(s, v, cluster_name(p), cluster_size(p)) + '\n' + nodes_table(s).text(s.paint), body);
  return status_of(v.level);
}

}  // namespace pawl::cli
