#include "actors/http/exchange.hpp"

#include <nlohmann/json.hpp>

namespace pawl {

std::string_view http_status_title(unsigned status) noexcept {
  switch (status) {
  case 200: return "OK";
  case 304: return "Not Modified";
  case 307: return "Temporary Redirect";
  case 400: return "Bad Request";
  case 403: return "Forbidden";
  case 404: return "Not Found";
  case 405: return "Method Not Allowed";
  case 409: return "Conflict";
  case 413: return "Content Too Large";
  case 415: return "Unsupported Media Type";
  case 422: return "Unprocessable Content";
  case 429: return "Too Many Requests";
  case 431: return "Request Header Fields Too Large";
  case 500: return "Internal Server Error";
  case 502: return "Bad Gateway";
  case 503: return "Service Unavailable";
  case 505: return "HTTP Version Not Supported";
  default: return "";
  }
}

http_response http_problem(unsigned status, std::string_view detail) {
  nlohmann::ordered_json body;
  body["type"] = "about:blank";
  body["title"] = http_status_title(status);
  body["status"] = status;
  body["detail"] = detail;
  http_response out{status, "application/problem+json", {}, {}};
  out.body = body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  out.body += '\n';
  if (status == 503) out.headers.emplace_back("Retry-After", "1");
  return out;
}

}  // namespace pawl
