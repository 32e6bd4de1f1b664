#pragma once

#include "actors/http/exchange.hpp"
#include "actors/ingress.hpp"

#include <string_view>

namespace pawl {

inline constexpr std::string_view shards_prefix = "/v1/shards/";

/// `GET /v1/shards/{shard}`: what the owner of a shard says of what waits in it: its outbox by receiver, the positions
/// of its sources, timers and dead letters. Any node answers, by asking the owner; 503 with the reason if there is
/// none.
///
/// @pre the path starts with `shards_prefix`; `door` outlives the answer
void answer_shard_details(ingress& door, const http_request& request, http_respond respond);

}  // namespace pawl
