#pragma once

#include "actors/batch.hpp"
#include "actors/entity.hpp"
#include "persistence/state_blob.hpp"
#include "tests/sim/purse.hpp"

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// The entity of the simulated cluster: it notes the id of every message that took effect, in that order, so what is
// stored shows what was lost, came twice, or came out of order.

namespace pawl::sim {

struct Append {
  PAWL_MESSAGE(Append)
};
/// What an applied `Append` replies: how many messages had taken effect with it.
struct Place {
  std::uint64_t count = 0;
  PAWL_FIELDS(count)
};
/// Sent to the echo of the ledger, for each `Append`.
struct Echo {
  std::string id;
  PAWL_MESSAGE(Echo, id)
};
/// Comes from a timer, of which each message whose number is a multiple of three sets one.
struct Tick {
  PAWL_MESSAGE(Tick)
};
/// Notes its id, then throws: refused for good, without effect.
struct Stumble {
  PAWL_MESSAGE(Stumble)
};
/// Known to newer nodes only.
struct Amend {
  PAWL_MESSAGE(Amend)
};
struct Ledger {
  std::vector<std::string> ids;
  std::vector<std::string> ticks;  ///< messages whose timer has fired
  PAWL_STATE(ids, ticks)
};

inline constexpr std::string_view ledger_type = "ledger";
inline constexpr std::string_view echo_type = "echo";
/// A ledger whose messages take effect in the order of their numbers.
inline constexpr std::string_view journal_type = "journal";
/// Mostly in another shard than the ledger.
inline std::string echo_key(std::string_view key) { return "echo of " + std::string{key}; }
/// Of the message among those of its sender.
inline std::uint64_t number_in(std::string_view id) { return std::stoull(std::string{id.substr(id.find('.') + 1)}); }
inline bool sets_timer(std::string_view id) { return number_in(id) % 3 == 0; }

inline void append(Ledger& l, context& ctx) {
  const auto id = ctx.message_id();
  l.ids.emplace_back(id);
  ctx.send(echo_type, echo_key(ctx.key()), Echo{std::string{id}});
  if (const auto n = number_in(id); pays(n)) ctx.send(purse_type, purse_key(n / 2), payment(n));
  if (sets_timer(id)) {
    // Set again, it is another, and fires once all the same.
    ctx.schedule(id, std::chrono::milliseconds{5}, Tick{});
    ctx.schedule(id, std::chrono::milliseconds{20 + 7 * (l.ids.size() % 50)}, Tick{});
  }
  ctx.reply(Place{l.ids.size()});
}
inline void tick(Ledger& l, const context& ctx) {
  // timer/<its name>/<when it was due>
  constexpr std::string_view prefix = "timer/";
  const auto name = ctx.message_id().substr(prefix.size());
  l.ticks.emplace_back(name.substr(0, name.find('/')));
}

/// `newer`: knows all messages; the one before an upgrade does not.
inline entity_catalog ledger_catalog(std::chrono::milliseconds retention, bool newer, std::uint32_t shards,
                                     const sequencing& numbers) {
  auto stumble = [](Ledger& l, const Stumble&, context& ctx) {
    l.ids.emplace_back(ctx.message_id());
    throw std::runtime_error("stumbled");
  };
  auto known = entity<Ledger>(std::string{ledger_type})
                   .retain(retention)
                   .on([](Ledger& l, const Append&, context& ctx) { append(l, ctx); })
                   .on([](Ledger& l, const Tick&, context& ctx) { tick(l, ctx); })
                   .on(stumble);
  auto note = [](Ledger& l, const Amend&, context& ctx) { l.ids.emplace_back(ctx.message_id()); };
  entity_type type = newer ? entity_type{std::move(known).on(note)} : entity_type{std::move(known)};
  entity_type echo = entity<Ledger>(std::string{echo_type}).on([](Ledger& l, const Echo& m) { l.ids.push_back(m.id); });
  auto numbered = entity<Ledger>(std::string{journal_type})
                      .retain(retention)
                      .sequenced(numbers)
                      .on([](Ledger& l, const Append&, context& ctx) { l.ids.emplace_back(ctx.message_id()); })
                      .on(stumble);
  entity_type journal = newer ? entity_type{std::move(numbered).on(note)} : entity_type{std::move(numbered)};
  return {{std::move(type), std::move(echo), std::move(journal), purse()},
          message_digester{{1, 2, 3}},
          1024 * 1024,
          shards};
}

/// The ledger stored in a blob; nothing stored is an empty one.
inline Ledger ledger_in(std::string_view blob) {
  std::string error;
  Ledger l;
  if (blob.empty()) return l;
  auto stored = decode_state_blob(blob, error);
  if (stored && stored->state.empty()) return l;
  if (!stored || !decode_msgpack(stored->state, l, error)) throw std::runtime_error("no ledger: " + error);
  return l;
}
inline std::vector<std::string> ids_in(std::string_view blob) { return ledger_in(blob).ids; }

}  // namespace pawl::sim
