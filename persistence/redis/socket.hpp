#pragma once

#include "persistence/redis/options.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::redis {

/// Owns a file descriptor.
class descriptor {
public:
  descriptor() = default;
  explicit descriptor(int fd) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  descriptor& operator=(descriptor&& other) noexcept;
  ~descriptor() { close(); }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool open() const noexcept { return fd_ >= 0; }
  void close() noexcept;

private:
  int fd_ = -1;
};

/// Where the server is: the path of a socket, or the addresses of a host name, which are tried in turn.
class endpoint {
public:
  explicit endpoint(const redis_options& options);
  /// For people: `redis at /run/redis.sock`, `redis at db1:6379`.
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// Looks the name up; may block for as long as the system's resolver takes. An empty text, or what is wrong. After a
  /// failure the addresses found before are kept.
  [[nodiscard]] std::string resolve();
  [[nodiscard]] std::size_t addresses() const noexcept { return addresses_.size(); }
  /// Begins a non-blocking connect to the next address. Not open on failure; `error` then says why.
  [[nodiscard]] descriptor connect(std::string& error);

private:
  struct address {
    int family = 0;
    std::string bytes;  ///< a `sockaddr` of that family
  };
  std::string path_, host_, port_, text_;
  std::vector<address> addresses_;
  std::size_t next_ = 0;
};

/// Result of a non-blocking read or write.
struct transfer {
  std::size_t bytes = 0;
  bool blocked = false;  ///< try again when the socket is ready
  std::string error;     ///< not empty: the connection is gone
};
/// Does not raise SIGPIPE.
[[nodiscard]] transfer send_some(int fd, std::string_view bytes);
[[nodiscard]] transfer receive_some(int fd, char* buffer, std::size_t size);
/// Outcome of a connect that was under way: an empty text, or what is wrong.
[[nodiscard]] std::string connect_error(int fd);
/// `errno` as text.
[[nodiscard]] std::string error_text(int number);

}  // namespace pawl::redis
