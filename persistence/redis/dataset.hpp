#pragma once

#include "persistence/frontier.hpp"
#include "persistence/redis/options.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace pawl {

/// How a processed message id is hashed; a dataset keeps its digest for ever.
inline constexpr std::string_view dataset_digest = "siphash-2-4-128 xxh3-64";
/// Layout of everything stored, see persistence/SCHEMA.md.
inline constexpr std::uint64_t dataset_format = 1;

/// What a node must know of the dataset before it may join.
struct dataset_info {
  dataset_id id{};
  std::array<std::uint8_t, 16> secret{};  ///< key of the digest. Never printed
  std::uint32_t shards = 0;
  std::string run_id;   ///< of the server process
  std::string version;  ///< of the server
};

/// The id as people and `/v1/cluster` write it: hexadecimal.
[[nodiscard]] std::string dataset_text(const dataset_id& id);

/// The dataset, or a sentence for the operator: what is wrong, and what to do.
struct dataset_result {
  dataset_info info;
  std::string error;  ///< empty: `info` holds
  [[nodiscard]] bool ok() const noexcept { return error.empty(); }
};

/// Creates a dataset: its identity and secret, an empty member table and `shards` empty shards. Refuses one that
/// exists. If an earlier call died half way, a call with the same number of shards finishes its work. Blocks.
[[nodiscard]] dataset_result init_dataset(const redis_options& options, const std::string& cluster,
                                          std::uint32_t shards);

enum class volatile_store : std::uint8_t { refuse, allow };

/// Whether a node may work on this store: reachable, Redis 7.0 or later, not a replica, no cluster mode, never evicts,
/// keeps an append-only file (unless `volatile_store::allow`), and holds a complete dataset this version knows. Blocks.
[[nodiscard]] dataset_result check_dataset(const redis_options& options, const std::string& cluster,
                                           volatile_store without_aof = volatile_store::refuse);

}  // namespace pawl
