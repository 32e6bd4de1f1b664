#pragma once

#include "actors/message.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pawl {

/// Bounds of what one message may cause. A handler beyond them is refused with the reason.
namespace limits {
inline constexpr std::size_t sends_per_message = 1'024;
inline constexpr std::size_t timers_per_message = 64;
/// Payloads of sends and timers together: with the state they must fit into one commit (rule C22).
inline constexpr std::size_t effect_bytes = 4 * 1024 * 1024;
/// msgpack. All replies of a frame must fit into one answer between nodes.
inline constexpr std::size_t reply_bytes = 4 * 1024;
}  // namespace limits

/// A message from a handler to an entity. Owns its bytes: it is stored before it is sent.
struct outgoing_message {
  std::string type;
  std::string key;
  std::string name;
  std::string payload;  ///< msgpack map
  std::string trace{};  ///< of the message that is handled
  friend bool operator==(const outgoing_message&, const outgoing_message&) = default;
};

/// What a handler decided about one of its entity's timers.
struct timer_change {
  std::string timer;             ///< its name, unique within the entity
  std::optional<unix_ms> due{};  ///< nothing: the timer is cancelled
  std::string name{};            ///< of the message it becomes
  std::string payload{};
  std::string trace{};  ///< of the message that is handled
  friend bool operator==(const timer_change&, const timer_change&) = default;
};

/// All that a handler does besides changing its state. Committed with the state, or not at all.
struct handler_effects {
  std::vector<outgoing_message> sends;  ///< in the order they were made
  std::vector<timer_change> timers;     ///< the last one for a name counts
  std::optional<std::string> reply;     ///< msgpack map
  bool erased = false;                  ///< the entity does not exist any more
};

}  // namespace pawl
