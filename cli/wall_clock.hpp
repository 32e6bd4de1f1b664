#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace pawl::cli {

/// Milliseconds since 1970, as `sent_at` and `time_ms` have them.
[[nodiscard]] inline std::int64_t wall_clock_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

inline constexpr std::int64_t wall_clock_max_ms = 253'402'300'799'999;  ///< the end of the year 9999

/// RFC 3339 in UTC, as the logs of the nodes have it. @pre from 0 to `wall_clock_max_ms`
[[nodiscard]] std::string utc_text(std::int64_t ms);

}  // namespace pawl::cli
