#include "cli/port_probe.hpp"

#include "persistence/redis/socket.hpp"

#include <netdb.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>

namespace pawl::cli {

port_state probe_port(const std::string& host, std::uint16_t port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* first = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &first); error != 0)
    return {port_state::kind::impossible, ::gai_strerror(error)};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses{first, &::freeaddrinfo};
  const redis::descriptor socket{::socket(first->ai_family, first->ai_socktype | SOCK_CLOEXEC, 0)};
  const int on = 1;
  // As the node does: connections of a former run that are still closing do not count.
  if (socket.open()) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (socket.open() && ::bind(socket.get(), first->ai_addr, first->ai_addrlen) == 0 && ::listen(socket.get(), 1) == 0)
    return {port_state::kind::free, {}};
  if (errno == EADDRINUSE) return {port_state::kind::taken, {}};
  return {port_state::kind::impossible, redis::error_text(errno)};
}

std::uint64_t open_files_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<std::uint64_t>(limit.rlim_cur) : 0;
}

}  // namespace pawl::cli
