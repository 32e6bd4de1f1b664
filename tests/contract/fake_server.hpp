#pragma once

#include "persistence/redis/options.hpp"
#include "persistence/redis/socket.hpp"
#include "tests/contract/redis_server.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace pawl::testing {

/// What the fake answers to one command.
struct response {
  std::string bytes;   ///< as they go over the wire; empty: silence
  bool close = false;  ///< then the connection is closed
};

/// A server that answers what a test tells it to, on a unix socket. What the store sends of its own accord is answered
/// as by a Redis in which nothing changes, unless the test's function does so itself.
class fake_server {
public:
  using command = std::vector<std::string>;
  /// Called on the fake's thread for each command. Nothing: the default is used.
  using responder = std::function<std::optional<response>(const command&)>;

  explicit fake_server(responder respond);
  ~fake_server();
  fake_server(const fake_server&) = delete;
  fake_server& operator=(const fake_server&) = delete;

  /// Whether the store sends this of its own accord: a greeting, or the wait for changes of the view.
  [[nodiscard]] static bool unasked(const command& c);

  [[nodiscard]] redis_options options() const;
  /// All commands so far but those.
  [[nodiscard]] std::vector<command> seen() const;
  [[nodiscard]] int connections() const noexcept { return connections_; }

private:
  void run();
  [[nodiscard]] bool serve(int fd, std::string& input);
  [[nodiscard]] response answer(const command& c);

  responder respond_;
  temporary_directory directory_;
  redis::descriptor listener_, stop_;
  std::map<int, std::pair<redis::descriptor, std::string>> clients_;
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::vector<command> seen_;
  std::thread thread_;
};

}  // namespace pawl::testing
