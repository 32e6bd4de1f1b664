#pragma once

#include "cluster/ids.hpp"
#include "persistence/inbox_position.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl {

/// Random identity of a dataset, written once by `init`. A store with another one is not ours.
using dataset_id = std::array<std::uint8_t, 16>;

/// Which fields hold the processed ids of one entity type, and what can no longer be judged.
/// Groups [first, next) are live; [trimmed, first) are dead and may still need removal.
struct id_groups {
  std::string type;
  std::uint64_t trimmed = 0;
  std::uint64_t first = 0;
  std::uint64_t next = 0;
  unix_ms floor = 0;  ///< an unknown id with `sent_at` at or below it is too old; only rises (rule A7)
  unix_ms high = 0;   ///< greatest `sent_at` accepted
  friend bool operator==(const id_groups&, const id_groups&) = default;
};

/// So many slots of each kind may hold something: see `slot_numbers`, and the classes that fill them.
struct slot_counts {
  std::uint32_t marks = 0;
  std::uint32_t pairs = 0;
  std::uint32_t records = 0;
  std::uint32_t timers = 0;
  std::uint32_t letters = 0;
  friend bool operator==(const slot_counts&, const slot_counts&) = default;
};

/// Field `\0f` of a shard's data hash, rewritten by every commit: enough to know all other names without a scan.
struct frontier {
  dataset_id dataset{};
  std::uint64_t seq = 0;  ///< number of the last commit
  std::vector<id_groups> groups;
  slot_counts slots;
  inbox_position inbox;
  friend bool operator==(const frontier&, const frontier&) = default;
};

inline constexpr std::string_view frontier_field{"\0f", 2};

[[nodiscard]] std::string encode(const frontier& f);
/// Nothing if the bytes are damaged or of a format this version does not know.
[[nodiscard]] std::optional<frontier> decode_frontier(std::string_view bytes);

/// Name of the field that holds one group of processed ids.
[[nodiscard]] std::string id_group_field(std::string_view type, std::uint64_t group);
/// Name of the field that holds the reply to the message of which this is the id part of the digest.
[[nodiscard]] std::string reply_field(std::string_view id_part);
/// Name of the field that holds an entity's state.
[[nodiscard]] std::string entity_field(std::string_view type, std::string_view key);
void append_entity_field(std::string& out, std::string_view type, std::string_view key);

}  // namespace pawl
