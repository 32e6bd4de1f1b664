#pragma once

#include "actors/http/exchange.hpp"
#include "actors/node_options.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace pawl {

/// What a client may cost the server. Beyond it the client gets the status named, and the connection is closed.
struct http_limits {
  std::size_t header_bytes = 16 * 1024;        ///< 431
  std::size_t body_bytes = 8 * 1024 * 1024;    ///< 413
  std::size_t connections = 1'024;             ///< 503
  std::size_t bodies_bytes = 32 * body_bytes;  ///< 503: bodies above `small_body_bytes`, of all connections
  static constexpr std::size_t small_body_bytes = 64 * 1024;
  std::chrono::milliseconds timeout{30'000};  ///< idle, a whole header, a whole body, a whole answer: closed
};

struct http_server_options {
  std::string address = "127.0.0.1";  ///< IP address or host name of this machine
  std::uint16_t port = 0;             ///< 0: any free port
  std::size_t threads = 1;
  http_limits limits;

  http_server_options() = default;
  explicit http_server_options(const node_options& o);
};

/// HTTP/1.0 and 1.1 server. One connection has one request with the handler at a time, so pipelined requests are
/// answered in order. What is not HTTP gets 400, an over-long header 431.
///
/// Owns its threads: nothing here runs on, or waits for, a thread of the runtime. Exceptions of the handler become 500.
class http_server {
public:
  /// `answered`, if given, is called with the status of every answer, on the server's threads.
  http_server(http_server_options options, http_handler handler, std::function<void(unsigned)> answered = {});
  /// Stops without waiting for answers under way.
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  /// Binds and starts the threads. Returns an empty text, or why it could not (address, port, errno).
  /// To be called once.
  [[nodiscard]] std::string start();
  /// The port bound by `start`.
  [[nodiscard]] std::uint16_t port() const noexcept;
  /// Connections open now.
  [[nodiscard]] std::size_t connections() const;

  /// Stops accepting and closes connections without a request under way; answers under way are sent, for at most
  /// `grace`, then their connections are closed too. Blocks until all threads are joined. The handler is not called
  /// after it returns. Idempotent; not to be called from the handler.
  void stop(std::chrono::milliseconds grace);

private:
  class engine;
  std::unique_ptr<engine> engine_;
};

}  // namespace pawl
