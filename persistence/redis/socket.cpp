#include "persistence/redis/socket.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace pawl::redis {

descriptor& descriptor::operator=(descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

void descriptor::close() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

std::string error_text(int number) { return std::generic_category().message(number); }

endpoint::endpoint(const redis_options& options)
    : path_(options.socket),
      host_(options.host),
      port_(std::to_string(options.port)),
      text_("redis at " + (path_.empty() ? host_ + ":" + port_ : path_)) {}

std::string endpoint::resolve() {
  if (!path_.empty()) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (path_.size() >= sizeof name.sun_path)
      return "the path of the socket is longer than " + std::to_string(sizeof name.sun_path - 1) + " bytes: " + path_;
    std::memcpy(name.sun_path, path_.data(), path_.size());
    addresses_ = {{AF_UNIX, std::string{reinterpret_cast<const char*>(&name), sizeof name}}};
    return {};
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (int error = ::getaddrinfo(host_.c_str(), port_.c_str(), &hints, &found); error != 0)
    return "cannot look up \"" + host_ + "\": " + ::gai_strerror(error);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{found, &::freeaddrinfo};
  addresses_.clear();
  for (const auto* a = found; a; a = a->ai_next)
    addresses_.push_back({a->ai_family, std::string{reinterpret_cast<const char*>(a->ai_addr), a->ai_addrlen}});
  return {};
}

descriptor endpoint::connect(std::string& error) {
  if (addresses_.empty()) {
    error = "no address";
    return {};
  }
  const auto& to = addresses_[next_++ % addresses_.size()];
  descriptor fd{::socket(to.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd.open()) {
    error = "cannot open a socket: " + error_text(errno);
    return {};
  }
  if (to.family != AF_UNIX) {
    // Commits are small and each is waited for: Nagle's algorithm would hold the last one back.
    const int on = 1;
    (void)::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  const auto* name = reinterpret_cast<const sockaddr*>(to.bytes.data());
  if (::connect(fd.get(), name, static_cast<socklen_t>(to.bytes.size())) != 0 && errno != EINPROGRESS) {
    error = error_text(errno);
    return {};
  }
  return fd;
}

std::string connect_error(int fd) {
  int number = 0;
  socklen_t size = sizeof number;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0) number = errno;
  return number == 0 ? std::string{} : error_text(number);
}

transfer send_some(int fd, std::string_view bytes) {
  transfer t;
  const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (n >= 0) t.bytes = static_cast<std::size_t>(n);
  else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) t.blocked = true;
  else t.error = error_text(errno);
  return t;
}

transfer receive_some(int fd, char* buffer, std::size_t size) {
  transfer t;
  const auto n = ::recv(fd, buffer, size, 0);
  if (n > 0) t.bytes = static_cast<std::size_t>(n);
  else if (n == 0) t.error = "the server closed the connection";
  else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) t.blocked = true;
  else t.error = error_text(errno);
  return t;
}

}  // namespace pawl::redis
