#include "tests/cluster/command_gate.hpp"

#include "persistence/redis/reply.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace pawl::testing {
namespace {

std::string command(std::initializer_list<std::string_view> words) {
  std::string out;
  redis::append_command(out, words);
  return out;
}

const std::string get = command({"GET", "a"});
const std::string set = command({"HSET", "h", "f\r\n$1", ""});
const std::string exists = command({"EXISTS", "own"});
constexpr std::string_view value = "$5\r\na\r\n+b\r\n";
constexpr std::string_view number = ":1\r\n";

trap at_hset(trap::when when) {
  return {.wanted = [](const auto& words) { return words.front() == "HSET"; }, .at = when, .commands = 2};
}

struct line {  ///< of one direction: what has come to the gate, and what it let pass
  std::string waiting;
  std::string passed;
};

struct CommandGate : ::testing::TestWithParam<trap::when> {
  command_gate gate{at_hset(GetParam())};
  line there, back;

  void say(std::string_view bytes) {
    there.waiting += bytes;
    gate.pass_there(there.waiting, there.passed);
  }
  void answer(std::string_view bytes) {
    back.waiting += bytes;
    gate.pass_back(back.waiting, back.passed);
  }
};

TEST(RespSize, is_known_with_the_last_byte_and_not_before) {
  for (const auto* whole : {"+OK\r\n", ":-1\r\n", "-ERR no\r\n", "$-1\r\n", "*-1\r\n", "*0\r\n", "$0\r\n\r\n",
                            "$4\r\n\r\n*9\r\n", "*2\r\n*1\r\n:1\r\n$1\r\nx\r\n"}) {
    const std::string_view bytes{whole};
    EXPECT_EQ(resp_size(bytes), bytes.size()) << bytes;
    EXPECT_EQ(resp_size(std::string{bytes} + "+more"), bytes.size()) << bytes;
    for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(resp_size(bytes.substr(0, n))) << bytes << n;
  }
}

TEST_P(CommandGate, counts_which_reply_is_whose) {
  say(get + get.substr(0, 5));
  EXPECT_EQ(there.passed, get);
  say(get.substr(5));
  answer(value);
  EXPECT_EQ(back.passed, value);

  say(set + exists + get);
  ASSERT_TRUE(gate.caught());
  const bool seen = GetParam() != trap::when::before;
  EXPECT_EQ(there.passed, get + get + (seen ? set + exists : ""));
  EXPECT_EQ(gate.closed(), !seen);

  answer(value);
  EXPECT_EQ(gate.closed(), !seen) << "that was the answer to a command before";
  if (!seen) return;
  answer(number);
  EXPECT_FALSE(gate.closed()) << "one of two";
  answer(number);
  EXPECT_TRUE(gate.closed());
  const auto two = std::string{value} + std::string{value};
  EXPECT_EQ(back.passed, GetParam() == trap::when::answered ? two + ":1\r\n:1\r\n" : two);
  say(get);
  EXPECT_EQ(there.passed, get + get + set + exists);
}

INSTANTIATE_TEST_SUITE_P(, CommandGate,
                         ::testing::Values(trap::when::before, trap::when::unanswered, trap::when::answered),
                         [](const auto& chosen) { return name_of(chosen.param); });

}  // namespace
}  // namespace pawl::testing
