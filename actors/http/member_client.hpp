#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace pawl {

/// What another member said.
struct member_reply {
  unsigned status = 0;  ///< 0: nothing usable came, see `problem`
  std::string body;
  std::string problem;  ///< such as "connection refused"
};

/// Beyond these a request ends with `problem`.
struct member_client_limits {
  std::chrono::milliseconds timeout{2'000};  ///< from the name's look-up to the last byte
  std::size_t body_bytes = 4 * 1024 * 1024;  ///< the longest honest answer is /v1/shards: 2.6 MB with 16,384 shards
  std::size_t requests = 32;                 ///< under way at once
};

/// Asks other members over HTTP, one connection a request, on a thread of its own. Follows no redirect. Thread-safe.
class member_client {
public:
  explicit member_client(member_client_limits limits = {});
  /// Ends what is under way as unanswered. Blocks until the thread is joined.
  ~member_client();
  member_client(const member_client&) = delete;
  member_client& operator=(const member_client&) = delete;

  /// Sends `GET path`. `done` is called once, on this object's thread or at once; it must not block.
  /// @param host an IP address, or a name that is looked up
  void get(std::string host, std::uint16_t port, std::string path, std::function<void(member_reply)> done);

private:
  class engine;
  std::unique_ptr<engine> engine_;
};

}  // namespace pawl
