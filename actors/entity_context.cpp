#include "actors/entity_context.hpp"

#include <stdexcept>

namespace pawl {
namespace {

[[noreturn]] void too_many(const char* what, std::size_t most) {
  throw std::length_error("a handler may " + std::string{what} + " at most " + std::to_string(most) + " per message");
}

}  // namespace

void context::add_payload(std::string_view name, std::size_t bytes) {
  if (bytes > limits::payload_bytes)
    throw std::length_error("message '" + std::string{name} + "' has " + std::to_string(bytes) + " bytes; at most " +
                            std::to_string(limits::payload_bytes) + " are allowed");
  if (effect_bytes_ + bytes > limits::effect_bytes)
    throw std::length_error("a handler may send and schedule at most " + std::to_string(limits::effect_bytes) +
                            " bytes per message");
  effect_bytes_ += bytes;
}

void context::add_send(outgoing_message m) {
  if (!is_name(m.type)) throw std::invalid_argument("'" + m.type + "' is no name of an entity type");
  if (m.key.empty() || m.key.size() > limits::id_bytes)
    throw std::invalid_argument("the key of an entity has 1 to " + std::to_string(limits::id_bytes) + " bytes");
  if (effects_ && effects_->sends.size() == limits::sends_per_message) too_many("send", limits::sends_per_message);
  add_payload(m.name, m.payload.size());
  m.trace = trace_;
  made().sends.push_back(std::move(m));
}

void context::add_timer(timer_change t) {
  if (!is_name(t.timer))
    throw std::invalid_argument("'" + t.timer + "' is no name of a timer: 1 to 64 letters, digits, '_', '.' or '-'");
  if (effects_ && effects_->timers.size() == limits::timers_per_message)
    too_many("change timers", limits::timers_per_message);
  add_payload(t.name, t.payload.size());
  t.trace = trace_;
  made().timers.push_back(std::move(t));
}

void context::set_reply(std::string bytes) {
  if (bytes.size() > limits::reply_bytes)
    throw std::length_error("the reply has " + std::to_string(bytes.size()) + " bytes; at most " +
                            std::to_string(limits::reply_bytes) + " are allowed");
  made().reply = std::move(bytes);
}

}  // namespace pawl
