#include "metrics/metrics.hpp"

#include <utility>

namespace pawl {

node_metrics::node_metrics(std::uint32_t shard_count, std::vector<std::string> entity_type_names)
    : entity_types(std::move(entity_type_names)) {
  shards.reserve(shard_count);
  for (std::uint32_t s = 0; s < shard_count; ++s)
    shards.push_back(std::make_unique<shard_metrics>(entity_types.size()));
}

}  // namespace pawl
