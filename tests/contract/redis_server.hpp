#pragma once

#include "persistence/redis/options.hpp"
#include "persistence/redis/reply.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace pawl::testing {

/// A directory under the system's temporary one, removed with all it holds.
class temporary_directory {
public:
  temporary_directory();
  ~temporary_directory();
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

private:
  std::string path_;
};

/// A TCP port of the loopback address that nobody listens on at this moment.
[[nodiscard]] std::uint16_t free_port();

/// A real Redis server of one test's own, on a unix socket and a free port, with data in a temporary directory: append
/// only file, fsync every second, no eviction. Dies with the test, whatever happens.
class redis_server {
public:
  /// @param more settings that override the above, as on the server's command line
  explicit redis_server(std::vector<std::string> more = {});
  ~redis_server();
  redis_server(const redis_server&) = delete;
  redis_server& operator=(const redis_server&) = delete;

  /// Starts it and waits until it answers. The TCP port may be another one than before.
  void start();
  void kill_hard();
  void pause();
  void go_on();

  [[nodiscard]] redis_options options() const;
  [[nodiscard]] redis_options tcp_options() const;

  /// One command on a connection of its own.
  [[nodiscard]] redis::reply ask(std::initializer_list<std::string_view> words) const;
  /// The same for its effect: an error reply is thrown.
  void run(std::initializer_list<std::string_view> words) const;
  /// `HGETALL` as an ordered list.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> hash(std::string_view key) const;
  /// Serialised value of a key: equal bytes, equal content.
  [[nodiscard]] std::string dump(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> keys(std::string_view pattern) const;

private:
  [[nodiscard]] bool try_start();
  [[nodiscard]] bool answers() const;

  temporary_directory directory_;
  std::vector<std::string> more_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace pawl::testing
