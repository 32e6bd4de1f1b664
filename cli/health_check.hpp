#pragma once

#include "cli/cluster_picture.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::cli {

enum class grade : std::uint8_t { ok, warn, fail };
[[nodiscard]] std::string_view to_string(grade g) noexcept;

/// One line of `pawl doctor`.
struct finding {
  grade level = grade::ok;
  std::string subject;  ///< `redis`, `ports`, …
  std::string text;     ///< what was seen
  std::string remedy;   ///< what to do; empty if nothing
};
using findings = std::vector<finding>;

/// What was seen of a Redis server. Empty texts are what it did not tell.
struct store_facts {
  std::string error;  ///< why nothing was seen
  std::string version;
  std::string mode;
  std::string role;
  std::string maxmemory_policy;
  std::string aof_enabled;  ///< "1" or "0"
  std::string aof_last_write;
  std::string appendfsync;  ///< needs the right to CONFIG GET
  std::string dataset;      ///< its id, as nodes write it
  std::uint32_t shards = 0;
  std::string dataset_error;
  std::int64_t answered_in_ms = 0;
};

// Each looks at one thing and has a line for all that it saw, also when all is well. Pure.
[[nodiscard]] findings check_store(const store_facts& f, bool volatile_allowed);
/// The nodes see one view, and each shard is held once. @param dataset of the store that was looked at; may be empty
[[nodiscard]] findings check_agreement(const cluster_picture& p, const std::string& dataset);
[[nodiscard]] findings check_clocks(const cluster_picture& p);
/// Open files of each node against its limit.
[[nodiscard]] findings check_limits(const cluster_picture& p);

}  // namespace pawl::cli
