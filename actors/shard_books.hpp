#pragma once

#include "actors/letter_book.hpp"
#include "actors/outbox.hpp"
#include "actors/suspects.hpp"
#include "actors/timer_book.hpp"
#include "persistence/field_list.hpp"
#include "persistence/frontier.hpp"
#include "persistence/source_marks.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pawl {

/// What a shard stores beside the states of its entities and the ids of their messages. Each book stages what the
/// commit being built does to it; a commit writes them all, and they are confirmed or dropped together.
struct shard_books {
  shard_books(shard_id self, std::uint32_t shards, suspicion_policy suspicion = {})
      : sends(self, shards), suspects(suspicion) {}

  source_marks marks;
  outbox sends;
  timer_book timers;
  letter_book letters;
  pawl::suspects suspects;

  void seal(field_list& out);
  /// The shards for which there is something new in the outbox.
  [[nodiscard]] std::vector<shard_id> confirm();
  void drop();
  [[nodiscard]] slot_counts counts() const noexcept;

  /// Empties all, for what the frontier says there is. Returns the fields to load.
  [[nodiscard]] std::vector<std::string> reset(const slot_counts& stored);
  /// The values of these fields, in order. Empty: all is well; else what is damaged.
  [[nodiscard]] std::string load(const std::vector<std::optional<std::string>>& values, std::size_t first);

  /// Fields that a confirmed commit has declared dead, at most `most`. `cleaned` says that they were removed.
  [[nodiscard]] std::vector<std::string> dead_fields(std::size_t most);
  void cleaned();

private:
  slot_counts loading_;
  std::vector<std::uint32_t> dead_records_, dead_timers_, dead_letters_;
};

}  // namespace pawl
