#pragma once

#include "actors/frame.hpp"
#include "persistence/frontier.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pawl {

// What goes over a link between two members. Every message is
//
//     length:u32 (of what follows)  kind:u8  body
//
// in little-endian, strings with a varint length. The dialling side speaks first; both sides begin with a hello. A link
// carries requests from the dialler to the acceptor and answers back; each pair of members has one link per direction.

inline constexpr std::uint16_t peer_protocol_version = 4;

namespace limits {
/// Largest message: a frame, or the answer to one, or an entity's state.
inline constexpr std::size_t peer_message_bytes = 8 * 1024 * 1024;
/// Largest hello: all that an unknown peer can make us buffer.
inline constexpr std::size_t peer_hello_bytes = 1'024;
/// Bytes of unanswered frames the dialler may have under way on one link.
inline constexpr std::size_t peer_window_bytes = 16 * 1024 * 1024;
}  // namespace limits

struct hello {
  std::string cluster;
  dataset_id dataset{};
  member_id self;
};
struct ping {};
struct pong {};

using peer_message =
    std::variant<hello, frame, frame_answer, read_request, read_answer, release_notice, view_notice, ping, pong>;

/// Appends the bytes of one message.
void encode_peer_message(const peer_message& m, std::string& out);

/// Cuts and decodes the bytes that arrive on one link. Once it has failed it stays failed: the link must be closed.
class peer_decoder {
public:
  /// Appends all messages that are complete. False on the first violation of the protocol, which `error` names.
  [[nodiscard]] bool feed(std::string_view bytes, std::vector<peer_message>& out);
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

private:
  [[nodiscard]] bool fail(std::string why);
  std::string buffer_;
  bool greeted_ = false;
  std::string error_;
};

/// Empty if a link to this peer may be used, else why not. `expected`: whom we dialled; nothing on the accepting side.
[[nodiscard]] std::string check_hello(const hello& theirs, const hello& ours, const std::optional<member_id>& expected);

/// How much may be under way on a link: bytes of frames sent and not answered.
class credit_window {
public:
  explicit credit_window(std::size_t bytes) : limit_(bytes) {}
  /// True if a frame of this size may go now; it then counts until `returned`. One frame may always be under way,
  /// whatever its size.
  [[nodiscard]] bool take(std::size_t bytes) noexcept {
    if (used_ != 0 && used_ + bytes > limit_) return false;
    used_ += bytes;
    return true;
  }
  void returned(std::size_t bytes) noexcept { used_ -= bytes < used_ ? bytes : used_; }
  [[nodiscard]] std::size_t used() const noexcept { return used_; }

private:
  std::size_t limit_;
  std::size_t used_ = 0;
};

}  // namespace pawl
