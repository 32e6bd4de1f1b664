#include "tests/bench/store_relay.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <poll.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace pawl::bench {
namespace {

/// A direction is read no further while this much of it waits.
constexpr std::size_t waiting_max = 1024 * 1024;

sockaddr_un name_of(const std::string& path) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof name.sun_path) throw std::runtime_error("the path is too long for a socket: " + path);
  std::memcpy(name.sun_path, path.data(), path.size());
  return name;
}

redis::descriptor open_socket() { return redis::descriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)}; }

}  // namespace

store_relay::store_relay(std::string path, std::string target)
    : path_(std::move(path)), target_(std::move(target)), listener_(open_socket()), wake_(::eventfd(0, EFD_CLOEXEC)) {
  const auto name = name_of(path_);
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
      ::listen(listener_.get(), 64) != 0)
    throw std::runtime_error("cannot listen at " + path_ + ": " + redis::error_text(errno));
  thread_ = std::thread{[this] { run(); }};
}

store_relay::~store_relay() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  wake();
  thread_.join();
}

void store_relay::cut() {
  const std::lock_guard lock{mutex_};
  cut_ = true;
}

void store_relay::heal() {
  {
    const std::lock_guard lock{mutex_};
    cut_ = false;
  }
  wake();
}

void store_relay::wake() const {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake_.get(), &one, sizeof one));
}

void store_relay::run() {
  std::vector<pollfd> watched;
  for (;;) {
    watched.assign({{wake_.get(), POLLIN, 0}});
    {
      const std::lock_guard lock{mutex_};
      if (stopping_) return;
      if (!cut_) {
        watched.push_back({listener_.get(), POLLIN, 0});
        const auto watch = [&](int fd, const stream& from, const stream& to) {
          const auto in = !from.ended && from.waiting.size() < waiting_max ? POLLIN : 0;
          const auto out = to.waiting.empty() ? 0 : POLLOUT;
          // Without a wish it is not watched, for an end that nobody reads would wake us for ever.
          if (in != 0 || out != 0) watched.push_back({fd, static_cast<short>(in | out), 0});
        };
        for (const auto& c : connections_) {
          watch(c.node.get(), c.there, c.back);
          watch(c.store.get(), c.back, c.there);
        }
      }
    }
    ::poll(watched.data(), watched.size(), -1);
    if (watched.front().revents != 0) {
      std::uint64_t count = 0;
      static_cast<void>(!::read(wake_.get(), &count, sizeof count));
    }
    const std::lock_guard lock{mutex_};
    if (!cut_) serve();
  }
}

void store_relay::accept() {
  for (;;) {
    pollfd one{listener_.get(), POLLIN, 0};
    if (::poll(&one, 1, 0) != 1) return;
    redis::descriptor node{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (!node.open()) return;
    auto store = open_socket();
    const auto name = name_of(target_);
    // A store that is not there ends the node's connection, too.
    if (::connect(store.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0)
      connections_.push_back({std::move(node), std::move(store), {}, {}, false});
  }
}

/// Passes on whatever there is.
void store_relay::serve() {
  accept();
  std::vector<char> part(64 * 1024);
  const auto pass = [&part](int from, int to, stream& s) {
    if (!s.ended && s.waiting.size() < waiting_max) {
      const auto n = ::recv(from, part.data(), part.size(), MSG_DONTWAIT);
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) s.ended = true;
      if (n > 0) s.waiting.append(part.data(), static_cast<std::size_t>(n));
    }
    const auto n = ::send(to, s.waiting.data(), s.waiting.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) s.waiting.erase(0, static_cast<std::size_t>(n));
    return n >= 0 || errno == EAGAIN || errno == EINTR;
  };
  for (auto& c : connections_) {
    if (!pass(c.node.get(), c.store.get(), c.there) || !pass(c.store.get(), c.node.get(), c.back)) c.broken = true;
    // Whoever hung up is not waiting for what is on its way to it.
    if (c.there.ended && c.there.waiting.empty()) c.broken = true;
    if (c.back.ended && c.back.waiting.empty()) c.broken = true;
  }
  connections_.remove_if([](const connection& c) { return c.broken; });
}

}  // namespace pawl::bench
