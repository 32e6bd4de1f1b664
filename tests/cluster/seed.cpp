#include "tests/cluster/seed.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>

namespace pawl::testing {
namespace {

class replay_command : public ::testing::EmptyTestEventListener {
  void OnTestEnd(const ::testing::TestInfo& test) override {
    if (!test.result()->Failed()) return;
    std::cout << "replay: PAWL_SEED=" << seed() << ' ' << std::filesystem::read_symlink("/proc/self/exe").string()
              << " --gtest_filter=" << test.test_suite_name() << '.' << test.name() << std::endl;
  }
};

[[maybe_unused]] const bool listens = [] {
  ::testing::UnitTest::GetInstance()->listeners().Append(new replay_command);  // gtest owns it
  return true;
}();

}  // namespace

unsigned seed() {
  static const unsigned value = [] {
    const char* given = std::getenv("PAWL_SEED");  // NOLINT(concurrency-mt-unsafe): nobody changes it
    return given == nullptr ? 1U : static_cast<unsigned>(std::strtoul(given, nullptr, 10));
  }();
  return value;
}

}  // namespace pawl::testing
