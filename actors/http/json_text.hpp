#pragma once

#include <string>
#include <string_view>

namespace pawl {

/// Appends `text` as a JSON string. Bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// Appends a msgpack value as JSON: NaN and infinities as null, binary data as a base64 string, invalid UTF-8 replaced.
/// False, with `error` set, if the bytes are no msgpack or nest too deep; `out` then holds a part of the value.
[[nodiscard]] bool append_json_state(std::string& out, std::string_view msgpack, std::string& error);

/// At most `bytes` of `text`, cut between characters.
[[nodiscard]] std::string_view cut_text(std::string_view text, std::size_t bytes) noexcept;

}  // namespace pawl
