#include "actors/caf/dialer.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>

namespace pawl {
namespace {

constexpr int patience_ms = 250;

/// Waits for a connect under way. 0, or the errno it ended with.
int finish_connect(int fd) {
  pollfd p{fd, POLLOUT, 0};
  int ready = ::poll(&p, 1, patience_ms);
  if (ready == 0) return ETIMEDOUT;
  if (ready < 0) return errno;
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

dialled_msg connect_to(const member_id& peer, const std::string& address) {
  dialled_msg out;
  out.peer = peer;
  auto colon = address.rfind(':');
  if (colon == std::string::npos) {
    out.error = "'" + address + "' is not host:port";
    return out;
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  int resolved = ::getaddrinfo(address.substr(0, colon).c_str(), address.substr(colon + 1).c_str(), &hints, &found);
  if (resolved != 0) {
    out.error = address + ": " + ::gai_strerror(resolved);
    return out;
  }
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses{found, &::freeaddrinfo};
  for (auto* a = addresses.get(); a != nullptr; a = a->ai_next) {
    int fd = ::socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
    if (fd < 0) continue;
    int error = ::connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) error = finish_connect(fd);
    if (error == 0) {
      int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      out.socket = fd;
      return out;
    }
    ::close(fd);
    out.refused = error == ECONNREFUSED;
    out.error = address + ": " + std::system_category().message(error);
  }
  return out;
}

}  // namespace

void dial(caf::actor_system& system, const caf::actor& to, const member_id& peer, const std::string& address) {
  system.spawn<caf::detached>(
      [to, peer, address](caf::event_based_actor*) { caf::anon_send(to, connect_to(peer, address)); });
}

}  // namespace pawl
