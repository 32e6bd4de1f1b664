#pragma once

#include "actors/dead_letter.hpp"
#include "persistence/field_list.hpp"
#include "persistence/position.hpp"
#include "persistence/slot_numbers.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl {

[[nodiscard]] std::string encode(const dead_letter& letter);
/// Nothing if the bytes are damaged.
[[nodiscard]] std::optional<dead_letter> decode_dead_letter(std::string_view bytes);

/// The dead letters of one shard: put there by the commit that gives their message up, kept until somebody discards
/// them. They stay in the store, in fields `\0d<slot>`; here is only which slots there are. Not thread-safe.
class letter_book {
public:
  static constexpr char kind = 'd';

  // Building a commit.
  void add(dead_letter letter) { added_.push_back({std::move(letter), std::nullopt}); }
  void discard(std::uint32_t slot);
  [[nodiscard]] bool full() const noexcept { return size() + added_.size() >= limits::dead_letters_per_shard; }
  [[nodiscard]] std::size_t added() const noexcept { return added_.size(); }
  [[nodiscard]] bool staged() const noexcept { return !added_.empty() || !discarded_.empty(); }
  void seal(field_list& out);
  void confirm();
  void drop();

  /// Confirmed and not discarded. After a claim, slots that hold nothing count until they were looked at.
  [[nodiscard]] std::size_t size() const noexcept { return slots_.used(); }
  [[nodiscard]] bool holds(std::uint32_t slot) const noexcept { return slots_.uses(slot); }

  [[nodiscard]] std::uint32_t slots() const noexcept { return slots_.count(); }
  void reset(std::uint32_t slots);
  /// Nothing is stored there. Of the commit under way that is no news.
  void load_nothing(std::uint32_t slot);

  [[nodiscard]] std::vector<std::uint32_t> stale(std::size_t most) const { return slots_.stale(most); }
  void cleaned(std::uint32_t slot) { slots_.cleaned(slot); }

private:
  struct addition {
    dead_letter letter;
    std::optional<std::uint32_t> slot;  ///< once sealed
  };
  slot_numbers slots_;
  std::vector<addition> added_;
  std::vector<std::uint32_t> discarded_;
};

}  // namespace pawl
