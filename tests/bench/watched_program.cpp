#include "tests/bench/watched_program.hpp"

#include "metrics/log.hpp"
#include "tests/bench/accounts.hpp"
#include "tests/cluster/until.hpp"

#include <CLI/CLI.hpp>

#include <malloc.h>

#include <utility>

namespace pawl::bench {
namespace {

using json = nlohmann::json;

// A million timers are read from the store by then, on a slow machine.
constexpr std::chrono::minutes load_deadline{10};

double seconds_since(bench_clock::time_point t) {
  return std::chrono::duration<double>(bench_clock::now() - t).count();
}

json account(const local_node& node) {
  ::malloc_trim(0);  // what was freed is not what is asked for
  const auto memory = memory_now();
  return {{"cpu_s", own_cpu_seconds()},
          {"resident_bytes", memory.resident},
          {"allocated_bytes", memory.allocated},
          {"commits", node.commits()},
          {"committed_messages", node.committed_messages()}};
}

json await_pending(const watched_node& n, const json& asked) {
  const auto timers = asked.at("timers").get<std::uint64_t>();
  testing::until(
      std::to_string(timers) + " timers are pending", [&] { return n.node.pending_timers() == timers; }, load_deadline);
  return {{"seconds", seconds_since(n.began)}};
}

}  // namespace

int serve_watched(int argc, char** argv, const char* about, std::vector<entity_type> types, commit_watch& watch,
                  const std::function<void(watched_node, dialogue&)>& orders) {
  local_node::setup s;
  s.types = std::move(types);
  s.watch = &watch;
  bool joins = false;
  CLI::App app{about};
  app.add_option("--redis-socket", s.socket, "unix socket of Redis")->required();
  app.add_option("--name", s.name, "of the node");
  app.add_option("--shards", s.shards, "of the dataset it creates");
  app.add_flag("--joins", joins, "the dataset exists");
  CLI11_PARSE(app, argc, argv);
  s.creates = !joins;

  log::set_level("error");
  const auto began = bench_clock::now();
  local_node node{s};
  node.await_members(1);
  const watched_node n{node, s, began};
  dialogue served;
  served.on("account", [&](const json&) { return account(node); });
  served.on("pending", [&](const json& asked) { return await_pending(n, asked); });
  orders(n, served);
  served.serve({{"owned_s", seconds_since(began)}});
  return 0;
}

json load_account(std::size_t count, bench_clock::time_point began, double cpu_before) {
  const auto seconds = seconds_since(began);
  return {{"count", count},
          {"seconds", seconds},
          {"rate", static_cast<double>(count) / seconds},
          {"cpu_s", own_cpu_seconds() - cpu_before}};
}

}  // namespace pawl::bench
