#pragma once

#include "actors/http/exchange.hpp"
#include "actors/http/member_relay.hpp"
#include "actors/ingress.hpp"
#include "metrics/recent_events.hpp"

#include <functional>
#include <string>
#include <vector>

namespace pawl {

/// What the routes need beside the ingress. Called on threads of the HTTP server.
struct http_api_sources {
  std::function<std::string()> metrics;  ///< the Prometheus text
  std::function<unix_ms()> now;          ///< stamps messages that have no `sent_at`
  std::function<void()> drain{};         ///< begins what SIGTERM begins; returns at once, may be called again
  std::function<std::vector<recent_event>()> events{};  ///< what has happened on this node; empty: no such route
  ask_member ask{};                                     ///< empty: no routes of other members
};

/// The routes of the HTTP door, to be given to `http_server`. `GET /` lists them, and sends a browser to
/// the console.
///
/// `POST /v1/messages` takes one message with content type application/json, and a batch, one message per line, with
/// application/x-ndjson. Without a content type, or with application/octet-stream, the body is a batch if its first
/// line is a complete JSON object and another line follows. Other types are answered 415: among them are those that a
/// browser sends to any address for any web page (text/plain, forms) without asking the server first.
///
/// `POST /v1/drain` begins an orderly end of the node, and is there if `sources.drain` is. It takes requests of this
/// machine only, that are addressed to a loopback address and carry `{"node":"<this node's name>"}` as
/// application/json: a page in a browser can send that type to no other site, and by the Host also not to a name that
/// it lets point here.
///
/// @pre `door` outlives the server.
[[nodiscard]] http_handler make_http_api(ingress& door, http_api_sources sources);

}  // namespace pawl
