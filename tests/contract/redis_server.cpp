#include "tests/contract/redis_server.hpp"

#include "persistence/redis/dialogue.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace pawl::testing {
namespace {

using namespace std::chrono_literals;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

std::string on_path(std::string_view program) {
  const char* path = ::secure_getenv("PATH");
  std::string_view rest = path ? path : "/usr/bin";
  while (!rest.empty()) {
    const auto folder = rest.substr(0, rest.find(':'));
    auto candidate = std::filesystem::path{folder} / program;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
  }
  return {};
}

/// Debian's package of the server is a system service; the program itself is also in redis-tools, under the name of
/// another of its roles, and looks at how it was called.
std::string server_program() {
  for (const auto* name : {"redis-server", "redis-check-rdb"})
    if (auto found = on_path(name); !found.empty()) return found;
  fail("neither redis-server nor redis-check-rdb is on the PATH: install redis-server or redis-tools");
}

}  // namespace

std::uint16_t free_port() {
  const redis::descriptor fd{::socket(AF_INET, SOCK_STREAM, 0)};
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), size) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &size) != 0)
    fail("no free port");
  return ntohs(name.sin_port);
}

temporary_directory::temporary_directory() {
  auto name = (std::filesystem::temp_directory_path() / "pawl-test-XXXXXX").string();
  if (!::mkdtemp(name.data())) fail("cannot create " + name);
  path_ = name;
}

temporary_directory::~temporary_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

redis_server::redis_server(std::vector<std::string> more) : more_(std::move(more)) { start(); }

redis_server::~redis_server() { kill_hard(); }

void redis_server::start() {
  // Between looking for a free port and using it, another program may take it.
  for (int attempt = 0; attempt < 5; ++attempt)
    if (try_start()) return;
  std::ifstream log{directory_.path() + "/log"};
  fail("the server ended at once:\n" + std::string{std::istreambuf_iterator<char>{log}, {}});
}

bool redis_server::answers() const {
  redis::dialogue d{options()};
  std::vector<redis::reply> replies;
  if (!d.open().empty()) return false;
  d.say({"PING"});
  return d.exchange(replies).empty() && redis::classify(replies[0].text) != store_error::loading;
}

bool redis_server::try_start() {
  port_ = free_port();
  const auto& folder = directory_.path();
  std::vector<std::string> words{"redis-server",
                                 "--port",
                                 std::to_string(port_),
                                 "--bind",
                                 "127.0.0.1",
                                 "--unixsocket",
                                 folder + "/s",
                                 "--dir",
                                 folder,
                                 "--save",
                                 "",
                                 "--appendonly",
                                 "yes",
                                 "--appendfsync",
                                 "everysec",
                                 "--maxmemory-policy",
                                 "noeviction",
                                 "--logfile",
                                 folder + "/log",
                                 "--daemonize",
                                 "no"};
  words.insert(words.end(), more_.begin(), more_.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  const auto program = server_program();
  const auto parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) fail("cannot fork");
  if (pid_ == 0) {
    // A test that crashes leaves no server behind.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int nowhere = ::open("/dev/null", O_RDWR);
    ::dup2(nowhere, 1);
    if (::getppid() == parent) ::execv(program.c_str(), argv.data());
    ::_exit(127);
  }
  const auto give_up = std::chrono::steady_clock::now() + 20s;
  while (std::chrono::steady_clock::now() < give_up) {
    if (int status = 0; ::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return false;
    }
    if (answers()) return true;
    std::this_thread::sleep_for(5ms);  // a process that starts gives no sign to wait for
  }
  fail("the server does not answer");
}

void redis_server::kill_hard() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void redis_server::pause() {
  ::kill(pid_, SIGSTOP);
  int status = 0;
  ::waitpid(pid_, &status, WUNTRACED);  // returns once it has stopped
}

void redis_server::go_on() { ::kill(pid_, SIGCONT); }

redis_options redis_server::options() const {
  redis_options o;
  o.socket = directory_.path() + "/s";
  return o;
}

redis_options redis_server::tcp_options() const {
  redis_options o;
  o.port = port_;
  return o;
}

redis::reply redis_server::ask(std::initializer_list<std::string_view> words) const {
  redis::dialogue d{options()};
  if (auto error = d.open(); !error.empty()) fail(error);
  d.say(words);
  std::vector<redis::reply> replies;
  if (auto error = d.exchange(replies); !error.empty()) fail(error);
  return std::move(replies[0]);
}

void redis_server::run(std::initializer_list<std::string_view> words) const {
  if (const auto r = ask(words); r.is(redis::reply::kind::error)) fail(r.text);
}

std::vector<std::pair<std::string, std::string>> redis_server::hash(std::string_view key) const {
  const auto r = ask({"HGETALL", key});
  std::vector<std::pair<std::string, std::string>> all;
  for (std::size_t i = 0; i + 1 < r.elements.size(); i += 2)
    all.emplace_back(r.elements[i].text, r.elements[i + 1].text);
  std::sort(all.begin(), all.end());
  return all;
}

std::string redis_server::dump(std::string_view key) const { return ask({"DUMP", key}).text; }

std::vector<std::string> redis_server::keys(std::string_view pattern) const {
  std::vector<std::string> names;
  for (auto& e : ask({"KEYS", pattern}).elements) names.push_back(e.text);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace pawl::testing
