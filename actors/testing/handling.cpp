#include "actors/testing/handling.hpp"

#include "actors/testing.hpp"

#include <memory>
#include <utility>

namespace pawl::testing {
namespace {

std::string name_of(const message& m) {
  return "message '" + std::string{m.name} + "' of '" + std::string{m.type} + "'";
}

message_result result_of(const entity_behavior& type, const message& m, handled& done) {
  switch (done.what) {
  case handled::kind::applied: return {result_kind::applied, reason_code::none};
  case handled::kind::unknown_message:
    return {result_kind::busy, reason_code::unknown_message_type,
            name_of(m) + " is not known to the shard's owner (known: " + type.messages() + ")"};
  case handled::kind::undecodable:
    return {result_kind::refused, reason_code::undecodable, name_of(m) + " cannot be decoded: " + done.text};
  case handled::kind::failed:
    return {result_kind::refused, reason_code::handler_error, "handler of " + name_of(m) + " threw: " + done.text};
  case handled::kind::refused: return {result_kind::refused, reason_code::handler_refused, std::move(done.text)};
  case handled::kind::exhausted: return {result_kind::busy, reason_code::handler_error, "the owner is out of memory"};
  }
  return {};
}

std::unique_ptr<entity_state> decoded(const entity_behavior& type, const std::string& bytes) {
  std::string error;
  auto state = type.decode(bytes, error);
  if (!state) throw violation{"a state of '" + type.name() + "' cannot be read back: " + error};
  return state;
}

/// One attempt, as of an owner that has just read the state.
handling attempt(const entity_behavior& type, const std::optional<std::string>& state, const message& m, unix_ms now,
                 std::size_t state_bytes_max) {
  const auto from = state ? decoded(type, *state) : nullptr;
  const auto to = type.fresh();
  auto done = type.apply(from.get(), *to, m, now);
  handling h{result_of(type, m, done), {}, {}};
  if (h.result.kind != result_kind::applied) return h;
  type.encode(*to, h.state);
  if (h.state.size() > state_bytes_max)
    return {{result_kind::refused, reason_code::state_too_large,
             name_of(m) + " would grow the state to " + std::to_string(h.state.size()) + " bytes; at most " +
                 std::to_string(state_bytes_max) + " are allowed (entities.state_bytes)"},
            {},
            {}};
  if (done.effects) h.effects = std::move(*done.effects);
  if (h.effects.reply) h.result.reply = std::make_shared<const std::string>(*h.effects.reply);
  return h;
}

/// What differs between two attempts; empty: nothing.
std::string difference(const handling& a, const handling& b) {
  if (a.result.kind != b.result.kind || a.result.code != b.result.code || a.result.reason != b.result.reason)
    return "the result";
  if (a.state != b.state) return "the state";
  if (a.effects.sends != b.effects.sends) return "what is sent";
  if (a.effects.timers != b.effects.timers) return "the timers";
  if (a.effects.reply != b.effects.reply) return "the reply";
  if (a.effects.erased != b.effects.erased) return "whether the entity is erased";
  return {};
}

/// Encoded from a state that was read back, as the one it is compared with is.
std::string again_encoded(const entity_behavior& type, const std::string& bytes) {
  std::string out;
  type.encode(*decoded(type, bytes), out);
  return out;
}

}  // namespace

handling handle(const entity_behavior& type, const std::optional<std::string>& state, const message& m, unix_ms now,
                std::size_t state_bytes_max) {
  auto h = attempt(type, state, m, now, state_bytes_max);
  const auto differs = difference(h, attempt(type, state, m, now, state_bytes_max));
  if (!differs.empty())
    throw violation{"handling " + name_of(m) + " a second time, from the same state, made a difference to " + differs +
                    ": a handler must depend on nothing but its arguments, since after a crash it runs again"};
  if (!type.ids().tracked && h.result.kind == result_kind::applied && !h.effects.erased) {
    const auto twice = attempt(type, h.state, m, now, state_bytes_max);
    if (twice.result.kind != result_kind::applied || twice.state != again_encoded(type, h.state))
      throw violation{"'" + type.name() + "' is declared idempotent, but handling " + name_of(m) +
                      " twice does not leave what handling it once does"};
  }
  return h;
}

}  // namespace pawl::testing
