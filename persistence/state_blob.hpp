#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pawl {

/// What is stored for one entity:
///
///     version:u8  last_seq:varint  state (msgpack, to the end)
///
/// An entity that was erased leaves version 2 and its last number, so that old numbers do not count as new (rule A19).
///
/// The state's own format is its member names, see persistence/codec.hpp; the version is that of this frame.
struct state_blob {
  std::uint64_t last_seq = 0;  ///< highest sender number applied, 0 if none was given
  std::string_view state;      ///< into the bytes that were decoded; empty: the entity was erased
};

inline constexpr std::uint8_t state_blob_version = 1;
inline constexpr std::uint8_t erased_blob_version = 2;

/// Appends all but the state, which the caller appends.
void begin_state_blob(std::string& out, std::uint64_t last_seq);

/// Appends what is stored of an entity that was erased.
void append_erased_blob(std::string& out, std::uint64_t last_seq);

/// Nothing, with `error` set, if the bytes are damaged or of another version. The state itself is not looked at.
[[nodiscard]] std::optional<state_blob> decode_state_blob(std::string_view bytes, std::string& error);

}  // namespace pawl
