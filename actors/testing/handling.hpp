#pragma once

#include "actors/entity_type.hpp"
#include "actors/message.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace pawl::testing {

/// What a message makes of an entity: all that its commit would store.
struct handling {
  message_result result;
  std::string state;          ///< encoded; of an applied message
  handler_effects effects{};  ///< of an applied message
};

/// Handles `m` as the owner of its shard does, from the stored state (nothing: the entity does not exist), and checks
/// that a second attempt makes the same of it.
/// @throws violation if it does not, or if the type is declared idempotent and is not
[[nodiscard]] handling handle(const entity_behavior& type, const std::optional<std::string>& state, const message& m,
                              unix_ms now, std::size_t state_bytes_max);

}  // namespace pawl::testing
