#pragma once

#include "actors/handler_effects.hpp"
#include "actors/message.hpp"
#include "actors/trace_context.hpp"
#include "persistence/codec.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace pawl {

/// Thrown by `context::refuse`; a test of a handler expects it. Deliberately no std::exception, so that a handler which
/// catches those does not catch its own refusal.
struct message_refused {
  std::string reason;
};

/// What a handler may know about the message it handles, besides its content, and what it may do besides changing its
/// state. Valid during the call only.
///
/// Everything done here is durable when the message's own effect is: it is stored in the same atomic write as the
/// state, or not at all if the handler throws, and the message is acknowledged only after that write.
///
/// A test constructs one, calls the handler, and looks at `effects()`:
///     pawl::context ctx{"order", "o-1", "m-1"};  cancel(state, msg, ctx);
class context {
public:
  /// The views must outlive the context.
  context(std::string_view type, std::string_view key, std::string_view message_id, unix_ms sent_at = 0,
          std::uint64_t seq = 0)
      : type_(type), key_(key), message_id_(message_id), sent_at_(sent_at), now_(sent_at), seq_(seq) {}
  context(const message& m, unix_ms now) : context(m.type, m.key, m.id, m.sent_at, m.seq) {
    now_ = now;
    trace_ = m.trace;
  }

  [[nodiscard]] std::string_view type() const noexcept { return type_; }
  [[nodiscard]] std::string_view key() const noexcept { return key_; }
  /// The same in every attempt to handle this message: an idempotency key for effects outside.
  [[nodiscard]] std::string_view message_id() const noexcept { return message_id_; }
  /// As the sender or its door wrote it: when a message from another entity was sent, when a timer was due. Use this
  /// instead of a clock: a handler may run again after a failure.
  [[nodiscard]] unix_ms sent_at() const noexcept { return sent_at_; }
  /// The sender's number for this key, from 1; 0 if it gave none.
  [[nodiscard]] std::uint64_t seq() const noexcept { return seq_; }
  /// The W3C `traceparent` that the message came with, for calls outside and for log lines; empty if it had none. What
  /// the handler sends and schedules carries it on. A message that is sent again may have another, so it must have no
  /// influence on the state.
  [[nodiscard]] std::string traceparent() const { return to_traceparent(trace_); }

  /// Ends the handler: the state stays as it was, and the message is refused for good with this reason, also when it
  /// is sent again. Reasons are cut to `limits::reason_bytes`.
  [[noreturn]] void refuse(std::string reason) const { throw message_refused{std::move(reason)}; }

  /// Sends a message to an entity, which may lie in any shard and may be this one. It takes effect there exactly once,
  /// after all messages that entities of this shard sent there before, through crashes of either side. It is sent
  /// when the handler's commit is confirmed; whoever receives it finds the time of that handling in `sent_at()`.
  /// @throws std::invalid_argument for a type or key that cannot be, std::length_error beyond the limits
  template <message_struct M>
  void send(std::string_view type, std::string_view key, const M& m) {
    std::string payload;
    encode_msgpack(m, payload);
    add_send({std::string{type}, std::string{key}, std::string{M::pawl_message_name()}, std::move(payload)});
  }

  /// Arranges for the entity to get this message once, not before `delay` has passed by the owner's clock. A timer that
  /// is late, since its shard had no owner, comes as soon as it has one, in the order in which timers were due. A timer
  /// of the same name takes the place of the former one.
  /// @throws std::invalid_argument for a name that is not `[A-Za-z0-9_.-]{1,64}`, std::length_error beyond the limits
  template <message_struct M>
  void schedule(std::string_view timer, std::chrono::milliseconds delay, const M& m) {
    schedule_at(timer, now_ + std::max(delay, std::chrono::milliseconds::zero()).count(), m);
  }
  /// As above, at a time.
  template <message_struct M>
  void schedule_at(std::string_view timer, unix_ms due, const M& m) {
    std::string payload;
    encode_msgpack(m, payload);
    add_timer({std::string{timer}, due, std::string{M::pawl_message_name()}, std::move(payload)});
  }
  /// The timer will not become a message any more. Nothing happens if there is none.
  void cancel(std::string_view timer) { add_timer({std::string{timer}, std::nullopt, {}, {}}); }

  /// Answers the sender, a struct with PAWL_MESSAGE, PAWL_STATE or PAWL_FIELDS. The last call counts. A copy of the
  /// message gets the same reply, for as long as its id is kept. Messages of entities and timers have nobody to answer.
  /// @throws std::length_error beyond `limits::reply_bytes`
  template <has_codec_fields T>
  void reply(const T& value) {
    std::string bytes;
    encode_msgpack(value, bytes);
    set_reply(std::move(bytes));
  }

  /// The entity ceases to exist, with its timers: the next message finds `State{}`. Ids of its messages stay known, so
  /// that a copy of one does not bring it back.
  void erase() { made().erased = true; }

  /// Null if the handler did nothing of the above.
  [[nodiscard]] const handler_effects* effects() const noexcept { return effects_.get(); }
  [[nodiscard]] std::unique_ptr<handler_effects> take_effects() noexcept { return std::move(effects_); }

private:
  handler_effects& made() {
    if (!effects_) effects_ = std::make_unique<handler_effects>();
    return *effects_;
  }
  void add_payload(std::string_view name, std::size_t bytes);
  void add_send(outgoing_message m);
  void add_timer(timer_change t);
  void set_reply(std::string bytes);

  std::string_view type_, key_, message_id_, trace_;
  unix_ms sent_at_, now_;
  std::uint64_t seq_;
  std::size_t effect_bytes_ = 0;
  std::unique_ptr<handler_effects> effects_;  ///< most handlers do none of it
};

}  // namespace pawl
