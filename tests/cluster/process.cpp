#include "tests/cluster/process.hpp"

#include "tests/cluster/until.hpp"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pawl::testing {
namespace {

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  for (auto& w : words) out.push_back(w.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

std::string read_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

process::process(const std::string& program, std::vector<std::string> arguments, std::string log_file,
                 const std::vector<std::string>& environment)
    : log_file_(std::move(log_file)) {
  arguments.insert(arguments.begin(), program);
  std::vector<std::string> variables = environment;
  for (auto** v = environ; *v != nullptr; ++v) variables.emplace_back(*v);
  // Other threads may hold locks at the fork: between it and the exec, only system calls.
  const auto argv = pointers(arguments);
  const auto envp = pointers(variables);
  const auto parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int in = ::open("/dev/null", O_RDONLY);
    const int out = ::open(log_file_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(out, 2);
    // A connection of the test that lived on in here would not end where the test ends it.
    ::close_range(3, ~0U, 0);
    if (::getppid() == parent) ::execve(program.c_str(), argv.data(), envp.data());
    ::_exit(127);
  }
  running_ = true;
}

process::~process() { kill_hard(); }

void process::signal(int number) const {
  if (running_) ::kill(pid_, number);
}

void process::kill_hard() {
  if (!running_) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
  ended(status);
}

void process::pause() {
  signal(SIGSTOP);
  int status = 0;
  if (running_ && ::waitpid(pid_, &status, WUNTRACED) == pid_ && !WIFSTOPPED(status)) ended(status);
}

void process::go_on() const { signal(SIGCONT); }

bool process::running() {
  if (int status = 0; running_ && ::waitpid(pid_, &status, WNOHANG) == pid_) ended(status);
  return running_;
}

int process::exit_status() {
  until("the end of process " + std::to_string(pid_), [this] { return !running(); });
  return exit_status_;
}

std::string process::log() const { return read_file(log_file_); }

std::string process::command_line() const { return read_file("/proc/" + std::to_string(pid_) + "/cmdline"); }

void process::ended(int wait_status) noexcept {
  running_ = false;
  exit_status_ = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

}  // namespace pawl::testing
