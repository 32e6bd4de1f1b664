#pragma once

#include "actors/caf/messages.hpp"

#include <caf/all.hpp>

#include <string>

namespace pawl {

/// Connects to `address` (host:port) on a thread of its own and sends the outcome to `to` as a `dialled_msg`. CAF's own
/// connect blocks its caller, for minutes if packets vanish; this one gives up after a quarter of a second.
void dial(caf::actor_system& system, const caf::actor& to, const member_id& peer, const std::string& address);

}  // namespace pawl
