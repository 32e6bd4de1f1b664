#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace pawl::redis {

/// The scripts, run for rare things only: payload never passes through them. All names they touch are in KEYS, all
/// checks stand before the first write (a script does not roll back), none reads a clock or sets a TTL, and those below
/// `create_config` never create data (rules A1, A2, A10, C20). Arguments and answers: persistence/SCHEMA.md.
enum class script : std::uint8_t {
  claim,
  release,
  sweep,
  read_members,
  join,
  beat,
  drain,
  leave,
  evict,
  accuse,
  acquit,
  raise_view,
  create_config,  ///< `init` only, as are the ones that follow
  create_shard,
  complete_config,
};
inline constexpr std::size_t script_count = 15;

[[nodiscard]] const std::string& text_of(script s);

/// Names under which the server knows the scripts, as `SCRIPT LOAD` answered them.
using script_names = std::array<std::string, script_count>;

}  // namespace pawl::redis
