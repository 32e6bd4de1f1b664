#pragma once

#include "actors/message.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace pawl {

/// Thrown by `context::refuse`; a test of a handler expects it. Deliberately no std::exception, so that a handler which
/// catches those does not catch its own refusal.
struct message_refused {
  std::string reason;
};

/// What a handler may know about the message it handles, besides its content. Valid during the call only.
///
/// A test constructs one and calls the handler:  `pawl::context ctx{"order", "o-1", "m-1"};  cancel(state, msg, ctx);`
class context {
public:
  /// The views must outlive the context.
  context(std::string_view type, std::string_view key, std::string_view message_id, unix_ms sent_at = 0,
          std::uint64_t seq = 0)
      : type_(type), key_(key), message_id_(message_id), sent_at_(sent_at), seq_(seq) {}
  explicit context(const message& m) : context(m.type, m.key, m.id, m.sent_at, m.seq) {}

  [[nodiscard]] std::string_view type() const noexcept { return type_; }
  [[nodiscard]] std::string_view key() const noexcept { return key_; }
  /// The same in every attempt to handle this message: an idempotency key for effects outside.
  [[nodiscard]] std::string_view message_id() const noexcept { return message_id_; }
  /// As the sender or its door wrote it. Use this instead of a clock: a handler may run again after a failure.
  [[nodiscard]] unix_ms sent_at() const noexcept { return sent_at_; }
  /// The sender's number for this key, from 1; 0 if it gave none.
  [[nodiscard]] std::uint64_t seq() const noexcept { return seq_; }

  /// Ends the handler: the state stays as it was, and the message is refused for good with this reason, also when it
  /// is sent again. Reasons are cut to `limits::reason_bytes`.
  [[noreturn]] void refuse(std::string reason) const { throw message_refused{std::move(reason)}; }

private:
  std::string_view type_, key_, message_id_;
  unix_ms sent_at_;
  std::uint64_t seq_;
};

}  // namespace pawl
