#include "persistence/redis/event_loop.hpp"

#include "cluster/invariant.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace pawl::redis {

using namespace std::chrono_literals;

event_loop::event_loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  PAWL_INVARIANT(epoll_.open() && wake_.open(), "no descriptors left for epoll and eventfd: " + error_text(errno));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  PAWL_INVARIANT(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) == 0, error_text(errno));
}

event_loop::~event_loop() { stop(); }

void event_loop::start() {
  thread_ = std::thread{[this] { run(); }};
}

void event_loop::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
  if (thread_.joinable()) thread_.join();
}

bool event_loop::post(std::function<void()> work) {
  bool was_empty = false;
  {
    const std::lock_guard lock{mutex_};
    if (stopping_) return false;
    was_empty = posted_.empty();
    posted_.push_back(std::move(work));
  }
  // With work in the queue the thread has been woken already and has not looked yet.
  const std::uint64_t one = 1;
  if (was_empty) (void)!::write(wake_.get(), &one, sizeof one);
  return true;
}

bool event_loop::run_posted() {
  std::vector<std::function<void()>> work;
  bool last = false;
  {
    const std::lock_guard lock{mutex_};
    work.swap(posted_);
    last = stopping_;
  }
  for (auto& w : work) w();
  return !last;
}

void event_loop::control(int operation, int fd, loop_client& client, bool writable) {
  epoll_event event{};
  event.events = EPOLLIN | (writable ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  event.data.ptr = &client;
  PAWL_INVARIANT(::epoll_ctl(epoll_.get(), operation, fd, &event) == 0, error_text(errno));
}

void event_loop::watch(int fd, loop_client& client, bool writable) { control(EPOLL_CTL_ADD, fd, client, writable); }
void event_loop::rewatch(int fd, loop_client& client, bool writable) { control(EPOLL_CTL_MOD, fd, client, writable); }
void event_loop::forget(int fd) { (void)::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

int event_loop::wait_ms() const {
  auto next = steady_time::max();
  for (const auto* c : clients_) next = std::min(next, c->deadline());
  if (next == steady_time::max()) return -1;
  // Rounded up: a wait that ends just before the deadline would spin until it.
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp(left, 0ms, std::chrono::milliseconds{60'000}).count());
}

void event_loop::run() {
  std::array<epoll_event, 64> events{};
  for (;;) {
    const int n = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait_ms());
    PAWL_INVARIANT(n >= 0 || errno == EINTR, error_text(errno));
    for (int i = 0; i < n; ++i) {
      const auto& e = events[static_cast<std::size_t>(i)];
      if (auto* client = static_cast<loop_client*>(e.data.ptr)) {
        client->ready((e.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0, (e.events & (EPOLLOUT | EPOLLERR)) != 0);
      } else {
        std::uint64_t count = 0;
        (void)!::read(wake_.get(), &count, sizeof count);
      }
    }
    if (!run_posted()) break;
    // Replies were read above before deadlines are judged: a process that slept does not blame the server.
    const auto now = std::chrono::steady_clock::now();
    for (auto* c : clients_) c->turn_ended(now);
  }
  for (auto* c : clients_) c->stopped();
}

}  // namespace pawl::redis
