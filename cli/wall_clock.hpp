#pragma once

#include <chrono>
#include <cstdint>

namespace pawl::cli {

/// Milliseconds since 1970, as `sent_at` and `time_ms` have them.
[[nodiscard]] inline std::int64_t wall_clock_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace pawl::cli
