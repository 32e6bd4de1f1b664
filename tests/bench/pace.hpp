#pragma once

#include <ctime>
#include <sys/prctl.h>

#include <chrono>
#include <cstdint>

namespace pawl::bench {

using bench_clock = std::chrono::steady_clock;

/// When messages are due in an open loop: at fixed times, whatever becomes of earlier ones. The thread sleeps between
/// them and never spins, since on a small machine a spinning generator takes a core from what it measures; what it
/// oversleeps counts as latency, on all sides alike.
class pace {
public:
  pace(double per_second, bench_clock::time_point begin) : interval_(1 / per_second), begin_(begin) {
    // Else the kernel may add 50 us to every sleep.
    ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  }

  [[nodiscard]] bench_clock::time_point due(std::uint64_t message) const {
    return begin_ + std::chrono::duration_cast<bench_clock::duration>(interval_ * static_cast<double>(message));
  }
  /// Sleeps until the message is due. Returns how many are due by then, from the first of all on.
  std::uint64_t wait(std::uint64_t message) const {
    const auto until = due(message);
    if (bench_clock::now() < until) {
      const auto ns = std::chrono::nanoseconds{until.time_since_epoch()}.count();
      const timespec at{ns / 1'000'000'000, ns % 1'000'000'000};
      ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
    }
    const std::chrono::duration<double> passed = bench_clock::now() - begin_;
    return static_cast<std::uint64_t>(passed / interval_) + 1;
  }

private:
  std::chrono::duration<double> interval_;
  bench_clock::time_point begin_;
};

}  // namespace pawl::bench
