#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pawl {

/// Id of an entry of a stream, as the store gives it: written `<ms>-<number>`. {0, 0} stands before all.
struct entry_id {
  std::uint64_t ms = 0;
  std::uint64_t number = 0;
  friend auto operator<=>(const entry_id&, const entry_id&) = default;

  /// The least id above this one.
  [[nodiscard]] entry_id next() const noexcept {
    return number + 1 == 0 ? entry_id{ms + 1, 0} : entry_id{ms, number + 1};
  }
};

[[nodiscard]] std::string to_text(const entry_id& id);
/// Nothing unless it is `<ms>-<number>`.
[[nodiscard]] std::optional<entry_id> parse_entry_id(std::string_view text) noexcept;

/// How far the inbox of a shard has been taken. Part of the frontier, and so of the commit that holds the effects
/// (rule A9).
struct inbox_position {
  entry_id last;            ///< the last entry that was taken
  std::uint64_t taken = 0;  ///< entries that were added to the stream up to that one, as far as is known
  friend bool operator==(const inbox_position&, const inbox_position&) = default;
};

}  // namespace pawl
