// Which source decides, and what each command gives back.

#include "tests/unit/configuration/configuration_world.hpp"

#include "actors/configuration/keys.hpp"

#include <gtest/gtest.h>

#include <array>

// NOLINTBEGIN(concurrency-mt-unsafe): where the environment is used, the test has one thread.

namespace pawl::testing {

using namespace std::chrono_literals;
using command = invocation::command;

TEST(Configuration, WithoutAnySourceServesWithTheDefaults) {
  const auto answer = parse({});
  EXPECT_EQ(answer.what, command::serve);
  EXPECT_EQ(answer.exit_code, 0);
  EXPECT_TRUE(answer.warnings.empty());
  const node_options defaults;
  for (const auto& k : config::keys()) EXPECT_EQ(config::show(k, answer.options), config::show(k, defaults)) << k.name;
}

TEST(Configuration, DefaultsLieWithinTheRangesOfTheirKeysAndInTheFormTheFileTakes) {
  const scratch_directory scratch;
  const auto listing = parse({"--print-config"}).text;
  const auto again = parse({"--config", scratch.file("node.toml", listing), "--check-config"});
  EXPECT_EQ(again.what, command::check) << again.text;
}

TEST(Configuration, AFlagWinsOverTheVariableThatOverTheFileThatOverTheDefault) {
  const scratch_directory scratch;
  const auto file = scratch.file("node.toml", "[http]\nport = 1001\nthreads = 2\naddress = \"127.0.0.3\"\n");
  const environment variables{{"PAWL_HTTP_PORT", "1002"}, {"PAWL_HTTP_THREADS", "3"}};
  const auto o = parse({"--config", file, "--http-port", "1003"}, variables).options;
  EXPECT_EQ(o.http_port, 1003);
  EXPECT_EQ(o.http_threads, 3U);
  EXPECT_EQ(o.http_address, "127.0.0.3");
  EXPECT_EQ(o.http_connections, node_options().http_connections);
}

TEST(Configuration, TheFileIsAlsoFoundThroughItsVariableAndTheFlagWins) {
  const scratch_directory scratch;
  const environment variables{{"PAWL_CONFIG", scratch.file("a.toml", "[node]\nname = \"a\"")}};
  EXPECT_EQ(parse({}, variables).options.node, "a");
  EXPECT_EQ(parse({"--config", scratch.file("b.toml", "[node]\nname = \"b\"")}, variables).options.node, "b");
}

TEST(Configuration, AnEmptyVariableCountsAsNotSet) {
  EXPECT_EQ(parse({}, {{"PAWL_HTTP_PORT", ""}, {"PAWL_CONFIG", ""}}).options.http_port, node_options().http_port);
}

TEST(Configuration, EveryKeyCanBeSetByFlagVariableAndFile) {
  const scratch_directory scratch;
  // One value that fits each kind and is no default.
  const auto value = [](const config::key& k) -> std::string {
    switch (k.what) {
    case config::kind::toggle: return config::show(k, node_options()) == "true" ? "false" : "true";
    case config::kind::count: return std::to_string(k.max - 1);
    case config::kind::bytes: return std::to_string(k.max - 1);
    case config::kind::duration: return std::to_string(k.min + 1);
    case config::kind::log_level: return "error";
    default: return "other-1";
    }
  };
  for (const auto& k : config::keys()) {
    const auto text = value(k);
    const bool bare = k.what == config::kind::toggle || k.what == config::kind::count ||
                      k.what == config::kind::bytes || k.what == config::kind::duration;
    const std::string content = "[" + std::string(k.section()) + "]\n" + std::string(k.leaf()) + " = " +
                                (bare ? text : '"' + text + '"') + "\n";
    node_options expected;
    ASSERT_EQ(config::assign(k, {config::setting::type::untyped, text, "here"}, expected), "");
    ASSERT_NE(config::show(k, expected), config::show(k, node_options())) << k.name;

    // Some contradict other keys when set alone; the error then names them, so the value did arrive.
    const std::array sources{parse({std::string(k.flag) + "=" + text, "--print-config"}),
                             parse({"--print-config"}, {{k.variable(), text}}),
                             parse({"--print-config", "--config", scratch.file("node.toml", content)})};
    for (const auto& answer : sources) {
      if (answer.exit_code == 0) EXPECT_EQ(config::show(k, answer.options), config::show(k, expected)) << k.name;
      else
        EXPECT_NE(answer.text.find(k.name == "cluster.beat" ? "cluster.lease" : k.name), std::string::npos)
            << answer.text;
    }
  }
}

TEST(Configuration, TimesAndSizesTakeUnitsAndPlainNumbers) {
  const scratch_directory scratch;
  const auto file =
      scratch.file("node.toml", "[cluster]\nlease = \"4s\"\nsettle = 250\n[http]\ntimeout = \"2m\"\nbody_bytes = "
                                "\"2MiB\"\n[entities]\nstate_bytes = 2048\npassivate_after = \"2h\"\n");
  const auto answer = parse({"--config", file, "--shard-queue-bytes", "16MiB"});
  ASSERT_EQ(answer.exit_code, 0) << answer.text;
  EXPECT_EQ(answer.options.lease, 4s);
  EXPECT_EQ(answer.options.settle, 250ms);
  EXPECT_EQ(answer.options.http_timeout, 2min);
  EXPECT_EQ(answer.options.http_body_bytes, 2U * 1024 * 1024);
  EXPECT_EQ(answer.options.state_bytes, 2048U);
  EXPECT_EQ(answer.options.passivate_after, 2h);
  EXPECT_EQ(answer.options.shard_queue_bytes, 16U * 1024 * 1024);
}

TEST(Configuration, InitTakesShardsAndTheOptionsOfTheStore) {
  const auto answer = parse({"--cluster", "shop", "init", "--shards", "64", "--redis-port", "7000"});
  ASSERT_EQ(answer.what, command::init) << answer.text;
  EXPECT_EQ(answer.init_shards, 64U);
  EXPECT_EQ(answer.options.cluster, "shop");
  EXPECT_EQ(answer.options.redis_port, 7000);
  EXPECT_EQ(parse({"init"}).init_shards, 256U);
}

TEST(Configuration, HelpNamesEveryFlagEveryVariableAndTheExitStatuses) {
  for (const auto& flag : {"--help", "-h"}) {
    const auto answer = parse({flag});
    EXPECT_EQ(answer.what, command::show_text);
    EXPECT_EQ(answer.exit_code, 0);
    for (const auto& k : config::keys()) {
      EXPECT_NE(answer.text.find("  " + std::string(k.flag)), std::string::npos) << k.name;
      EXPECT_NE(answer.text.find(k.variable()), std::string::npos) << k.name;
    }
    EXPECT_NE(answer.text.find("Exit status: 0 done, 1 failed, 2 usage or configuration error."), std::string::npos);
  }
}

TEST(Configuration, VersionIsTheOneOfTheProgram) {
  const auto answer = parse({"--version"});
  EXPECT_EQ(answer.what, command::show_text);
  EXPECT_EQ(answer.exit_code, 0);
  EXPECT_EQ(answer.text, "orders 1.2.3\n");
}

TEST(Configuration, TheTableForTheReadmeHasOneLineForEachKey) {
  const auto table = parse({"--print-config-table"}).text;
  for (const auto& k : config::keys()) EXPECT_NE(table.find("| `" + std::string(k.name) + "` |"), std::string::npos);
}

TEST(Configuration, PrintConfigTellsWhereEachValueComesFromAndNeverThePassword) {
  const scratch_directory scratch;
  const auto file = scratch.file("node.toml", "[node]\n\nname = \"n7\"\n");
  const auto answer = parse({"--print-config", "--config", file, "--http-port", "1"},
                            {{"PAWL_REDIS_PORT", "2"}, {"PAWL_REDIS_PASSWORD", "s3cret"}});
  ASSERT_EQ(answer.what, command::print_config) << answer.text;
  EXPECT_EQ(answer.options.redis_password, "s3cret");
  EXPECT_EQ(answer.text.find("s3cret"), std::string::npos);
  const auto line_of = [&](const std::string& start) {
    const auto at = answer.text.find("\n" + start);
    return answer.text.substr(at + 1, answer.text.find('\n', at + 1) - at - 1);
  };
  EXPECT_TRUE(line_of("name = \"n7\"").ends_with("# " + file + ":3"));
  EXPECT_TRUE(line_of("port = 1 ").ends_with("# --http-port"));
  EXPECT_TRUE(line_of("port = 2 ").ends_with("# PAWL_REDIS_PORT"));
  EXPECT_TRUE(line_of("level = \"info\"").ends_with("# default"));
  EXPECT_EQ(line_of("# the password"), "# the password is set, and not shown");
}

TEST(Configuration, OfARealProcessReadsItsEnvironmentAndSurvivesAnEmptyArgumentList) {
  ::setenv("PAWL_NODE_NAME", "from-environment", 1);
  const char* const none[] = {nullptr};
  const auto answer = parse_invocation(0, none, "1.2.3");
  ::unsetenv("PAWL_NODE_NAME");
  EXPECT_EQ(answer.what, command::serve) << answer.text;
  EXPECT_EQ(answer.options.node, "from-environment");

  const char* const arguments[] = {"/usr/bin/orders", "--http-port", "5", nullptr};
  EXPECT_EQ(parse_invocation(3, arguments, "1.2.3").options.http_port, 5);
  EXPECT_EQ(parse_invocation(1, arguments, "1.2.3").options.http_port, 7420);
}

}  // namespace pawl::testing

// NOLINTEND(concurrency-mt-unsafe)
