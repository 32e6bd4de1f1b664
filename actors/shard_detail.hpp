#pragma once

#include "actors/message.hpp"
#include "cluster/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pawl {

namespace limits {
inline constexpr std::size_t receivers_shown = 100;  ///< of one shard; it may have more
inline constexpr std::size_t sources_shown = 100;
}  // namespace limits

/// Asks the owner of a shard what waits in it. For people and dashboards, never for decisions.
struct shard_query {};

/// The messages of one shard that wait for another to take them.
struct waiting_receiver {
  shard_id receiver;
  std::uint64_t messages = 0;
  bool stopped = false;  ///< nothing is sent to it any more: a store was rolled back, see `relay`
  entity_id to;          ///< of the first of them; those behind it wait for it
  std::string message;
  unix_ms sent_at = 0;
};

/// How far a source has come, as its shard has taken it.
struct source_progress {
  std::string source;       ///< "source/<name>/<history>" or "shard/<id>"
  std::uint64_t taken = 0;  ///< the number taken last; the next one follows it
};

/// What the owner of a shard says of what waits in it, beside its entities: committed, as of one moment.
struct shard_detail {
  std::uint64_t outbox_messages = 0;        ///< over all receivers
  std::uint64_t receivers_waited_for = 0;   ///< of which `receivers` names some
  std::vector<waiting_receiver> receivers;  ///< those whose first message is the oldest; `limits::receivers_shown`
  std::uint64_t sources_known = 0;          ///< of which `sources` names some
  std::vector<source_progress> sources;     ///< producers before shards; `limits::sources_shown`
  std::uint64_t timers = 0;                 ///< pending, of all its entities
  std::optional<unix_ms> next_timer;        ///< when the first of them is due, or tried again
  std::uint64_t dead_letters = 0;
};

}  // namespace pawl
