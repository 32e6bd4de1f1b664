#include "tests/cluster/test_cluster.hpp"
#include "tests/cluster/until.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <filesystem>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pawl::testing {
namespace {

TEST(Cleanup, a_test_program_that_is_killed_leaves_no_process_behind) {
  // What a killed program leaves behind becomes a child of ours, and so can be waited for.
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  std::array<int, 2> ready{};
  ASSERT_EQ(::pipe(ready.data()), 0);
  const auto program = ::fork();
  if (program == 0) {
    try {
      test_cluster cluster;
      cluster.start({"n1"});
      static_cast<void>(::write(ready[1], "+", 1));
      ::pause();
    } catch (const std::exception&) {
      static_cast<void>(::write(ready[1], "-", 1));
    }
    ::_exit(1);
  }
  char started = 0;
  EXPECT_EQ(::read(ready[0], &started, 1), 1);
  EXPECT_EQ(started, '+');

  ::kill(program, SIGKILL);

  int ended = 0;
  until("all its children have ended too", [&] {
    int status = 0;
    pid_t child = 0;
    while ((child = ::waitpid(-1, &status, WNOHANG)) > 0) ++ended;
    return child == -1 && errno == ECHILD;
  });
  EXPECT_EQ(ended, 3) << "the program, a node and Redis";
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  for (const int end : ready) ::close(end);
  // Files cannot be removed by one who was killed.
  for (const auto& left : std::filesystem::directory_iterator{std::filesystem::temp_directory_path()})
    std::filesystem::remove_all(left);
}

}  // namespace
}  // namespace pawl::testing
