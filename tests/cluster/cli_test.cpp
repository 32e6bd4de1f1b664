#include "tests/cluster/order_events.hpp"
#include "tests/cluster/test_cluster.hpp"
#include "tests/cluster/until.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <string>
#include <vector>

// The command `pawl` against real nodes: what it says, in which form, and how it ends.

namespace pawl::testing {
namespace {

using nlohmann::json;
using words = std::vector<std::string>;

constexpr int healthy = 0, failed = 1, usage = 2, degraded = 3, unreachable = 4;

finished_program pawl(words arguments, const words& environment = {}) {
  const temporary_directory folder;
  process p{PAWL_CLI, std::move(arguments), folder.path() + "/output", environment};
  const auto status = p.exit_status();
  return {status, p.log()};
}

std::string url_of(std::uint16_t port) { return "http://127.0.0.1:" + std::to_string(port); }

bool says(const finished_program& p, const std::string& text) { return p.text.find(text) != p.text.npos; }

class Cli : public ::testing::Test {
protected:
  Cli() { cluster.start({"n1", "n2", "n3"}); }

  std::string url(const std::string& node) {
    for (const auto& d : cluster.doors())
      if (d.node == node) return url_of(d.port);
    return {};
  }
  /// Asks by n1, unless the words name a node.
  finished_program ask(words arguments) { return pawl(std::move(arguments), {"PAWL_NODES=" + url("n1")}); }
  json ask_json(words arguments, int status = healthy) {
    arguments.insert(arguments.end(), {"-o", "json"});
    const auto end = ask(std::move(arguments));
    EXPECT_EQ(end.exit_status, status) << end.text;
    auto out = json::parse(end.text, nullptr, false);
    EXPECT_TRUE(out.is_object() && out.value("version", 0) == 1) << end.text;
    return out;
  }

