#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pawl {

// The trace that a message is part of: W3C Trace Context, carried from the door to whatever the message causes. Pawl
// makes no spans of its own, so it passes on what it was given, unchanged.
//
// Within a node, between nodes and in the store, a trace is
//     trace id: 16 bytes  parent id: 8 bytes  flags: 1 byte
// in the order of the header; a message without one has no bytes.

namespace limits {
inline constexpr std::size_t trace_bytes = 25;
}  // namespace limits

/// Of the value of a `traceparent` header. Empty if that is none: what is not valid is ignored, as the standard says,
/// and the message goes on without a trace. Of a later version what version 00 knows is kept; of the flags, `sampled`
/// and `random trace id`.
[[nodiscard]] std::string parse_traceparent(std::string_view header);

/// Whether these bytes, from a peer or the store, are a trace.
[[nodiscard]] bool is_trace(std::string_view bytes) noexcept;

/// As a `traceparent` header of version 00; empty without a trace.
[[nodiscard]] std::string to_traceparent(std::string_view trace);
/// 32 hexadecimal digits, as traces are looked up; empty without a trace.
[[nodiscard]] std::string trace_id(std::string_view trace);

}  // namespace pawl
