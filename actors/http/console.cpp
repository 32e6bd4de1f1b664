#include "actors/http/console.hpp"

#include "metrics/console_files.hpp"

namespace pawl {
namespace {

constexpr std::string_view policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                                    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string_view type_of(std::string_view name) {
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  return "text/html; charset=utf-8";
}

/// Whether an If-None-Match header names this tag: a list, perhaps of weak tags, or `*`.
bool names_tag(std::string_view header, std::string_view etag) {
  // A tag of ours is 32 hexadecimal digits in quotes, so it is found in no other one.
  return header == "*" || header.find(etag) != header.npos;
}

}  // namespace

http_response console_answer(const http_request& request) {
  auto name = std::string_view{request.path}.substr(console_prefix.size());
  if (name.empty()) name = "index.html";
  const auto file = find_console_file(name);
  if (!file) return http_problem(404, "the console has no such file");

  http_response out;
  out.content_type = type_of(name);
  // Asked again each time, which costs a 304: after an upgrade no old module is mixed with new ones.
  out.headers = {{"Cache-Control", "no-cache"},
                 {"ETag", std::string{file->etag}},
                 {"Content-Security-Policy", std::string{policy}},
                 {"Referrer-Policy", "no-referrer"}};
  if (names_tag(request.if_none_match, file->etag)) out.status = 304;
  else out.body = file->text;
  return out;
}

}  // namespace pawl
