#pragma once

#include "actors/batch.hpp"
#include "actors/entity.hpp"
#include "persistence/state_blob.hpp"

#include <chrono>
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
  PAWL_STATE(ids)
};

inline constexpr std::string_view ledger_type = "ledger";

/// `newer`: knows all messages; the one before an upgrade does not.
inline entity_catalog ledger_catalog(std::chrono::milliseconds retention, bool newer) {
  auto known = entity<Ledger>(std::string{ledger_type})
                   .retain(retention)
                   .on([](Ledger& l, const Append&, context& ctx) { l.ids.emplace_back(ctx.message_id()); })
                   .on([](Ledger& l, const Stumble&, context& ctx) {
                     l.ids.emplace_back(ctx.message_id());
                     throw std::runtime_error("stumbled");
                   });
  auto note = [](Ledger& l, const Amend&, context& ctx) { l.ids.emplace_back(ctx.message_id()); };
  entity_type type = newer ? entity_type{std::move(known).on(note)} : entity_type{std::move(known)};
  return {{std::move(type)}, message_digester{{1, 2, 3}}, 1024 * 1024};
}

/// The ledger stored in a blob.
inline std::vector<std::string> ids_in(std::string_view blob) {
  std::string error;
  Ledger l;
  auto stored = decode_state_blob(blob, error);
  if (!stored || !decode_msgpack(stored->state, l, error)) throw std::runtime_error("no ledger: " + error);
  return std::move(l.ids);
}

}  // namespace pawl::sim
