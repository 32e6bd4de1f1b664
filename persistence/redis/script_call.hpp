#pragma once

#include "persistence/redis/connection.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pawl::redis {

/// One call of a script. Kept until it is answered: a server that was told `SCRIPT FLUSH` no longer knows the script by
/// its name and answers `NOSCRIPT` without running it; then the whole text is sent.
struct script_call {
  script what{};
  std::size_t keys = 0;            ///< how many of `words` are key names
  std::vector<std::string> words;  ///< keys, then arguments
  bool whole = false;              ///< sent with its text already
};

inline void append_call(std::string& out, const script_call& call, std::string_view verb, std::string_view body) {
  append_command_head(out, 3 + call.words.size());
  append_word(out, verb);
  append_word(out, body);
  append_word(out, std::to_string(call.keys));
  for (const auto& w : call.words) append_word(out, w);
}

inline void send_by_name(connection& to, const script_call& call) {
  append_call(to.output(), call, "EVALSHA", to.name_of(call.what));
  to.sent(1);
}

/// Sends the call again, with its whole text, if `r` says that the server did not know the script. Once only: a server
/// that says so to the text as well is answered for.
[[nodiscard]] inline bool sent_again(connection& to, script_call& call, const reply& r) {
  if (call.whole || !r.is(reply::kind::error) || error_code(r.text) != "NOSCRIPT") return false;
  call.whole = true;
  append_call(to.output(), call, "EVAL", text_of(call.what));
  to.sent(1);
  return true;
}

}  // namespace pawl::redis
