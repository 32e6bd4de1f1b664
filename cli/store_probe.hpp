#pragma once

#include "cli/health_check.hpp"
#include "persistence/redis/options.hpp"

#include <string>

namespace pawl::cli {

/// Looks at a Redis server and at the dataset of a cluster on it. Reads only. Blocks for at most a few of the options'
/// timeouts.
[[nodiscard]] store_facts probe_store(const redis_options& options, const std::string& cluster);

}  // namespace pawl::cli
