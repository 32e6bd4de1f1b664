#pragma once

#include "actors/http/server.hpp"
#include "raw_client.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace pawl {

using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

inline http_response text(std::string body) {
  http_response r;
  r.body = std::move(body);
  return r;
}

/// Answers at once: the path, and the body if there is one.
inline void echo(http_request q, http_respond respond) {
  respond(text(q.method + " " + q.path + "|" + q.query + "|" + q.body));
}

inline http_server_options short_patience() {
  http_server_options o;
  o.limits.timeout = milliseconds(150);
  return o;
}

/// Awaits a condition that another thread brings about.
inline bool eventually(const std::function<bool()>& condition) {
  const auto deadline = clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

struct running_server {
  explicit running_server(http_handler handler = echo, http_server_options options = {})
      : server(std::move(options), std::move(handler)) {
    const auto error = server.start();
    if (!error.empty()) throw std::runtime_error(error);
  }
  [[nodiscard]] raw_client connect() const { return raw_client(server.port()); }
  http_server server;
};

/// A handler that keeps its requests until the test answers them.
class holding_handler {
public:
  void operator()(http_request q, http_respond respond) {
    std::lock_guard lock(mutex_);
    paths_.push_back(q.path);
    waiting_.push_back(std::move(respond));
    arrived_.notify_all();
  }
  /// Waits for a request and takes its answer function.
  http_respond next() {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, std::chrono::seconds(20), [this] { return !waiting_.empty(); }))
      throw std::runtime_error("no request arrived");
    auto out = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    return out;
  }
  [[nodiscard]] std::size_t waiting() {
    std::lock_guard lock(mutex_);
    return waiting_.size();
  }
  [[nodiscard]] std::vector<std::string> paths() {
    std::lock_guard lock(mutex_);
    return paths_;
  }

private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<http_respond> waiting_;
  std::vector<std::string> paths_;
};

inline http_handler handler_of(const std::shared_ptr<holding_handler>& held) {
  return [held](http_request q, http_respond r) { (*held)(std::move(q), std::move(r)); };
}

}  // namespace pawl