  test_cluster cluster;
};

TEST_F(Cli, a_healthy_cluster_is_told_by_any_of_its_nodes) {
  for (const auto* node : {"n1", "n2", "n3"}) {
    const auto end = pawl({"status", "--node", url(node)});
    EXPECT_EQ(end.exit_status, healthy) << end.text;
    EXPECT_TRUE(says(end, "test  HEALTHY  3 nodes, 32 shards")) << end.text;
    EXPECT_FALSE(says(end, "\x1b")) << "colours without a terminal";
    for (const auto* other : {"n1", "n2", "n3"}) EXPECT_TRUE(says(end, url(other))) << end.text;
  }
  const auto all = ask_json({"status"});
  EXPECT_EQ(all.at("verdict"), "healthy");
  EXPECT_EQ(all.at("shards_held"), 32);
  EXPECT_EQ(all.at("nodes").size(), 3u);
}

TEST_F(Cli, a_killed_node_degrades_the_cluster_until_the_others_have_its_shards) {
  cluster.kill("n3");
  // Asked for by name, it stays missed; as a member it is not one for long.
  const auto missed = pawl({"status", "--node", url("n1"), "--node", url("n3")});
  EXPECT_EQ(missed.exit_status, degraded) << missed.text;
  EXPECT_TRUE(says(missed, url("n3"))) << missed.text;
  cluster.settle();
  until("status is healthy again", [&] { return ask({"status"}).exit_status == healthy; });
  EXPECT_TRUE(says(ask({"status"}), "2 nodes, 32 shards"));
}

TEST_F(Cli, a_paused_node_is_a_member_that_does_not_answer) {
  cluster.pause("n3");
  const auto end = ask({"status", "--timeout", "0.3"});
  EXPECT_EQ(end.exit_status, degraded) << end.text;
  EXPECT_TRUE(says(end, "n3 (" + url("n3") + ") does not answer")) << end.text;
  cluster.go_on("n3");
}

TEST_F(Cli, shards_add_up_and_one_of_them_is_seen_by_all_nodes) {
  const auto all = ask_json({"shards"});
  ASSERT_EQ(all.at("shards").size(), 32u);
  std::size_t owned = 0;
  for (const auto* node : {"n1", "n2", "n3"}) owned += ask_json({"shards", "--owner", node}).at("shards").size();
  EXPECT_EQ(owned, 32u);
  EXPECT_TRUE(ask_json({"shards", "--unserved"}).at("shards").empty());
  const auto one = ask_json({"shard", "17"});
  EXPECT_EQ(one.at("owner"), all.at("shards")[17].at("owner"));
  EXPECT_EQ(one.at("held_by"), json::array({one.at("owner")}));
  EXPECT_EQ(one.at("sights").size(), 3u);
  EXPECT_EQ(one.at("details").at("owner"), one.at("owner"));
  EXPECT_EQ(one.at("details").at("outbox"), 0);
  EXPECT_TRUE(says(ask({"shard", "17"}), "0 dead letters"));
  EXPECT_EQ(ask({"shard", "32"}).exit_status, usage);
}

TEST_F(Cli, a_message_is_sent_once_and_its_entity_shown) {
  const words message{"send", "order", "o-1",       "OrderPurchased",
                      "--id", "first", "--payload", R"({"customer":"ada","at":"2024-05-01T09:30"})"};
  EXPECT_EQ(ask_json(message).at("result"), "applied");
  EXPECT_EQ(ask_json(message).at("result"), "duplicate");
  const auto entity = ask_json({"entity", "order", "o-1"});
  EXPECT_EQ(entity.at("state").at("status"), "purchased");
  EXPECT_EQ(entity.at("state").at("events"), 1);
  EXPECT_TRUE(says(ask({"entity", "order", "o-1"}), "\"customer\": \"ada\""));
  ASSERT_EQ(entity.at("recent").size(), 1u);
  EXPECT_EQ(entity.at("recent")[0].at("id"), "first");
  EXPECT_TRUE(says(ask({"entity", "order", "o-1"}), "Z  OrderPurchased  first"));

  const auto made_up = ask_json(
      {"send", "order", "o-2", "OrderPurchased", "--payload", R"({"customer":"b\u001b[2J","at":"2024-05-01T09:30"})"});
  EXPECT_EQ(made_up.at("id").get<std::string>().size(), 32u);
  EXPECT_FALSE(says(ask({"entity", "order", "o-2"}), "\x1b"));

  const auto absent = ask_json({"entity", "order", "nobody"}, failed);
  EXPECT_EQ(absent.at("found"), false);
  EXPECT_EQ(absent.at("shard").at("held_by").size(), 1u);
}

TEST_F(Cli, a_message_that_cannot_be_resolved_ends_with_what_it_takes_to_go_on) {
  const auto unknown = ask({"send", "order", "o-1", "NoSuchMessage", "--id", "x", "--deadline", "0.3"});
  EXPECT_EQ(unknown.exit_status, degraded) << unknown.text;
  EXPECT_TRUE(says(unknown, "--id x --sent-at ")) << unknown.text;
  EXPECT_EQ(ask({"send", "order", "o-1", "OrderPurchased", "--payload", R"({"customer":7})"}).exit_status, failed);
  EXPECT_EQ(ask({"send", "order", "o-1", "OrderPurchased", "--payload", "[]"}).exit_status, usage);
}

TEST_F(Cli, a_message_finds_another_node_when_the_one_named_dies) {
  // n1 is named, and is dead; the second one named is where the others are learned.
  cluster.kill("n1");
  const auto end = pawl({"send", "order", "o-1", "OrderPurchased", "--payload",
                         R"({"customer":"ada","at":"2024-05-01T09:30"})", "--node", url("n1"), "--node", url("n2")});
  EXPECT_EQ(end.exit_status, healthy) << end.text;
}

TEST_F(Cli, nobody_there_is_unreachable) {
  const auto nobody = url_of(free_port());
  for (const auto& command : std::vector<words>{{"status"},
                                                {"nodes"},
                                                {"shards"},
                                                {"shard", "1"},
                                                {"entity", "order", "k"},
                                                {"send", "order", "k", "M", "--deadline", "0.2"},
                                                {"drain", "n1", "--yes"},
                                                {"bench", "order", "M", "--yes"},
                                                {"tail", "--for", "0.1"},
                                                {"doctor"}}) {
    const auto end = pawl(command, {"PAWL_NODES=" + nobody});
    EXPECT_EQ(end.exit_status, unreachable) << command[0] << ": " << end.text;
    EXPECT_TRUE(says(end, "Connection refused")) << end.text;
  }
}

TEST_F(Cli, a_drained_node_hands_over_and_ends) {
  EXPECT_EQ(ask({"drain", "n2"}).exit_status, usage) << "nobody there to agree";
  EXPECT_EQ(ask({"drain", "n9", "--yes"}).exit_status, usage);
  EXPECT_TRUE(cluster.running("n2"));
  const auto end = ask({"drain", "n2", "--yes"});
  EXPECT_EQ(end.exit_status, healthy) << end.text;
  EXPECT_TRUE(says(end, "drained")) << end.text;
  EXPECT_EQ(cluster.node("n2").exit_status(), 0);
  cluster.settle();
  EXPECT_EQ(ask({"status"}).exit_status, healthy);
}

TEST_F(Cli, tail_tells_of_a_node_that_is_killed) {
  const temporary_directory folder;
  process tail{PAWL_CLI, {"tail", "--interval", "0.05", "--node", url("n1")}, folder.path() + "/tail"};
  until("the first verdict", [&] { return tail.log().find("verdict  healthy") != std::string::npos; });
  cluster.kill("n3");
  until("n3 has left", [&] { return tail.log().find("n3 is no longer a member") != std::string::npos; });
  until("its shards have moved", [&] {
    return tail.log().find("n3 → n") != std::string::npos || tail.log().find("nobody → n") != std::string::npos;
  });
}

TEST_F(Cli, doctor_has_a_line_for_each_thing_it_looked_at) {
  const auto configured = [&](std::uint16_t http, std::uint16_t peers) {
    auto file = cluster.directory() + "/node.toml";
    std::ofstream{file} << "[node]\ncluster = \"test\"\n[redis]\nsocket = \"" << cluster.store().options().socket
                        << "\"\n[http]\nport = " << http << "\n[peers]\nport = " << peers << "\n";
    return file;
  };
  std::uint16_t door = 0;
  for (const auto& d : cluster.doors())
    if (d.node == "n2") door = d.port;

  const auto running = ask({"doctor", "--config", configured(door, cluster.peer_port("n2"))});
  for (const auto* line :
       {"ok    config ", "ok    http port ", "is answered by a node", "ok    peer port ", "in use by that node",
        "ok    redis ", "ok    redis aof ", "ok    redis fsync ", "ok    redis eviction ", "ok    dataset ",
        "ok    cluster ", "ok    shards ", "32 of 32", "ok    clocks ", "limits "})
    EXPECT_TRUE(says(running, line)) << line << " is not in\n" << running.text;
  EXPECT_FALSE(says(running, "fail  ")) << running.text;

  const auto startable = ask({"doctor", "--config", configured(free_port(), free_port())});
  EXPECT_TRUE(says(startable, "is free: a node can start here")) << startable.text;
  EXPECT_FALSE(says(startable, "fail  ")) << startable.text;

  EXPECT_TRUE(says(ask({"doctor", "--config", configured(free_port(), cluster.peer_port("n2"))}), "fail  peer port "));

  cluster.store().run({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
  const auto evicting = ask_json({"doctor", "--config", configured(door, cluster.peer_port("n2"))}, failed);
  EXPECT_NE(evicting.dump().find("noeviction"), std::string::npos);
}

TEST_F(Cli, json_has_the_fields_that_programs_rely_on) {
  const auto names = [](const json& object) {
    words out;
    for (const auto& [name, _] : object.items()) out.push_back(name);
    return out;
  };
  const auto status = ask_json({"status"});
  // Adding one is fine; whoever takes one away or changes its meaning raises `output_version`.
  EXPECT_EQ(names(status), (words{"cluster", "command", "dataset", "nodes", "notes", "reasons", "shards", "shards_held",
                                  "unserved", "verdict", "version", "view"}));
  EXPECT_EQ(names(status.at("nodes")[0]), (words{"answers", "entities", "incarnation", "node", "problem", "queued",
                                                 "shards_owned", "state", "store_up", "url", "version", "view"}));
  EXPECT_EQ(names(ask_json({"shards"}).at("shards")[0]),
            (words{"claim", "commits", "entities", "held_by", "owner", "queued", "shard"}));
}

TEST_F(Cli, watch_looks_again_and_then_knows_rates) {
  const temporary_directory folder;
  process watch{PAWL_CLI, {"status", "--watch=0.05", "-o", "json", "--node", url("n1")}, folder.path() + "/watch"};
  until("a rate", [&] { return watch.log().find("applied_per_second") != std::string::npos; });
  const auto first = json::parse(watch.log().substr(0, watch.log().find('\n')));
  EXPECT_FALSE(first.at("nodes")[0].contains("applied_per_second"));
}

TEST_F(Cli, bench_measures_and_leaves_entities_only_if_told_to) {
  const words load{"bench",   "order", "OrderPurchased", "--payload", R"({"customer":"c{n}","at":"2024-05-01T09:30"})",
                   "--count", "200",   "--keys",         "10"};
  EXPECT_EQ(ask(load).exit_status, usage);
  EXPECT_EQ(cluster.client("n1").order("bench-0").status, 404);
  auto meant = load;
  meant.push_back("--yes");
  const auto result = ask_json(meant);
  EXPECT_EQ(result.at("applied"), 200);
  EXPECT_GT(result.at("latency_ms").at("p50"), 0);
  std::uint64_t events = 0;
  for (int k = 0; k < 10; ++k) events += cluster.client("n1").order("bench-" + std::to_string(k)).events;
  EXPECT_EQ(events, 200u);
}

TEST(CliAlone, usage_errors_end_with_two) {
  for (const auto& wrong :
       std::vector<words>{{}, {"nothing"}, {"status", "extra"}, {"status", "--node", "ftp://x"}, {"shard", "x"}})
    EXPECT_EQ(pawl(wrong).exit_status, usage);
  EXPECT_EQ(pawl({"status"}, {"PAWL_NODES=http://a:b"}).exit_status, usage);
  EXPECT_EQ(pawl({"--help"}).exit_status, healthy);
  EXPECT_EQ(pawl({"send", "--help"}).exit_status, healthy);
}

TEST(CliAlone, a_configuration_is_checked_as_a_node_would) {
  const temporary_directory folder;
  const auto file = folder.path() + "/node.toml";
  std::ofstream{file} << "[http]\nprot = 1\n";
  const auto wrong = pawl({"config", "check", file});
  EXPECT_EQ(wrong.exit_status, failed);
  EXPECT_TRUE(says(wrong, "http.port")) << wrong.text;
  std::ofstream{file} << "[http]\nport = 1\n";
  // A variable of the shell that a node would refuse says nothing about the file.
  EXPECT_EQ(pawl({"config", "check", file}, {"PAWL_HTTP_PORT=x"}).exit_status, healthy);
}

}  // namespace
}  // namespace pawl::testing
