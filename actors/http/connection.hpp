#pragma once

#include "actors/http/server.hpp"

#include <utility>

#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

namespace pawl {

/// One client's connection: reads a request, hands it to the handler, writes the answer, reads the next. Keeps its
/// state on the strand of its socket; all members may be called from any thread.
class http_connection {
public:
  virtual ~http_connection() = default;
  virtual void start() = 0;
  /// Answers 503 without reading a request, and closes.
  virtual void refuse() = 0;
  /// Closes now, unless an answer is under way: then after it.
  virtual void finish() = 0;
  virtual void close() = 0;
};

/// Closed before the server's event loop goes away: an answer that comes later must not touch it.
struct http_answer_gate {
  std::mutex mutex;
  bool open = true;
};

/// What all connections of a server share. Outlives them.
struct http_host {
  http_limits limits;
  http_handler handler;
  std::function<void(unsigned status)> answered;
  std::function<void(const http_connection&)> ended;  ///< called once, as the last thing a connection does
  std::shared_ptr<http_answer_gate> gate = std::make_shared<http_answer_gate>();
  std::atomic<std::size_t> bodies{0};  ///< bytes reserved for bodies above `http_limits::small_body_bytes`
  std::atomic<bool> stopping{false};
};

/// `socket` must have a strand as its executor.
[[nodiscard]] std::shared_ptr<http_connection> make_http_connection(boost::asio::ip::tcp::socket socket,
                                                                    http_host& host);

}  // namespace pawl
