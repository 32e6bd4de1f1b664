#pragma once

#include <string>

namespace pawl {

/// Lets one thread wait for SIGTERM, SIGINT, or a word from another thread. Construct it before any other thread is
/// started, so that all of them leave the signals to this one.
class signals {
public:
  signals();
  ~signals();
  signals(const signals&) = delete;
  signals& operator=(const signals&) = delete;

  enum class what { terminate, notified };
  /// Blocks. SIGHUP is taken note of and does nothing.
  [[nodiscard]] what wait();
  /// As if the process had got SIGTERM. From any thread, any number of times.
  static void terminate() noexcept;
  /// Wakes `wait` with `notified`. From any thread, any number of times.
  void notify() noexcept;

private:
  int signal_fd_ = -1;
  int event_fd_ = -1;
};

}  // namespace pawl
