#pragma once

#include "actors/message.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl {

// The JSON form of messages and of their results. A message is an object with the fields
//   type, key, message, id   strings within the limits of `check_message`
//   payload                  object, becomes msgpack field by field in the order given; missing: empty
//   sent_at                  integer, milliseconds since 1970; missing: the door's time
//   seq                      integer from 1; may be missing
// and no others, none twice. A batch has one message per line (NDJSON); an empty line is a refused message.

/// A line that is no acceptable message. It can never take effect, so it has no part in the order of its key.
struct refused_line {
  std::size_t line = 0;           ///< index, from 0
  std::optional<std::string> id;  ///< if it could be read
  std::string reason;             ///< names the field and what is allowed
  bool malformed = false;         ///< not JSON at all
};

/// What was read: the lines that are messages, and those that are not, both in the order of the input. A line missing
/// from `refused` is the next one of `accepted`.
struct parsed_messages {
  std::shared_ptr<const message_block> accepted;
  std::vector<refused_line> refused;
};

/// Reads a body that is one message, on any number of lines. With a `trace`, each message gets that.
[[nodiscard]] parsed_messages parse_json_message(std::string_view body, unix_ms now, std::string_view trace = {});

/// Reads a batch; a newline after the last line is optional. Nothing if it has more than `limits::batch_messages`
/// lines. With `positions`, each message must also have the field `position`, an integer from 1; they are put there in
/// the order of the accepted messages.
[[nodiscard]] std::optional<parsed_messages> parse_json_batch(std::string_view body, unix_ms now,
                                                              std::string_view trace = {},
                                                              std::vector<std::uint64_t>* positions = nullptr);

/// Appends `{"id":…,"result":…}` and, if there is one, reason and code. No id: null.
void append_json_result(std::string& out, std::optional<std::string_view> id, const message_result& r);

/// Appends one line per message, refused and accepted, in the order of the input.
/// @pre as many results as accepted messages, in the same order
void append_json_results(std::string& out, std::span<const message> accepted, std::span<const message_result> results,
                         std::span<const refused_line> refused);

}  // namespace pawl
