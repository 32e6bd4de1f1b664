#pragma once

#include "cli/http_client.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pawl::cli {

/// A message as it is sent. The same bytes for each attempt: the id and `sent_at` of a message must not change.
struct outgoing_message {
  std::string type;
  std::string key;
  std::string name;
  std::string id;
  std::string payload = "{}";  ///< JSON text of an object
  std::int64_t sent_at = 0;    ///< milliseconds since 1970
  std::uint64_t seq = 0;       ///< 0: none

  [[nodiscard]] std::string text() const;
};

/// What became of one attempt.
struct send_result {
  enum class kind : std::uint8_t {
    applied,
    duplicate,
    refused,     ///< will never take effect
    unresolved,  ///< busy, blocked, unknown or no answer: to be sent again
    rejected,    ///< the door does not take it for a message; sending it again would not help
  };
  kind what = kind::unresolved;
  std::string word;  ///< as the node said it, such as "busy"; "no answer"
  std::string reason;
  std::string code;
};

inline constexpr std::string_view no_answer = "no answer";

[[nodiscard]] send_result send_once(http_client& http, const outgoing_message& m);

/// 128 bits of the system's randomness in hexadecimal: an id, or the beginning of ids, that nobody else uses.
[[nodiscard]] std::string random_id();

/// Reads what `--payload` names: JSON text, `@FILE`, or `-` for the standard input. False, with `problem` set, if it
/// cannot be read or is no JSON object.
[[nodiscard]] bool read_payload(const std::string& given, std::string& text, std::string& problem);

}  // namespace pawl::cli
