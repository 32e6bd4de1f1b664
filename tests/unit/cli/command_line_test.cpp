#include "cli/command_line.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace pawl::cli {
namespace {

using words = std::vector<std::string>;

TEST(CommandLine, EachCommandOfTheTableIsFound) {
  for (const auto& c : commands()) {
    words given;
    for (std::string rest{c.name}; !rest.empty();) {
      const auto space = std::min(rest.find(' '), rest.size());
      given.push_back(rest.substr(0, space));
      rest.erase(0, space + 1);
    }
    for (const auto& a : c.arguments)
      given.emplace_back(a.kind == value_kind::count ? "7" : a.kind == value_kind::shell ? "bash" : "word");
    const auto line = parse_command_line(given);
    EXPECT_TRUE(line.errors.empty()) << c.name << ": " << (line.errors.empty() ? "" : line.errors[0]);
    EXPECT_EQ(line.what, &c) << c.name;
  }
}

TEST(CommandLine, OptionsMayStandAnywhereAndCommonOnesBeforeTheCommand) {
  const auto line =
      parse_command_line({"--node", "a:1", "send", "--id", "7", "order", "-o", "json", "k", "Msg", "--node=b:2"});
  ASSERT_TRUE(line.errors.empty()) << line.errors[0];
  EXPECT_EQ(line.words.all("--node"), (words{"a:1", "b:2"}));
  EXPECT_EQ(line.words.text("--id"), "7");
  EXPECT_EQ(line.words.text("--output"), "json");
  EXPECT_EQ(line.words.text("KEY"), "k");
}

TEST(CommandLine, ArgumentsThatLookLikeCommandsAreArguments) {
  const auto line = parse_command_line({"entity", "status", "nodes"});
  ASSERT_TRUE(line.errors.empty()) << line.errors[0];
  EXPECT_EQ(line.words.text("TYPE"), "status");
  EXPECT_EQ(line.words.text("KEY"), "nodes");
}

TEST(CommandLine, AKeyThatLooksLikeAnOptionStandsBehindTwoDashes) {
  const auto line = parse_command_line({"entity", "order", "--", "--key"});
  ASSERT_TRUE(line.errors.empty()) << line.errors[0];
  EXPECT_EQ(line.words.text("KEY"), "--key");
}

TEST(CommandLine, WatchTakesItsTimeBehindAnEqualsSignOnly) {
  EXPECT_EQ(parse_command_line({"status", "--watch"}).words.duration(watch_option, std::chrono::seconds{2}),
            std::chrono::seconds{2});
  EXPECT_EQ(parse_command_line({"status", "--watch=0.5"}).words.duration(watch_option, {}),
            std::chrono::milliseconds{500});
  const auto shard = parse_command_line({"shard", "--watch", "5"});
  EXPECT_TRUE(shard.errors.empty());
  EXPECT_EQ(shard.words.count("N", 0), 5u);
  EXPECT_FALSE(parse_command_line({"status", "--watch=soon"}).errors.empty());
  EXPECT_FALSE(parse_command_line({"send", "--watch", "a", "b", "c"}).errors.empty())
      << "a message is not sent again and again";
}

TEST(CommandLine, MistakesAreNamed) {
  struct row {
    words given;
    std::string said;
  };
  const std::vector<row> table{
      {{}, "a command is missing"},
      {{"sned"}, "did you mean 'send'"},
      {{"status", "--outptu", "json"}, "did you mean '--output'"},
      {{"status", "extra"}, "unexpected argument 'extra'"},
      {{"shard"}, "N is missing"},
      {{"shard", "x"}, "whole number"},
      {{"entity", "order"}, "KEY is missing"},
      {{"entity", "order", ""}, "not empty"},
      {{"config"}, "command is missing"},
      {{"config", "chekc", "f"}, "chekc"},
      {{"completion", "tcsh"}, "bash zsh fish"},
      {{"status", "-o", "yaml"}, "table json"},
      {{"status", "-o", "json", "-o", "table"}, "may be given once"},
      {{"status", "--node", "ftp://a"}, "address of a node"},
      {{"status", "--timeout", "0"}, "10ms to 24h"},
      {{"status", "--timeout", "1e99"}, "10ms to 24h"},
      {{"status", "--timeout"}, "--timeout"},
      {{"send", "a", "b", "c", "--id", "--payload", "{}"}, "--id needs a value"},
      {{"drain", "n1", "--yes=1"}, "--yes takes no value"},
      {{"status", "\x1b[2J"}, "\\x1b[2J"},
  };
  for (const auto& r : table) {
    const auto line = parse_command_line(r.given);
    EXPECT_EQ(line.what, nullptr);
    const bool said =
        std::any_of(line.errors.begin(), line.errors.end(), [&](const auto& e) { return e.find(r.said) != e.npos; });
    EXPECT_TRUE(said) << r.said << " is not in: " << (line.errors.empty() ? "nothing" : line.errors[0]);
  }
}

TEST(CommandLine, HelpNamesAllThatTheTableHas) {
  const auto all = help_text();
  for (const auto& c : commands()) {
    EXPECT_NE(all.find("  " + std::string{c.name}), std::string::npos) << c.name;
    const auto one = help_text(c);
    for (const auto& o : c.options) EXPECT_NE(one.find(o.name), std::string::npos) << c.name << " " << o.name;
    for (const auto& a : c.arguments) EXPECT_NE(one.find(a.help), std::string::npos);
  }
  const auto line = parse_command_line({"send", "--help"});
  EXPECT_TRUE(line.help);
  ASSERT_NE(line.what, nullptr);
  EXPECT_EQ(line.what->name, "send");
}

TEST(CommandTable, TheSameOptionTakesTheSameKindOfValueEverywhere) {
  // The completions know options by their names alone.
  std::vector<option> seen = common_options();
  for (const auto& c : commands())
    for (const auto& o : c.options)
      for (const auto& other : seen)
        if (o.name == other.name) EXPECT_TRUE(o.kind == other.kind && o.takes_value() == other.takes_value()) << o.name;
        else continue;
}

}  // namespace
}  // namespace pawl::cli
