#pragma once

#include "cli/command.hpp"
#include "cli/json_reader.hpp"
#include "cli/session.hpp"
#include "cli/table.hpp"
#include "cli/verdict.hpp"

#include <string>

namespace pawl::cli {

[[nodiscard]] exit_status status_of(health h) noexcept;
[[nodiscard]] tone tone_of(health h) noexcept;

/// The first lines of every answer about the cluster: `orders  DEGRADED  …`, then the reasons, then the notes.
/// @param all_well what to say of a healthy one
[[nodiscard]] std::string verdict_text(const session& s, const verdict& v, const std::string& subject,
                                       const std::string& all_well);
/// `{"verdict":…,"reasons":[…],"notes":[…]}`
[[nodiscard]] json verdict_json(const verdict& v);

/// Name of the cluster, as the best informed node has it.
[[nodiscard]] std::string cluster_name(const cluster_picture& p);
/// `3 nodes, 64 shards, view 5`.
[[nodiscard]] std::string cluster_size(const cluster_picture& p);

/// A row for each node; with rates if the session looked before.
[[nodiscard]] table nodes_table(const session& s);
[[nodiscard]] json nodes_json(const session& s);

[[nodiscard]] table shards_table(const std::vector<shard_picture>& shards);
[[nodiscard]] json shard_json(const shard_picture& s);

/// Milliseconds for people: `900 ms`, `12 s`, `5 min`.
[[nodiscard]] std::string time_text(std::chrono::milliseconds d);

}  // namespace pawl::cli
