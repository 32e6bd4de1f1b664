#include "actors/signals.hpp"

#include "cluster/invariant.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>

namespace pawl {

signals::signals() {
  // A peer that is gone must be an error to read, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  for (int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, s);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal_fd_ = ::signalfd(-1, &set, SFD_CLOEXEC);
  event_fd_ = ::eventfd(0, EFD_CLOEXEC);
  PAWL_INVARIANT(signal_fd_ >= 0 && event_fd_ >= 0, "out of file descriptors at start");
}

signals::~signals() {
  ::close(signal_fd_);
  ::close(event_fd_);
}

signals::what signals::wait() {
  for (;;) {
    std::array<pollfd, 2> fds{{{signal_fd_, POLLIN, 0}, {event_fd_, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;
    if ((fds[0].revents & POLLIN) != 0) {
      signalfd_siginfo info{};
      if (::read(signal_fd_, &info, sizeof info) == sizeof info && info.ssi_signo != SIGHUP) return what::terminate;
    }
    if ((fds[1].revents & POLLIN) != 0) {
      std::uint64_t count = 0;
      if (::read(event_fd_, &count, sizeof count) == sizeof count) return what::notified;
    }
  }
}

void signals::terminate() noexcept { ::kill(::getpid(), SIGTERM); }

void signals::notify() noexcept {
  std::uint64_t one = 1;
  [[maybe_unused]] auto written = ::write(event_fd_, &one, sizeof one);
}

}  // namespace pawl
