#pragma once

#include "actors/message.hpp"
#include "cluster/ids.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace pawl {

/// A message that could not take effect, and whose sender either does not look any more or cannot help it.
struct dead_letter {
  entity_id entity;
  std::string name;
  std::string id;
  std::string payload;
  std::string source;  ///< "shard/<id>", "source/<name>", "timer"; empty: a free-form sender
  unix_ms sent_at = 0;
  std::uint64_t seq = 0;
  reason_code code = reason_code::none;
  std::string reason;
  unix_ms at = 0;  ///< when it was put there, by the owner's clock
  std::string trace{};
  friend bool operator==(const dead_letter&, const dead_letter&) = default;
};

/// A dead letter with its number within the shard. Numbers are used again once a letter is gone.
struct numbered_letter {
  std::uint32_t number = 0;
  dead_letter letter;
};

/// Some of a shard's dead letters, in the order of their numbers.
struct letter_page {
  std::vector<numbered_letter> letters;
  std::uint64_t total = 0;  ///< of the shard
  std::uint32_t next = 0;   ///< number to go on from; 0: these were the last
};

namespace limits {
inline constexpr std::size_t dead_letters_per_shard = 10'000;
inline constexpr std::size_t letters_per_page = 100;
inline constexpr std::size_t letter_page_bytes = 2 * 1024 * 1024;  ///< of payloads; one letter is always shown
}  // namespace limits

/// What can be asked about the dead letters of a shard.
struct letter_query {
  std::uint32_t from = 0;
};
/// Discarded, it is gone. Replayed, its message is handled again, and the letter is gone if it takes effect.
struct letter_action {
  enum class kind : std::uint8_t { discard, replay };
  std::uint32_t number = 0;
  unix_ms at = 0;  ///< of the letter that is meant: its number may be another one's by the time the owner is asked
  kind what = kind::discard;
};

}  // namespace pawl
