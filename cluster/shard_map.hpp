#pragma once

#include "cluster/ids.hpp"

#include <string_view>

namespace pawl {

/// CRC16-XMODEM, as Redis Cluster uses for key slots, so that any program can compute a shard with what it has.
[[nodiscard]] std::uint16_t crc16_xmodem(std::string_view bytes) noexcept;

/// The part of a key that is hashed: between the first `{` and the next `}` if that is not empty, else all of it.
/// Lets a sender put related entities on one shard, as in Redis.
[[nodiscard]] std::string_view hashed_part(std::string_view key) noexcept;

/// Shard of a key. `shards` is fixed for a dataset (rule D34).
/// @pre 1 <= shards <= 16384
[[nodiscard]] inline shard_id shard_of(std::string_view key, std::uint32_t shards) noexcept {
  return {crc16_xmodem(hashed_part(key)) % shards};
}

inline constexpr std::uint32_t shards_max = 16'384;
inline constexpr std::uint32_t shards_default = 256;

}  // namespace pawl
