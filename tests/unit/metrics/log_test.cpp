// Log lines: one event, one line, whatever the values hold; and what happens without a stderr.

#include "metrics/log.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <ctime>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

// NOLINTBEGIN(concurrency-mt-unsafe): where the environment is used, the test has one thread.

namespace pawl::testing {

namespace {

/// What `f` writes to stderr.
template <class F>
std::string captured(F f) {
  ::testing::internal::CaptureStderr();
  f();
  return ::testing::internal::GetCapturedStderr();
}

/// The line without its time.
template <class F>
std::string line_of(F f) {
  const auto text = captured(f);
  return text.substr(text.find(' ') + 1);
}

/// Restores the level that other tests expect.
struct level_restored {
  ~level_restored() { log::set_level("info"); }
};

}  // namespace

TEST(Log, LineHasUtcTimeLevelEventAndFields) {
  auto text = captured([] { log::info("shard claimed", {{"shard", "7"}, {"why", "node n2 left"}}); });
  std::ranges::replace_if(
      text, [](unsigned char c) { return std::isdigit(c) != 0; }, '9');
  EXPECT_EQ(text, "9999-99-99T99:99:99.999Z info shard claimed shard=9 why=\"node n9 left\"\n");
}

TEST(Log, TimeDoesNotDependOnTheTimeZone) {
  ::setenv("TZ", "Asia/Kolkata", 1);
  ::tzset();
  const auto now = std::time(nullptr);
  const auto text = captured([] { log::info("tick"); });
  ::unsetenv("TZ");
  ::tzset();
  std::tm utc{};
  ASSERT_NE(::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &utc), nullptr) << text;
  EXPECT_NEAR(double(::timegm(&utc)), double(now), 5);
}

TEST(Log, ValuesCannotForgeLinesOrReachTheTerminal) {
  const auto value = [](const std::string& v) { return line_of([&] { log::warn("e", {{"k", v}}); }); };
  EXPECT_EQ(value("plain/1:2"), "warn e k=plain/1:2\n");
  EXPECT_EQ(value(""), "warn e k=\"\"\n");
  EXPECT_EQ(value("a b"), "warn e k=\"a b\"\n");
  EXPECT_EQ(value("a=b"), "warn e k=\"a=b\"\n");
  EXPECT_EQ(value("say \"x\" \\"), "warn e k=\"say \\\"x\\\" \\\\\"\n");
  EXPECT_EQ(value("x\n2026-01-01 error forged\r\t"), "warn e k=\"x\\n2026-01-01 error forged\\r\\t\"\n");
  EXPECT_EQ(value("\x1b[2J\x7f"), "warn e k=\"\\x1b[2J\\x7f\"\n");
  EXPECT_EQ(value("\xc2\x9b"), "warn e k=\"\\xc2\\x9b\"\n");
  EXPECT_EQ(value(std::string("a\0b", 3)), "warn e k=\"a\\x00b\"\n");
  EXPECT_EQ(value("{} {0} %s"), "warn e k=\"{} {0} %s\"\n");
}

TEST(Log, VeryLongValuesAreCut) {
  const auto text = line_of([] { log::error("e", {{"k", std::string(1'000'000, 'x')}}); });
  EXPECT_EQ(text, "error e k=\"" + std::string(2'048, 'x') + "\"...\n");
}

TEST(Log, LevelDecidesWhatIsWritten) {
  const level_restored guard;
  const auto count = [](const char* name) {
    EXPECT_TRUE(log::set_level(name));
    const auto text = captured([] {
      log::write(log::level::trace, "t");
      log::debug("d");
      log::info("i");
      log::warn("w");
      log::error("e");
    });
    return std::count(text.begin(), text.end(), '\n');
  };
  EXPECT_EQ(count("trace"), 5);
  EXPECT_EQ(count("debug"), 4);
  EXPECT_EQ(count("info"), 3);
  EXPECT_EQ(count("warn"), 2);
  EXPECT_EQ(count("error"), 1);
}

TEST(Log, UnknownLevelChangesNothing) {
  EXPECT_FALSE(log::set_level("loud"));
  EXPECT_FALSE(log::set_level(""));
  EXPECT_EQ(line_of([] { log::info("e"); }), "info e\n");
}

TEST(Log, LinesOfSeveralThreadsDoNotMix) {
  const auto text = captured([] {
    std::vector<std::jthread> threads;
    threads.reserve(4);
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 200; ++i) log::info("event", {{"value", std::string(100, 'x')}});
      });
    }
  });
  const std::string end = " info event value=" + std::string(100, 'x');
  std::istringstream lines(text);
  int whole = 0;
  for (std::string line; std::getline(lines, line);)
    whole += line.size() == end.size() + 24 && line.ends_with(end) ? 1 : 0;
  EXPECT_EQ(whole, 800);
}

TEST(Log, WithoutStderrDoesNotWriteIntoTheFirstFileThatIsOpened) {
  constexpr const char* inside = "PAWL_LOG_TEST_INSIDE";
  if (std::getenv(inside) != nullptr) {
    // This is the process below: started with descriptors 0 to 2 closed, so without care the file would get number 0.
    std::FILE* file = std::tmpfile();
    if (file == nullptr || ::fileno(file) <= STDERR_FILENO) std::_Exit(3);
    log::error("into nothing");
    std::_Exit(::lseek(::fileno(file), 0, SEEK_END) == 0 ? 0 : 4);
  }
  const std::string self = std::to_string(::getpid());
  const int status = std::system(
      (std::string(inside) + "=1 /proc/" + self + "/exe --gtest_filter=Log.WithoutStderr* <&- >&- 2>&-").c_str());
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Log, ToAClosedStderrIsLostWithoutHarm) {
  const auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(STDERR_FILENO);
    log::error("into nothing");
    std::_Exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace pawl::testing

// NOLINTEND(concurrency-mt-unsafe)
