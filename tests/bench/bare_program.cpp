// The ceiling. A node works through a workload, not timed, while its commits are recorded; then bare clients send the
// same bytes to the same server. Orders it takes:
//
//   record   works through a workload with the window that the comparison uses, so that the batches are the same
//   replay   sends what was recorded, so many commits under way
#include "tests/bench/bare_program.hpp"

#include "metrics/log.hpp"
#include "tests/bench/bare_client.hpp"
#include "tests/bench/dialogue.hpp"
#include "tests/bench/door_load.hpp"
#include "tests/bench/local_node.hpp"

#include <CLI/CLI.hpp>

namespace pawl::bench {
namespace {

using json = nlohmann::json;

struct recording {
  std::vector<recorded_commit> commits;
  double messages = 0;
};

recording record(const local_node::setup& s, const json& asked) {
  local_node node{s};
  node.await_members(1);
  if (const auto warm = asked.find("warm"); warm != asked.end())
    (void)door_load{node.door(), workload{workload_asked(*warm)}, {}}.run();
  const auto before = node.recorded().commits();
  const auto work = workload_asked(asked);
  (void)door_load{node.door(), workload{work}, load_asked(asked)}.run();
  const auto& all = node.recorded().recorded();
  if (all.size() < node.recorded().commits()) throw std::runtime_error("too many commits to be recorded");
  return {{all.begin() + static_cast<std::ptrdiff_t>(before), all.end()}, static_cast<double>(work.messages)};
}

}  // namespace

int bare_program(int argc, char** argv) {
  local_node::setup s;
  s.record_bytes = std::size_t{2} << 30;
  CLI::App app{"A bare client beside which a node is measured; takes orders on standard input"};
  app.add_option("--redis-socket", s.socket, "unix socket of Redis")->required();
  app.add_option("--shards", s.shards, "of the dataset");
  CLI11_PARSE(app, argc, argv);

  log::set_level("error");
  recording recorded;
  dialogue orders;
  orders.on("record", [&](const json& asked) {
    recorded = record(s, asked);
    return json{{"commits", recorded.commits.size()}};
  });
  orders.on("replay", [&](const json& asked) {
    const auto seconds = send_bare(s.socket, recorded.commits, asked.at("window").get<std::size_t>());
    return json{{"seconds", seconds}, {"rate", recorded.messages / seconds}};
  });
  orders.serve(json::object());
  return 0;
}

}  // namespace pawl::bench
