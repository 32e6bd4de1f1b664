#pragma once

#include "metrics/metrics.hpp"

#include <string>

namespace pawl {

/// Renders all instruments in the Prometheus text format 0.0.4. Thread-safe.
[[nodiscard]] std::string render_prometheus(const node_metrics& metrics, const std::string& version);

}  // namespace pawl
