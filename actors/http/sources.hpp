#pragma once

#include "actors/http/exchange.hpp"
#include "actors/ingress.hpp"

#include <string_view>

namespace pawl {

inline constexpr std::string_view sources_prefix = "/v1/sources/";

/// The routes of producers that number their messages (rule B17):
///
///     GET  /v1/sources/{name}?shard={shard}&history={text}
///     POST /v1/sources/{name}?shard={shard}&history={text}&after={position}
///
/// A batch (application/x-ndjson) has one message per line, each with its `position`, rising, and keys of that shard
/// only. `after` is the position before the first, 0 if there is none. The history names the numbering: whoever cannot
/// prove that its numbers went on gives it another name, and begins anew: nothing of that history has been taken yet.
/// Answered 200 with the position that has been taken and the result of each message; 409 if the batch does not follow
/// what has been taken.
///
/// @pre `door` outlives the answer
void answer_sources(ingress& door, const http_request& request, unix_ms now, http_respond respond);

}  // namespace pawl
