#pragma once

#include <optional>

namespace pawl {

/// What the operating system says of this process; a value it does not give is absent.
struct process_metrics {
  std::optional<double> cpu_seconds;  ///< user and system
  std::optional<double> resident_bytes;
  std::optional<double> open_fds;
  std::optional<double> max_fds;
  std::optional<double> start_time;  ///< seconds since 1970
};

/// Reads procfs. Takes well below a millisecond; thread-safe.
[[nodiscard]] process_metrics read_process_metrics();

}  // namespace pawl
