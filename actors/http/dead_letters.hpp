#pragma once

#include "actors/http/exchange.hpp"
#include "actors/ingress.hpp"

#include <string_view>

namespace pawl {

inline constexpr std::string_view dead_letters_path = "/v1/dead-letters";

/// The routes below `/v1/dead-letters`:
///
///     GET  /v1/dead-letters                          the latest of all shards: at most 100 letters of
///                                                    each, 1,000 together, and 8 MiB of payloads
///     GET  /v1/dead-letters/{shard}?from={number}    one shard, from this number on
///     POST /v1/dead-letters/{shard}/{number}/replay  handles the message again; it is gone if that takes effect
///     POST /v1/dead-letters/{shard}/{number}/discard
///
/// Both take `{"at":<the letter's at>}` as application/json: a number is used again once its letter is gone, and a
/// request that comes late must not hit the next one.
///
/// @pre `door` outlives the answer
void answer_dead_letters(ingress& door, const http_request& request, http_respond respond);

}  // namespace pawl
