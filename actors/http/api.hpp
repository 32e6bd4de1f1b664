#pragma once

#include "actors/http/exchange.hpp"
#include "actors/ingress.hpp"

#include <functional>
#include <string>

namespace pawl {

/// What the routes need beside the ingress. Called on threads of the HTTP server.
struct http_api_sources {
  std::function<std::string()> metrics;  ///< the Prometheus text
  std::function<unix_ms()> now;          ///< stamps messages that have no `sent_at`
};

/// The routes of the HTTP door, to be given to `http_server`. `GET /` lists them.
///
/// `POST /v1/messages` takes one message with content type application/json, and a batch, one message per line, with
/// application/x-ndjson. Without a content type, or with application/octet-stream, the body is a batch if its first
/// line is a complete JSON object and another line follows. Other types are answered 415: among them are those that a
/// browser sends to any address for any web page (text/plain, forms) without asking the server first.
///
/// @pre `door` outlives the server.
[[nodiscard]] http_handler make_http_api(ingress& door, http_api_sources sources);

}  // namespace pawl
