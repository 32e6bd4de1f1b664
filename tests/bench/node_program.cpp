// A node with what an in-process sender, its accounts and its checks need. Orders it takes:
//
//   members  waits for so many members
//   load     gives a workload to its own door; "forwarded": only what others own; "slow": beside another workload, of
//            one order whose handler sleeps, and without what shares that one's shard
//   assume   a workload was sent by others: `check` knows then what it must have done
//   account  CPU so far, memory, entities in memory, commits
//   check    reads every order it knows of
#include "tests/bench/node_program.hpp"

#include "metrics/log.hpp"
#include "tests/bench/accounts.hpp"
#include "tests/bench/dialogue.hpp"
#include "tests/bench/door_load.hpp"
#include "tests/bench/local_node.hpp"

#include <CLI/CLI.hpp>

#include <malloc.h>

#include <memory>
#include <thread>

namespace pawl::bench {
namespace {

using json = nlohmann::json;

class measured_node {
public:
  explicit measured_node(const local_node::setup& s) : node_(s) {}

  [[nodiscard]] std::uint16_t http_port() const { return node_.http_port(); }

  json members(const json& asked) {
    node_.await_members(asked.at("members").get<std::size_t>());
    return json::object();
  }

  json load(const json& asked) {
    const auto slow = slow_load(asked);
    door_load own{node_.door(), work_of(asked), load_asked(asked)};
    json figures;
    {
      const std::jthread beside{[&] {
        if (slow) (void)slow->run();
      }};
      figures = own.run();
    }
    own.enter_in(book_);
    if (slow) slow->enter_in(book_);
    figures["state_bytes"] = own.state_bytes();
    return figures;
  }

  json assume(const json& asked) {
    book_.take(workload{workload_asked(asked)});
    return json::object();
  }

  json account(const json& asked) {
    if (asked.value("trimmed", false)) ::malloc_trim(0);  // what was freed is not what is asked for
    const auto memory = memory_now();
    return {{"cpu_s", own_cpu_seconds()},
            {"resident_bytes", memory.resident},
            {"allocated_bytes", memory.allocated - book_.memory_bytes()},
            {"entities", node_.resident_entities()},
            {"commits", node_.commits()},
            {"committed_messages", node_.committed_messages()}};
  }

  json check(const json&) {
    check_orders(node_.door(), book_);
    return {{"orders", book_.orders()}};
  }

private:
  std::unique_ptr<door_load> slow_load(const json& asked) {
    const auto found = asked.find("slow");
    if (found == asked.end()) return nullptr;
    return std::make_unique<door_load>(node_.door(), workload{workload_asked(*found)}, load_asked(*found));
  }

  workload work_of(const json& asked) {
    workload out{workload_asked(asked)};
    if (asked.value("forwarded", false)) {
      const auto shards = node_.door().shards();
      out.keep([&](std::string_view key) { return !shards.at(node_.door().shard_of(key).value).local; });
    }
    if (const auto slow = asked.find("slow"); slow != asked.end()) {
      // What shares the slow order's shard must wait for it, and says nothing about the others.
      const auto shard = node_.door().shard_of(workload::key_of(workload_asked(*slow).prefix, 0));
      out.keep([&](std::string_view key) { return node_.door().shard_of(key) != shard; });
    }
    return out;
  }

  local_node node_;
  ledger book_;
};

}  // namespace

int node_program(int argc, char** argv) {
  local_node::setup s;
  bool joins = false;
  std::int64_t passivate_ms = s.passivate_after.count();
  CLI::App app{"A node that is measured; takes orders on standard input"};
  app.add_option("--redis-socket", s.socket, "unix socket of Redis")->required();
  app.add_option("--name", s.name, "of the node");
  app.add_option("--shards", s.shards, "of the dataset it creates");
  app.add_option("--passivate-ms", passivate_ms, "entities leave memory when idle for so long");
  app.add_flag("--joins", joins, "the dataset exists");
  app.add_flag("--http", s.http, "open an HTTP door");
  CLI11_PARSE(app, argc, argv);
  s.creates = !joins;
  s.passivate_after = std::chrono::milliseconds{passivate_ms};

  log::set_level("error");
  measured_node n{s};
  dialogue orders;
  orders.on("members", [&](const json& asked) { return n.members(asked); });
  orders.on("load", [&](const json& asked) { return n.load(asked); });
  orders.on("assume", [&](const json& asked) { return n.assume(asked); });
  orders.on("account", [&](const json& asked) { return n.account(asked); });
  orders.on("check", [&](const json& asked) { return n.check(asked); });
  orders.serve({{"http", n.http_port()}});
  return 0;
}

}  // namespace pawl::bench
