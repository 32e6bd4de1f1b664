#include "tests/bench/door_connections.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <utility>

namespace pawl::bench {
namespace {

constexpr std::string_view blank_line = "\r\n\r\n";

struct head {
  int status = 0;
  std::size_t body_bytes = 0;
  bool closes = false;
};

/// Of an answer as our own doors write it.
std::optional<head> head_of(std::string_view text) {
  static constexpr std::string_view version = "HTTP/1.1 ";
  static constexpr std::string_view length = "\r\nContent-Length: ";
  const auto at = text.find(length);
  if (!text.starts_with(version) || at == text.npos) return std::nullopt;
  head out;
  out.status = std::atoi(text.data() + version.size());
  out.body_bytes = std::strtoul(text.data() + at + length.size(), nullptr, 10);
  out.closes = text.find("\r\nConnection: close") != text.npos;
  return out;
}

}  // namespace

struct door_connections::connection {
  int fd = -1;
  std::uint16_t port = 0;
  bool connected = false;
  bool busy = false;
  bool watches_output = false;
  std::uint64_t ticket = 0;
  std::string out;
  std::size_t written = 0;
  std::string in;
};

door_connections::door_connections(on_answer done)
    : done_(std::move(done)), epoll_(::epoll_create1(EPOLL_CLOEXEC)), waker_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (epoll_ < 0 || waker_ < 0) throw std::runtime_error("no descriptor for epoll");
  epoll_event e{EPOLLIN, {nullptr}};
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, waker_, &e);
}

door_connections::~door_connections() {
  for (auto& c : all_)
    if (c->fd >= 0) ::close(c->fd);
  ::close(waker_);
  ::close(epoll_);
}

void door_connections::post_batch(std::uint16_t port, std::string_view lines, std::uint64_t ticket) {
  auto& c = take(port, ticket);
  c.out.assign("POST /v1/messages HTTP/1.1\r\nHost: door\r\nContent-Type: application/x-ndjson\r\nContent-Length: ");
  c.out.append(std::to_string(lines.size())).append(blank_line).append(lines);
  begin(c);
}

void door_connections::get(std::uint16_t port, std::string_view path, std::uint64_t ticket) {
  auto& c = take(port, ticket);
  c.out.assign("GET ").append(path).append(" HTTP/1.1\r\nHost: door").append(blank_line);
  begin(c);
}

void door_connections::abandon(std::uint64_t ticket) {
  const auto found = busy_.find(ticket);
  if (found == busy_.end()) return;
  close(*found->second);
}

/// The connection used last comes first: of a burst, most fall idle again and stay so.
door_connections::connection& door_connections::take(std::uint16_t port, std::uint64_t ticket) {
  connection* c = nullptr;
  if (auto& waiting = idle_[port]; !waiting.empty()) {
    c = waiting.back();
    waiting.pop_back();
  } else if (!closed_.empty()) {
    c = closed_.back();
    closed_.pop_back();
  } else {
    c = all_.emplace_back(std::make_unique<connection>()).get();
  }
  c->port = port;
  c->busy = true;
  c->ticket = ticket;
  c->written = 0;
  c->in.clear();
  busy_[ticket] = c;
  return *c;
}

void door_connections::begin(connection& c) {
  if (c.fd < 0) {
    c.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c.fd < 0) throw std::runtime_error("no descriptor for a connection");
    const int one = 1;
    ::setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(c.port);
    c.connected = ::connect(c.fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    if (!c.connected && errno != EINPROGRESS) return close(c);
    c.watches_output = !c.connected;
    epoll_event e{EPOLLIN | (c.connected ? 0U : EPOLLOUT), {&c}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd, &e);
  }
  if (c.connected && !write(c)) close(c);
}

/// False if the connection is broken.
bool door_connections::write(connection& c) {
  while (c.written < c.out.size()) {
    const auto n = ::send(c.fd, c.out.data() + c.written, c.out.size() - c.written, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) return false;
    if (n < 0) break;
    c.written += static_cast<std::size_t>(n);
  }
  const bool more = c.written < c.out.size();
  if (more != c.watches_output) {
    epoll_event e{EPOLLIN | (more ? EPOLLOUT : 0U), {&c}};
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, c.fd, &e);
    c.watches_output = more;
  }
  return true;
}

/// False if the connection is of no more use. A whole answer has been handed out by then.
bool door_connections::read(connection& c) {
  for (;;) {
    const auto n = ::recv(c.fd, part_.data(), part_.size(), 0);
    if (n < 0 && errno == EAGAIN) return true;
    if (n <= 0 || !c.busy) return false;
    c.in.append(part_.data(), static_cast<std::size_t>(n));
    const auto end = c.in.find(blank_line);
    if (end == c.in.npos) continue;
    const auto h = head_of({c.in.data(), end});
    if (!h) return false;
    const auto body = end + blank_line.size();
    if (c.in.size() < body + h->body_bytes) continue;
    finish(c, h->status, std::string_view{c.in}.substr(body, h->body_bytes));
    return !h->closes;
  }
}

void door_connections::proceed(connection& c, std::uint32_t events) {
  if (c.fd < 0) return;  // closed by an earlier event of the same poll
  if (!c.connected && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(c.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return close(c);
    c.connected = true;
  }
  if ((events & EPOLLOUT) != 0 && !write(c)) return close(c);
  if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) == 0) return;
  const bool was_busy = c.busy;
  if (!read(c)) return close(c);
  if (was_busy && !c.busy) idle_[c.port].push_back(&c);
}

void door_connections::finish(connection& c, int status, std::string_view body) {
  c.busy = false;
  busy_.erase(c.ticket);
  done_({c.ticket, status, body});
}

/// The answer to what was under way is left to the next `poll`: who sends is not called back from within sending.
void door_connections::close(connection& c) {
  if (c.fd >= 0) ::close(c.fd);
  c.fd = -1;
  c.connected = false;
  if (std::exchange(c.busy, false)) {
    busy_.erase(c.ticket);
    failed_.push_back(c.ticket);
  }
  std::erase(idle_[c.port], &c);
  closed_.push_back(&c);
}

void door_connections::poll(std::chrono::nanoseconds at_most) {
  if (!failed_.empty()) at_most = {};
  std::array<epoll_event, 256> events{};
  const timespec wait{at_most.count() / 1'000'000'000, at_most.count() % 1'000'000'000};
  const int n = ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &wait, nullptr);
  for (int i = 0; i < n; ++i) {
    const auto& e = events.at(static_cast<std::size_t>(i));
    if (e.data.ptr != nullptr) {
      proceed(*static_cast<connection*>(e.data.ptr), e.events);
    } else {
      std::uint64_t ignored = 0;
      while (::read(waker_, &ignored, sizeof ignored) > 0) {
      }
    }
  }
  std::vector<std::uint64_t> failed;
  failed.swap(failed_);
  for (const auto ticket : failed) done_({ticket, 0, {}});
}

void door_connections::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(waker_, &one, sizeof one);
}

std::string get_once(std::uint16_t port, std::string_view path) {
  std::string body;
  bool answered = false;
  door_connections one{[&](const door_connections::answer& a) {
    answered = true;
    if (a.status == 200) body = a.body;
  }};
  one.get(port, path, 1);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{2};
  while (!answered && std::chrono::steady_clock::now() < give_up) one.poll(std::chrono::milliseconds{100});
  return body;
}

}  // namespace pawl::bench
