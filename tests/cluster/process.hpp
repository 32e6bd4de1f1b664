#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

namespace pawl::testing {

/// A program as a child of the test, with both its outputs in one file. It dies with the thread that started it, so the
/// test's main thread does that.
class process {
public:
  /// @param environment further variables, each NAME=value
  /// @throws std::runtime_error if it cannot be started
  process(const std::string& program, std::vector<std::string> arguments, std::string log_file,
          const std::vector<std::string>& environment = {});
  /// Kills it if it still runs.
  ~process();
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  void signal(int number) const;
  /// SIGKILL; returns when the process is gone.
  void kill_hard();
  /// SIGSTOP; returns when the process has stopped.
  void pause();
  void go_on() const;

  [[nodiscard]] bool running();
  /// Waits for the end. A death by signal N is 128 + N, as in a shell.
  [[nodiscard]] int exit_status();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  /// Everything written so far.
  [[nodiscard]] std::string log() const;
  /// The command line as any user of the machine sees it.
  [[nodiscard]] std::string command_line() const;

private:
  void ended(int wait_status) noexcept;

  std::string log_file_;
  pid_t pid_ = -1;
  bool running_ = false;
  int exit_status_ = 0;
};

/// The content of a file; empty if it cannot be read.
[[nodiscard]] std::string read_file(const std::string& path);

}  // namespace pawl::testing
