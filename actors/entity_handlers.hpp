#pragma once

#include "actors/entity_context.hpp"
#include "actors/entity_type.hpp"
#include "persistence/codec.hpp"

#include <algorithm>
#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// How the runtime's view of an entity type, `entity_behavior`, is made of a user's structs and functions.

namespace pawl {

namespace entity_detail {

/// Message type of a handler, from its signature.
template <class Signature>
struct message_of {
  using type = void;
};
template <class R, class State, class M>
struct message_of<std::function<R(State&, const M&)>> {
  using type = M;
};
template <class R, class State, class M>
struct message_of<std::function<R(State&, const M&, context&)>> {
  using type = M;
};

/// False for generic lambdas and whatever else has no single signature.
template <class F>
concept has_signature = requires(F f) {
  std::function{std::move(f)};
};

template <class F>
using deduced_message = typename message_of<decltype(std::function{std::declval<F>()})>::type;

template <class State>
struct typed_state final : entity_state {
  typed_state() = default;
  explicit typed_state(State v) : value(std::move(v)) {}
  State value;
};

/// One message type of an entity: decodes a payload and runs the user's function.
template <class State>
struct handler {
  std::string_view name;
  /// Changes `state`, or returns false with `error` set if the payload does not fit. Throws what the function throws.
  std::function<bool(State& state, std::string_view payload, context& ctx, std::string& error)> run;
};

template <class State, class M, class F>
handler<State> make_handler(F function) {
  return {M::pawl_message_name(),
          [function = std::move(function)](State& state, std::string_view payload, context& ctx, std::string& error) {
            M m{};
            if (!decode_msgpack(payload, m, error)) return false;
            if constexpr (std::invocable<const F&, State&, const M&, context&>) function(state, m, ctx);
            else function(state, m);
            return true;
          }};
}

template <class State>
class typed_behavior final : public entity_behavior {
public:
  typed_behavior(std::string name, id_policy ids, std::vector<handler<State>> handlers)
      : name_(std::move(name)), ids_(ids), handlers_(std::move(handlers)) {}

  const std::string& name() const noexcept override { return name_; }
  const id_policy& ids() const noexcept override { return ids_; }
  bool knows(std::string_view message_name) const noexcept override { return find(message_name) != nullptr; }
  std::string messages() const override {
    std::string list;
    for (const auto& h : handlers_) {
      if (!list.empty()) list += ", ";
      list += h.name;
    }
    return list;
  }

  std::unique_ptr<entity_state> fresh() const override { return std::make_unique<typed_state<State>>(); }
  std::unique_ptr<entity_state> decode(std::string_view bytes, std::string& error) const override {
    auto state = std::make_unique<typed_state<State>>();
    if (!decode_msgpack(bytes, state->value, error, codec_limits::stored_elements)) return nullptr;
    return state;
  }
  void encode(const entity_state& state, std::string& out) const override { encode_msgpack(value(state), out); }

  handled apply(const entity_state* from, entity_state& to, const message& m, unix_ms now) const override {
    try {
      return apply_or_throw(from, static_cast<typed_state<State>&>(to).value, m, now);
    } catch (...) {  // only memory can fail there: the text of an error takes some
      return {handled::kind::exhausted, {}, {}};
    }
  }

private:
  static const State& value(const entity_state& s) { return static_cast<const typed_state<State>&>(s).value; }

  const handler<State>* find(std::string_view message_name) const noexcept {
    for (const auto& h : handlers_)
      if (h.name == message_name) return &h;
    return nullptr;
  }

  handled apply_or_throw(const entity_state* from, State& to, const message& m, unix_ms now) const {
    const auto* h = find(m.name);
    if (!h)
      return {handled::kind::unknown_message,
              "entity type '" + name_ + "' has no message '" + std::string{m.name} + "'; it has: " + messages(),
              {}};
    try {
      context ctx{m, now};
      if (from != nullptr) to = value(*from);
      else to = State{};
      std::string error;
      if (!h->run(to, m.payload, ctx, error)) return {handled::kind::undecodable, std::move(error), {}};
      return {handled::kind::applied, {}, ctx.take_effects()};
    } catch (message_refused& r) {
      r.reason.resize(std::min(r.reason.size(), limits::reason_bytes));
      return {handled::kind::refused, std::move(r.reason), {}};
    } catch (const std::bad_alloc&) {
      return {handled::kind::exhausted, {}, {}};
    } catch (const std::exception& e) {
      return {handled::kind::failed, e.what(), {}};
    } catch (...) {
      return {handled::kind::failed, "the handler threw something that is not a std::exception", {}};
    }
  }

  std::string name_;
  id_policy ids_;
  std::vector<handler<State>> handlers_;
};

}  // namespace entity_detail
}  // namespace pawl
