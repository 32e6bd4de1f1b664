// Mistakes: each must end in exit status 2 and a text that names the place, the value and what is allowed.

#include "tests/unit/configuration/configuration_world.hpp"

#include "actors/configuration/keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pawl::testing {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using command = invocation::command;

std::string errors_of(const std::vector<std::string>& arguments, const environment& variables = {}) {
  const auto answer = parse(arguments, variables);
  EXPECT_EQ(answer.exit_code == 2, answer.what == command::show_text && !answer.text.empty());
  return answer.exit_code == 2 ? answer.text : std::string();
}

TEST(ConfigurationFile, AnUnknownKeyIsNamedWithItsLineAndTheNearestOne) {
  EXPECT_THAT(errors_of_file("[node]\nname = \"a\"\n\n\n\n[clustr]\nbeat = \"1s\"\n"),
              HasSubstr("unknown key 'clustr.beat' at "));
  EXPECT_THAT(errors_of_file("\n\n\n\n\n[clustr]\nbeat = \"1s\"\n"),
              HasSubstr("node.toml:7; did you mean 'cluster.beat'?"));
  EXPECT_THAT(errors_of_file("[http]\nprot = 1\n"), HasSubstr("node.toml:2; did you mean 'http.port'?"));
  EXPECT_THAT(errors_of_file("lease = \"3s\"\n"), HasSubstr("did you mean 'cluster.lease'?"));
  EXPECT_THAT(errors_of_file("[zebra]\nstripes = 1\n"),
              AllOf(HasSubstr("'zebra.stripes'"), Not(HasSubstr("did you mean"))));
  EXPECT_THAT(errors_of_file("[zebra]\n"), HasSubstr("unknown section \"zebra\" at "));
}

TEST(ConfigurationFile, AValueOfTheWrongTypeIsRefused) {
  EXPECT_THAT(errors_of_file("[http]\nport = \"7420\"\n"),
              HasSubstr("node.toml:2 is \"7420\" (a string); it must be a whole number from 0 to 65535"));
  EXPECT_THAT(errors_of_file("[http]\nport = true\n"), HasSubstr("is true (a boolean)"));
  EXPECT_THAT(errors_of_file("[http]\nport = 1.5\n"), HasSubstr("is a number with a fraction"));
  EXPECT_THAT(errors_of_file("[http]\nport = [1, 2]\n"), HasSubstr("is an array"));
  EXPECT_THAT(errors_of_file("[http.port]\nx = 1\n"), HasSubstr("'http.port'"));
  EXPECT_THAT(errors_of_file("[node]\nname = 5\n"), HasSubstr("is 5 (an integer)"));
  EXPECT_THAT(errors_of_file("[node]\ninsecure = \"true\"\n"), HasSubstr("it must be true or false"));
  EXPECT_THAT(errors_of_file("[cluster]\nbeat = 2020-01-01\n"), HasSubstr("is a date or time"));
  EXPECT_THAT(errors_of_file("http = 5\n"), HasSubstr("unknown key 'http'"));
  EXPECT_THAT(errors_of_file("[[http]]\nport = 1\n"), HasSubstr("unknown key 'http'"));
}

TEST(ConfigurationFile, NegativeZeroHugeAndMalformedValuesNameTheRange) {
  EXPECT_THAT(errors_of_file("[http]\nport = -1\n"), HasSubstr("is -1 (an integer); it must be a whole number from 0"));
  EXPECT_THAT(errors_of_file("[redis]\nport = 0\n"), HasSubstr("a whole number from 1 to 65535"));
  EXPECT_THAT(errors_of_file("[http]\nport = 9223372036854775807\n"), HasSubstr("to 65535"));
  EXPECT_THAT(errors_of_file("[cluster]\nbeat = -5\n"), HasSubstr("a time from 10ms to 1m"));
  for (const auto* text :
       {"0", "-1s", "1.5s", "s", "3 s", "3S", "3sec", "99999999999999999999h", "18446744073709551615s", ""}) {
    EXPECT_THAT(errors_of_file("[cluster]\nbeat = \"" + std::string(text) + "\"\n"),
                HasSubstr("a time from 10ms to 1m"))
        << text;
  }
  for (const auto* text : {"-1", "8MB", "8 MiB", "1.5MiB", "99999999999GiB", "0x10", ""}) {
    EXPECT_THAT(errors_of_file("[http]\nbody_bytes = \"" + std::string(text) + "\"\n"),
                HasSubstr("a size from 1KiB to 1GiB"))
        << text;
  }
}

