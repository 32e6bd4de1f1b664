#pragma once

#include "actors/entity_context.hpp"
#include "actors/entity_handlers.hpp"
#include "actors/entity_type.hpp"
#include "persistence/codec_fields.hpp"

#include <chrono>
#include <concepts>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace pawl {

/// Describes one type of entity: its state, and what each message does to it.
///
///   struct Deposit { std::int64_t cents = 0;   PAWL_MESSAGE(Deposit, cents) };
///   struct Account { std::int64_t balance = 0; PAWL_STATE(balance) };
///
///   auto account = pawl::entity<Account>("account").on([](Account& a, const Deposit& d) { a.balance += d.cents; });
///   return pawl::run(argc, argv, {account});
///
/// The first message for a key finds `State{}`. A handler works on a copy of the state, which takes the place of the
/// state when the handler returns; one that throws leaves no trace but a refusal with its `what()`.
///
/// Handlers are called by several threads at once, for different entities: they must not share anything that changes.
/// They should depend on nothing but their arguments, since after a failure a message may be handled again, from the
/// same state.
template <class State>
class entity {
  static_assert(state_struct<State>,
                "the state of an entity is a struct that lists its members with PAWL_STATE(members...)");
  static_assert(std::default_initializable<State> && std::copyable<State> && std::is_nothrow_move_assignable_v<State>,
                "the state of an entity has defaults and can be copied, and moving it does not throw");

public:
  /// @param name what senders write as "type": `[A-Za-z0-9_.-]{1,64}`. Stored with every entity: never rename.
  /// @throws std::invalid_argument for another name
  explicit entity(std::string name) : name_(std::move(name)) {
    if (!is_name(name_))
      throw std::invalid_argument("entity name '" + name_ + "': must be 1 to 64 letters, digits, '_', '.' or '-'");
  }

  /// Adds a handler: a function or lambda `(State&, const M&)` or `(State&, const M&, pawl::context&)`, where M is a
  /// struct with PAWL_MESSAGE. What it returns is ignored.
  /// @throws std::invalid_argument if M's name has a handler already
  template <class F>
  entity&& on(F handler) && {
    add_deduced(std::move(handler));
    return std::move(*this);
  }
  template <class F>
  entity& on(F handler) & {
    add_deduced(std::move(handler));
    return *this;
  }

  /// As above, for handlers whose message type cannot be deduced: `on<Deposit>([](auto& a, const auto& d) {…})`.
  template <class M, class F>
  entity&& on(F handler) && {
    add<M>(std::move(handler));
    return std::move(*this);
  }
  template <class M, class F>
  entity& on(F handler) & {
    add<M>(std::move(handler));
    return *this;
  }

  /// How long the ids of handled messages are kept at least; 7 days if not said. Within this time a repeated message
  /// is recognised; one that was sent earlier and is not known is refused as too old, never handled again.
  /// @throws std::invalid_argument unless positive
  entity&& retain(std::chrono::milliseconds at_least) && {
    set_retention(at_least);
    return std::move(*this);
  }
  entity& retain(std::chrono::milliseconds at_least) & {
    set_retention(at_least);
    return *this;
  }

  /// Handling a message twice does what handling it once does: no ids are kept, which saves a third of a commit's
  /// bytes. From sources that number their messages, other entities among them, each is still handled once and in
  /// order. But a copy of any other message is handled when it comes, also after messages that were sent after it (rule
  /// A6): do not choose this where such a copy would undo something.
  /// @throws std::invalid_argument if the type is sequenced
  entity&& idempotent() && {
    set_idempotent();
    return std::move(*this);
  }
  entity& idempotent() & {
    set_idempotent();
    return *this;
  }

  /// Messages from outside take effect in the order of their numbers, `seq`, which begin with 1 for each key and leave
  /// none out; whoever has a message may send it, at any time, through any node. The next number is handled; one that
  /// was handled is a duplicate, for ever; an earlier-than-expected one is answered `busy`, code `early`, and sent
  /// again like any unresolved message, while a copy of it waits in the owner's memory and takes effect right behind
  /// the missing ones. A message without a number is refused. One that is refused for good uses its number up.
  ///
  /// Messages of other entities, of timers and of numbering sources have an order of their own: they are taken as they
  /// come, and the entity's number stays as it is.
  /// @throws std::invalid_argument if the type is idempotent, or a bound does not hold
  entity&& sequenced(const sequencing& how = {}) && {
    set_sequencing(how);
    return std::move(*this);
  }
  entity& sequenced(const sequencing& how = {}) & {
    set_sequencing(how);
    return *this;
  }

  /// The finished type; later changes to the builder do not reach it.
  operator entity_type() const {  // implicit: `run` takes a list of these
    return std::make_shared<entity_detail::typed_behavior<State>>(name_, ids_, handlers_);
  }

private:
  template <class F>
  void add_deduced(F handler) {
    static_assert(entity_detail::has_signature<F>,
                  "the message type of this handler cannot be deduced: name it, as in .on<Message>(handler)");
    if constexpr (entity_detail::has_signature<F>) add<entity_detail::deduced_message<F>>(std::move(handler));
  }

  template <class M, class F>
  void add(F handler) {
    static_assert(!std::is_void_v<M>, "a handler takes (State&, const Message&) or (State&, const Message&, context&)");
    if constexpr (!std::is_void_v<M>) {
      static_assert(message_struct<M>, "a message is a struct with PAWL_MESSAGE(Name, members...)");
      constexpr bool callable =
          std::invocable<const F&, State&, const M&> || std::invocable<const F&, State&, const M&, context&>;
      static_assert(callable,
                    "a handler takes (State&, const Message&) or (State&, const Message&, context&), with the "
                    "State of its entity, and is not mutable: several threads call it at once");
      if constexpr (message_struct<M> && callable) {
        static_assert(is_name(M::pawl_message_name()), "the name of a message has at most 64 letters, digits or '_'");
        for (const auto& h : handlers_)
          if (h.name == M::pawl_message_name())
            throw std::invalid_argument("entity '" + name_ + "': message '" + std::string{h.name} +
                                        "' has a handler already");
        handlers_.push_back(entity_detail::make_handler<State, M>(std::move(handler)));
      }
    }
  }

  void set_retention(std::chrono::milliseconds at_least) {
    if (at_least <= std::chrono::milliseconds::zero())
      throw std::invalid_argument("entity '" + name_ + "': the retention must be longer than zero");
    ids_.retention = at_least;
  }

  // The number alone says that a message was dealt with, its id what became of it.
  void set_idempotent() {
    if (ids_.by_number)
      throw std::invalid_argument("entity '" + name_ + "': a sequenced type keeps ids, so it cannot be idempotent");
    ids_.tracked = false;
  }
  void set_sequencing(const sequencing& how) {
    if (!ids_.tracked)
      throw std::invalid_argument("entity '" + name_ + "': a sequenced type keeps ids, so it cannot be idempotent");
    if (how.gap_timeout <= std::chrono::milliseconds::zero())
      throw std::invalid_argument("entity '" + name_ + "': the gap_timeout must be longer than zero");
    if (how.hold < 1 || how.hold > limits::held_per_shard)
      throw std::invalid_argument("entity '" + name_ + "': hold is 1 to " + std::to_string(limits::held_per_shard));
    ids_.by_number = how;
  }

  std::string name_;
  id_policy ids_;
  std::vector<entity_detail::handler<State>> handlers_;
};

}  // namespace pawl
