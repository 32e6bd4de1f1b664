#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl {

/// One HTTP request as plain values, so that routes do not know which library carries them.
struct http_request {
  std::string method;  ///< upper case; HEAD arrives as GET, the server drops the body of its answer
  std::string path;    ///< as sent, percent-escapes untouched; starts with '/'
  std::string query;   ///< what follows the first '?', not decoded
  std::string content_type;
  std::string content_encoding;
  std::string host;            ///< of the Host header, as sent
  bool from_loopback = false;  ///< the client is a process of this machine, or reaches us through one
  std::string body;
  std::string if_none_match{};  ///< entity tags of what the client has, as sent
  std::string traceparent{};    ///< of the header of that name, as sent; empty also if there are several
};

struct http_response {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  ///< beyond type, length and connection
};

/// Takes the answer to one request, once; later calls are ignored. Thread-safe, never blocks, may be called at once
/// or much later, also after the client or the server is gone. If all copies are destroyed without a call, the client
/// gets 503: a request that somebody dropped never leaves a connection hanging.
using http_respond = std::function<void(http_response)>;

/// Called on a thread of the server, for several connections at once if it has several threads. Must not block.
using http_handler = std::function<void(http_request, http_respond)>;

/// An error answer as RFC 9457 `application/problem+json`.
[[nodiscard]] http_response http_problem(unsigned status, std::string_view detail);
/// Reason phrase of the statuses the door uses, such as "Not Found".
[[nodiscard]] std::string_view http_status_title(unsigned status) noexcept;

}  // namespace pawl