TEST(ConfigurationFile, SyntaxErrorsAndDuplicateKeysNameTheLine) {
  EXPECT_THAT(errors_of_file("[http]\nport = \n"), HasSubstr("syntax error at "));
  EXPECT_THAT(errors_of_file("[http]\nport = 1\nport = 2\n"), HasSubstr("node.toml:3"));
  EXPECT_THAT(errors_of_file("[http]\n# \xff\xfe\n"), HasSubstr("syntax error at "));
  EXPECT_THAT(errors_of_file("x = " + std::string(10'000, '[')), HasSubstr("syntax error at "));
  EXPECT_THAT(errors_of_file(std::string("[http]\nport = 1\0", 16)), HasSubstr("syntax error at "));
}

TEST(ConfigurationFile, AllMistakesAreToldAtOnce) {
  const auto text = errors_of_file("[http]\nport = -1\nprot = 2\n[node]\nname = \"A\"\n");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3) << text;
}

TEST(ConfigurationFile, ThatCannotBeReadIsNamedWithTheReason) {
  const scratch_directory scratch;
  EXPECT_THAT(errors_of({"--config", scratch.path("none.toml")}), HasSubstr("none.toml\": No such file or directory"));
  EXPECT_THAT(errors_of({"--config", scratch.path("")}), HasSubstr("not a regular file"));
  EXPECT_THAT(errors_of({}, {{"PAWL_CONFIG", scratch.path("none.toml")}}), HasSubstr("No such file or directory"));
  const auto large = scratch.file("large.toml", std::string(1024 * 1024 + 1, '#'));
  EXPECT_THAT(errors_of({"--config", large}), HasSubstr("larger than 1MiB"));
}

TEST(ConfigurationFile, ThatIsAPipeIsRefusedAndNotWaitedFor) {
  const scratch_directory scratch;
  const auto pipe = scratch.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(errors_of({"--config", pipe}), HasSubstr("not a regular file"));
}

TEST(ConfigurationFile, ThatOthersCanWriteGivesAWarning) {
  const scratch_directory scratch;
  EXPECT_THAT(parse({"--config", scratch.file("a.toml", "", 0666)}).warnings,
              ElementsAre(HasSubstr("written by others")));
  EXPECT_THAT(parse({"--config", scratch.file("b.toml", "", 0644)}).warnings, IsEmpty());
}

TEST(ConfigurationFile, ErrorsShowNoControlCharactersOfTheFile) {
  const auto text = errors_of_file("[\"\\u001b[2J\"]\n\"x\\ny\" = 1\n[node]\nname = \"\\u001b[31m\"\n");
  EXPECT_THAT(text, AllOf(HasSubstr("\\x1B[2J"), HasSubstr("\\x0A"), HasSubstr("\"\\x1B[31m\"")));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(ConfigurationNames, AreLowerCaseLettersDigitsAndDashes) {
  const std::string longest(32, 'a');
  EXPECT_EQ(errors_of({"--node", longest, "--cluster", "a-0"}), "");
  for (const auto& name :
       {std::string(), longest + "a", std::string("A"), std::string("a b"), std::string("a_b"), std::string("a:b"),
        std::string("{a}"), std::string("../a"), std::string("ä"), std::string("a\n")}) {
    EXPECT_THAT(errors_of({}, {{"PAWL_NODE_NAME", name.empty() ? " " : name}}), HasSubstr("a-z, 0-9 and -")) << name;
    EXPECT_THAT(errors_of({}, {{"PAWL_NODE_CLUSTER", name.empty() ? " " : name}}), HasSubstr("a-z, 0-9 and -")) << name;
  }
  EXPECT_THAT(errors_of_file("[node]\nname = \"\"\n"), HasSubstr("a-z, 0-9 and -"));
}

TEST(ConfigurationHosts, AreAddressesOrHostNames) {
  for (const auto* host : {"::1", "127.0.0.1", "redis.internal", "redis_1"}) {
    EXPECT_EQ(errors_of({"--redis-host", host}), "") << host;
  }
  for (const auto* host : {"a b", "a/b", "http://a", "a:1", "-a", "ä"}) {
    EXPECT_THAT(errors_of({std::string("--redis-host=") + host}), HasSubstr("an IP address or a host name")) << host;
  }
}

TEST(ConfigurationTimes, LeaseMustExceedThreeBeats) {
  EXPECT_THAT(errors_of({"--cluster-beat", "1s", "--cluster-lease", "3s"}),
              AllOf(HasSubstr("'cluster.lease' is 3s"), HasSubstr("'cluster.beat' (1s)")));
  EXPECT_EQ(errors_of({"--cluster-beat", "1s", "--cluster-lease", "3001"}), "");
}

TEST(ConfigurationTimes, HandoffAndDrainMustLeaveTwoBeats) {
  EXPECT_THAT(errors_of({"--cluster-handoff", "399"}), HasSubstr("'cluster.handoff' is 399ms"));
  EXPECT_THAT(errors_of({"--cluster-drain", "399"}), HasSubstr("'cluster.drain' is 399ms"));
  EXPECT_EQ(errors_of({"--cluster-handoff", "400", "--cluster-drain", "400"}), "");
}

TEST(ConfigurationPeers, BeyondLoopbackNeedInsecureForTheyAreNotAuthenticated) {
  for (const auto* host : {"10.0.0.1", "::2", "example", "127.evil.example", "fe80::1"}) {
    EXPECT_THAT(errors_of({"--peer-address", host}), HasSubstr("do not authenticate their peers yet")) << host;
    EXPECT_EQ(errors_of({"--peer-address", host, "--insecure"}), "") << host;
  }
  for (const auto* host : {"127.0.0.1", "127.9.9.9", "::1", "localhost"}) {
    EXPECT_EQ(errors_of({"--peer-address", host}), "") << host;
  }
}

TEST(ConfigurationPeers, OnAllInterfacesNeedAnAddressOthersCanDial) {
  EXPECT_THAT(errors_of({"--insecure", "--peer-address", "0.0.0.0"}), HasSubstr("'peers.advertise'"));
  EXPECT_THAT(errors_of({"--insecure", "--peer-address", "::", "--advertise", "0.0.0.0"}),
              HasSubstr("'peers.advertise'"));
  EXPECT_EQ(errors_of({"--insecure", "--peer-address", "0.0.0.0", "--advertise", "n1.internal"}), "");
}

TEST(ConfigurationHttp, BeyondLoopbackIsAllowedWithAWarning) {
  const auto answer = parse({"--http-address", "0.0.0.0"});
  EXPECT_EQ(answer.exit_code, 0);
  EXPECT_THAT(answer.warnings, ElementsAre(HasSubstr("no authentication")));
}

TEST(ConfigurationPassword, ComesFromTheFileWithoutItsLineEndAndTheFileWins) {
  const scratch_directory scratch;
  const auto answer =
      parse({"--redis-password-file", scratch.file("pw", "two words \n")}, {{"PAWL_REDIS_PASSWORD", "other"}});
  EXPECT_EQ(answer.options.redis_password, "two words ") << answer.text;
  EXPECT_THAT(answer.warnings, IsEmpty());
  EXPECT_EQ(parse({}, {{"PAWL_REDIS_PASSWORD", "other"}}).options.redis_password, "other");
}

TEST(ConfigurationPassword, FileOpenToOthersGivesAWarning) {
  const scratch_directory scratch;
  for (const ::mode_t mode : {0640U, 0604U}) {
    const auto answer = parse({"--redis-password-file", scratch.file("pw", "x", mode)});
    EXPECT_THAT(answer.warnings, ElementsAre(AllOf(HasSubstr("redis.password_file"), HasSubstr("chmod 600"))));
  }
}

TEST(ConfigurationPassword, FileThatHoldsNoPasswordIsRefusedWithoutShowingIt) {
  const scratch_directory scratch;
  EXPECT_THAT(errors_of({"--redis-password-file", scratch.path("none")}), HasSubstr("No such file"));
  EXPECT_THAT(errors_of({"--redis-password-file", scratch.file("a", "\n")}), HasSubstr("is empty"));
  EXPECT_THAT(errors_of({"--redis-password-file", scratch.file("b", "s3cret\nx")}),
              AllOf(HasSubstr("one line"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(errors_of({"--redis-password-file", scratch.file("c", std::string(5'000, 'x'))}),
              HasSubstr("larger than"));
}

TEST(ConfigurationPassword, InTheFileOrOnTheCommandLineIsRefusedWithoutShowingIt) {
  EXPECT_THAT(errors_of_file("[redis]\npassword = \"s3cret\"\n"),
              AllOf(HasSubstr("does not belong in this file"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(errors_of({"--redis-password", "s3cret"}),
              AllOf(HasSubstr("PAWL_REDIS_PASSWORD"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(errors_of({"--redis-password=s3cret"}),
              AllOf(HasSubstr("PAWL_REDIS_PASSWORD"), Not(HasSubstr("s3cret"))));
}

TEST(ConfigurationEnvironment, BadValuesNameTheVariable) {
  EXPECT_THAT(errors_of({}, {{"PAWL_HTTP_PORT", "http"}}), HasSubstr("'http.port' at PAWL_HTTP_PORT is \"http\""));
  EXPECT_THAT(errors_of({}, {{"PAWL_NODE_INSECURE", "yes"}}), HasSubstr("true or false"));
}

TEST(ConfigurationEnvironment, AMisspeltVariableGivesAWarning) {
  const auto answer = parse({}, {{"PAWL_HTTP_PROT", "1"}, {"PAWL_SOMETHING_OF_OTHERS", "1"}, {"HOME", "/"}});
  EXPECT_EQ(answer.exit_code, 0);
  EXPECT_THAT(answer.warnings,
              ElementsAre(AllOf(HasSubstr("PAWL_HTTP_PROT"), HasSubstr("did you mean PAWL_HTTP_PORT?"))));
}

TEST(ConfigurationFlags, UnknownOnesAreNamedWithTheNearest) {
  EXPECT_THAT(errors_of({"--htp-port", "80"}),
              AllOf(HasSubstr("unknown flag \"--htp-port\"; did you mean '--http-port'?"), Not(HasSubstr("\"80\""))));
  EXPECT_THAT(errors_of({"inti"}), HasSubstr("unexpected argument \"inti\"; did you mean 'init'?"));
  EXPECT_THAT(errors_of({"--shards", "4"}), HasSubstr("goes with 'init'"));
  EXPECT_THAT(errors_of({"-x"}), HasSubstr("unknown flag \"-x\""));
  EXPECT_THAT(errors_of({""}), HasSubstr("unexpected argument \"\""));
  EXPECT_THAT(errors_of({"\x1b[2J"}), HasSubstr("\\x1B[2J"));
  EXPECT_THAT(errors_of({"--http-prot", "1"}), HasSubstr("Try orders --help"));
}

TEST(ConfigurationFlags, WithoutTheirValueOrGivenTwiceAreRefused) {
  EXPECT_THAT(errors_of({"--http-port"}), HasSubstr("--http-port takes one value"));
  EXPECT_THAT(errors_of({"--http-port="}), HasSubstr("--http-port takes one value"));
  EXPECT_THAT(errors_of({"--node", "--cluster", "x"}), HasSubstr("--node needs a value"));
  EXPECT_THAT(errors_of({"--http-port", "1", "--http-port", "2"}), HasSubstr("may be given once"));
  EXPECT_THAT(errors_of({"--config"}), HasSubstr("--config takes one value"));
  EXPECT_THAT(errors_of({"--insecure", "false"}), HasSubstr("unexpected argument \"false\""));
}

TEST(ConfigurationFlags, ShardsMustBeFrom1To16384) {
  for (const auto* n : {"0", "16385", "-1", "x", "1.5", "99999999999999999999"}) {
    EXPECT_THAT(errors_of({"init", std::string("--shards=") + n}), HasSubstr("a whole number from 1 to 16384")) << n;
  }
  EXPECT_EQ(parse({"init", "--shards", "16384"}).init_shards, 16'384U);
}

TEST(ConfigurationCheck, SaysValidOrFailsWithStatus2) {
  const auto good = parse({"--check-config"});
  EXPECT_EQ(good.what, command::check);
  EXPECT_EQ(good.exit_code, 0);
  EXPECT_EQ(good.text, "the configuration is valid\n");
  const auto bad = parse({"--check-config", "--http-port", "x"});
  EXPECT_EQ(bad.what, command::show_text);
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_EQ(parse({"--print-config", "--http-port", "x"}).exit_code, 2);
}

}  // namespace pawl::testing
