#pragma once

#include "actors/entity.hpp"
#include "persistence/state_blob.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

// Units that go round between purses in all shards, message for message: each that is taken was given, and in the end
// each that was given is taken. So messages that messages have caused are watched too, and those of many to one.

namespace pawl::sim {

/// Sent by a ledger.
struct Pay {
  std::uint64_t units = 0;
  std::uint64_t hops = 0;
  PAWL_MESSAGE(Pay, units, hops)
};
/// From the purse before. Some of it goes on.
struct Take {
  std::uint64_t units = 0;
  std::uint64_t hops = 0;
  PAWL_MESSAGE(Take, units, hops)
};
struct Purse {
  static constexpr std::uint64_t at_first = 20;
  std::uint64_t units = at_first;
  std::uint64_t paid = 0;  ///< how many `Pay` have come
  std::uint64_t given = 0;
  std::uint64_t taken = 0;
  PAWL_STATE(units, paid, given, taken)
};

inline constexpr std::string_view purse_type = "purse";
inline constexpr std::uint64_t purses = 4;
inline std::string purse_key(std::uint64_t n) { return "p" + std::to_string(n % purses); }
/// Each second message of a ledger has a purse pay.
inline bool pays(std::uint64_t number) { return number % 2 == 1; }
inline Pay payment(std::uint64_t number) { return {1 + number % 3, number % 4}; }

inline void give(Purse& p, std::uint64_t units, std::uint64_t hops, context& ctx) {
  if (p.units < units) return;
  p.units -= units;
  p.given += units;
  ctx.send(purse_type, purse_key(std::stoull(std::string{ctx.key().substr(1)}) + 1), Take{units, hops});
}

inline entity_type purse() {
  return entity<Purse>(std::string{purse_type})
      .on([](Purse& p, const Pay& m, context& ctx) {
        ++p.paid;
        give(p, m.units, m.hops, ctx);
      })
      .on([](Purse& p, const Take& m, context& ctx) {
        p.units += m.units;
        p.taken += m.units;
        if (m.hops > 0) give(p, 1, m.hops - 1, ctx);
      });
}

/// The purse stored in a blob; nothing stored is one of which nothing is known yet.
inline Purse purse_in(std::string_view blob) {
  std::string error;
  Purse p;
  if (blob.empty()) return p;
  const auto stored = decode_state_blob(blob, error);
  if (!stored || !decode_msgpack(stored->state, p, error)) throw std::runtime_error("no purse: " + error);
  return p;
}

}  // namespace pawl::sim
