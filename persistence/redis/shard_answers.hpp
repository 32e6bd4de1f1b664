#pragma once

#include "persistence/redis/reply.hpp"
#include "persistence/shard_store.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::redis {

/// What was asked, in the order of `shard_operation`.
enum class asked : std::uint8_t { record, claim, load, commit, trim, release, sweep, inbox };
[[nodiscard]] inline asked asked_by(const shard_operation& o) noexcept { return static_cast<asked>(o.index()); }

/// The body that belongs to an answer, whatever its outcome.
[[nodiscard]] decltype(shard_answer::body) empty_body(asked what);

/// What the replies to one command mean: the error table of persistence/SCHEMA.md as code.
struct verdict {
  store_outcome outcome = store_outcome::unknown;
  store_error error = store_error::none;
  std::string text;
  decltype(shard_answer::body) body;
  /// Not empty: the server answers another question than the one asked; nothing that follows can be trusted.
  std::string nonsense;
};

/// At most so many fields in one `HMGET`: a reply beyond the server's output limit would cost the connection each time
/// (rule C22), and other shards' commits wait behind it.
inline constexpr std::size_t load_fields_per_command = 128;

/// In place of a number of fields: what a read of the inbox asked for besides.
inline constexpr std::size_t inbox_trim = 1;
inline constexpr std::size_t inbox_look = 2;

/// @param fields how many a load asked for, or the above
/// @param got the replies; fewer than expected if the connection was cut
/// @param cut why no more will come; empty: all have come
[[nodiscard]] verdict judge(asked what, std::size_t fields, std::vector<reply>&& got, std::string_view cut);

/// Meaning of an error reply of any command or script that has no effect before it.
[[nodiscard]] verdict judge_error(const reply& error);

}  // namespace pawl::redis
