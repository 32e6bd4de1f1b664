#pragma once

#include "cluster/ids.hpp"

#include <chrono>

namespace pawl {

using steady_time = std::chrono::steady_clock::time_point;

/// The time a decision is taken at, given to it from outside. Waiting is judged by `steady`; `wall` is only ever
/// compared with what senders wrote.
struct instant {
  steady_time steady;
  unix_ms wall = 0;
};

/// As instruments want it.
[[nodiscard]] inline double in_seconds(steady_time::duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace pawl
