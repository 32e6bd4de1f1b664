#pragma once

#include "persistence/field_list.hpp"
#include "persistence/position.hpp"
#include "persistence/slot_numbers.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl {

namespace limits {
inline constexpr std::size_t source_name_bytes = 160;
inline constexpr std::size_t lines_per_source = 4;
/// Sources that are not shards. More are refused: each costs memory and time at a claim for ever (rule A17).
inline constexpr std::size_t outside_sources = 1'024;
}  // namespace limits

/// What has been taken of one source.
struct source_mark {
  /// The last position on each of the last lines, the mark itself first. Empty: nothing has been taken.
  std::vector<position> lines;
  bool dropped = false;       ///< earlier lines are not known any more
  std::uint64_t content = 0;  ///< fingerprint of the message at the mark; 0: not kept

  [[nodiscard]] position mark() const noexcept { return lines.empty() ? position{} : lines.front(); }
  /// True if the message at `p` is known to have been taken. Nothing before the first line is, once one was dropped.
  [[nodiscard]] bool covers(const position& p) const noexcept;
  void advance(const position& to, std::uint64_t content_there);
  friend bool operator==(const source_mark&, const source_mark&) = default;
};

/// One mark for each source that has sent to a shard: exact for ever, in constant space (rules A3, A17). A message of a
/// source takes effect only if the mark is the very position it follows, and moves the mark in the same commit.
///
/// Sources are other shards, "shard/<id>", and producers that number their messages, "source/<name>/<history>". Stored
/// as fields
/// `\0h<slot>`, only those that changed:
///     version:u8  source:bytes  dropped:u8  content:u64  lines:varint { line:u64 number:varint }
/// What is staged belongs to the commit being built and is either confirmed or dropped. Not thread-safe.
class source_marks {
public:
  static constexpr char kind = 'h';

  /// As the commit being built leaves it.
  [[nodiscard]] const source_mark& of(std::string_view source) const noexcept;
  /// As confirmed.
  [[nodiscard]] const source_mark& confirmed(std::string_view source) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return marks_.size(); }
  /// False if it would be one source too many.
  [[nodiscard]] bool admits(std::string_view source) const noexcept;

  void advance(std::string_view source, const position& to, std::uint64_t content = 0);
  [[nodiscard]] bool staged() const noexcept { return !staged_.empty(); }
  void seal(field_list& out);
  void confirm();
  void drop();

  [[nodiscard]] std::uint32_t slots() const noexcept { return slots_.count(); }
  void reset(std::uint32_t slots);
  /// Takes the field of one slot in. False if the bytes are damaged.
  [[nodiscard]] bool load(std::uint32_t slot, std::string_view bytes);
  void load_nothing(std::uint32_t slot) { slots_.release(slot); }

  template <class See>
  void each(See see) const {
    for (const auto& [source, m] : marks_) see(std::string_view{source}, m.mark);
  }

private:
  struct stored {
    std::uint32_t slot;
    source_mark mark;
  };
  struct change {
    source_mark mark;
    std::optional<std::uint32_t> slot{};  ///< once sealed
  };
  slot_numbers slots_;
  std::map<std::string, stored, std::less<>> marks_;
  std::map<std::string, change, std::less<>> staged_;
  std::size_t outside_ = 0;
};

/// "shard/17"
[[nodiscard]] std::string shard_source(std::uint32_t shard);
[[nodiscard]] bool is_shard_source(std::string_view source) noexcept;

}  // namespace pawl
