#pragma once

#include "persistence/redis/socket.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace pawl::redis {

using steady_time = std::chrono::steady_clock::time_point;

/// A socket the loop watches, and a time at which it wants to be called.
class loop_client {
public:
  virtual ~loop_client() = default;
  /// The socket can be read or written, or has failed.
  virtual void ready(bool readable, bool writable) = 0;
  /// After every turn: writes what was queued, acts on deadlines, hands out what was gathered.
  virtual void turn_ended(steady_time now) = 0;
  /// The loop ends: whoever still waits for an answer gets it now.
  virtual void stopped() = 0;
  /// When `turn_ended` must run at the latest.
  [[nodiscard]] virtual steady_time deadline() const = 0;
};

/// One thread that serves several sockets with epoll.
class event_loop {
public:
  event_loop();
  ~event_loop();
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;

  /// Clients are added before `start` and outlive `stop`.
  void add(loop_client& client) { clients_.push_back(&client); }
  void start();
  /// Runs what was posted, tells the clients and joins the thread. Idempotent; not to be called on the loop's thread.
  void stop();

  /// Runs `work` on the loop's thread, in the order posted. Thread-safe, never blocks. False after `stop`.
  bool post(std::function<void()> work);

  // For clients, on the loop's thread.
  void watch(int fd, loop_client& client, bool writable);
  void rewatch(int fd, loop_client& client, bool writable);
  void forget(int fd);

private:
  void run();
  /// False: this was the last time.
  [[nodiscard]] bool run_posted();
  void control(int operation, int fd, loop_client& client, bool writable);
  [[nodiscard]] int wait_ms() const;

  descriptor epoll_, wake_;
  std::vector<loop_client*> clients_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace pawl::redis
