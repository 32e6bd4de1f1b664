#include "tests/contract/fake_server.hpp"

#include <array>
#include <charconv>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace pawl::testing {
namespace {

/// Cuts one command off the input. False: there is no whole one yet.
bool cut_command(std::string& input, fake_server::command& out) {
  std::size_t at = 0;
  const auto number = [&](char sign, std::size_t& value) {
    const auto end = input.find("\r\n", at);
    if (end == std::string::npos || input[at] != sign) return false;
    std::from_chars(input.data() + at + 1, input.data() + end, value);
    at = end + 2;
    return true;
  };
  std::size_t words = 0;
  if (input.empty() || !number('*', words)) return false;
  out.clear();
  for (std::size_t i = 0; i < words; ++i) {
    std::size_t size = 0;
    if (at >= input.size() || !number('$', size) || input.size() < at + size + 2) return false;
    out.push_back(input.substr(at, size));
    at += size + 2;
  }
  input.erase(0, at);
  return true;
}

}  // namespace

fake_server::fake_server(responder respond)
    : respond_(std::move(respond)),
      listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  options().socket.copy(name.sun_path, sizeof name.sun_path - 1);
  if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name) != 0 ||
      ::listen(listener_.get(), 16) != 0)
    throw std::runtime_error("the fake server cannot listen");
  thread_ = std::thread{[this] { run(); }};
}

fake_server::~fake_server() {
  const std::uint64_t one = 1;
  (void)!::write(stop_.get(), &one, sizeof one);
  thread_.join();
}

redis_options fake_server::options() const {
  redis_options o;
  o.socket = directory_.path() + "/s";
  return o;
}

std::vector<fake_server::command> fake_server::seen() const {
  const std::lock_guard lock{mutex_};
  return seen_;
}

bool fake_server::unasked(const command& c) {
  return c[0] == "PING" || c[0] == "SCRIPT" || c[0] == "AUTH" || c[0] == "XREVRANGE" || c[0] == "XREAD";
}

response fake_server::answer(const command& c) {
  if (!unasked(c)) {
    const std::lock_guard lock{mutex_};
    seen_.push_back(c);
  }
  if (auto given = respond_(c)) return *given;
  if (c[0] == "PING") return {"+PONG\r\n"};
  if (c[0] == "SCRIPT") return {"$40\r\n" + std::string(40, 'a') + "\r\n"};
  if (c[0] == "XREVRANGE") return {"*0\r\n"};
  if (c[0] == "XREAD") return {};
  return {"+OK\r\n"};
}

bool fake_server::serve(int fd, std::string& input) {
  std::array<char, 64 * 1024> buffer;
  const auto n = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (n <= 0) return false;
  input.append(buffer.data(), static_cast<std::size_t>(n));
  for (command c; cut_command(input, c);) {
    const auto r = answer(c);
    if (!r.bytes.empty()) (void)!::send(fd, r.bytes.data(), r.bytes.size(), MSG_NOSIGNAL);
    if (r.close) return false;
  }
  return true;
}

void fake_server::run() {
  for (;;) {
    std::vector<pollfd> fds{{stop_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    for (const auto& [fd, client] : clients_) fds.push_back({fd, POLLIN, 0});
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;
    if (fds[0].revents != 0) return;
    if (fds[1].revents != 0) {
      redis::descriptor fd{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
      ++connections_;
      const int number = fd.get();
      if (fd.open()) clients_.emplace(number, std::make_pair(std::move(fd), std::string{}));
    }
    for (std::size_t i = 2; i < fds.size(); ++i)
      if (fds[i].revents != 0 && !serve(fds[i].fd, clients_.at(fds[i].fd).second)) clients_.erase(fds[i].fd);
  }
}

}  // namespace pawl::testing
