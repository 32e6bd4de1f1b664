#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace pawl {

/// How to reach a Redis server.
struct redis_options {
  std::string socket;  ///< path of a unix socket; wins over host and port
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string user;      ///< ACL user; empty: the default user
  std::string password;  ///< empty: no AUTH is sent. Never printed
  /// No connection, or no reply to a command, for this long breaks the connection.
  std::chrono::milliseconds timeout{2'000};
  std::uint32_t connections = 1;  ///< for shards; membership has one more of its own
};

}  // namespace pawl
