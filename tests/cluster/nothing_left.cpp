#include "tests/contract/redis_server.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <sys/wait.h>

namespace pawl::testing {
namespace {

/// Around all tests of the program: their temporary directories go into one, and at the end neither a directory nor a
/// process is left.
class nothing_left : public ::testing::Environment {
public:
  void SetUp() override {
    usual_ = std::filesystem::temp_directory_path();
    own_ = std::make_unique<temporary_directory>();
    use(own_->path());
  }
  void TearDown() override {
    EXPECT_TRUE(std::filesystem::is_empty(own_->path())) << "a temporary directory is left";
    EXPECT_TRUE(::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD) << "a child process is left";
    own_.reset();
    use(usual_);
  }

private:
  static void use(const std::string& directory) {
    ::setenv("TMPDIR", directory.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): there is no other thread yet
  }

  std::string usual_;
  std::unique_ptr<temporary_directory> own_;
};

[[maybe_unused]] const auto* const registered = ::testing::AddGlobalTestEnvironment(new nothing_left);  // gtest owns it

}  // namespace
}  // namespace pawl::testing
