#pragma once

#include "tests/contract/redis_server.hpp"

#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

namespace pawl::testing {

/// An order as it lies in Redis.
struct stored_order {
  std::string status;
  std::uint64_t events = 0;
  std::string chain;
};

/// All orders that Redis holds under the current tokens, by key. Asks no node and shares no code with the runtime: the
/// names and bytes are those of persistence/SCHEMA.md.
/// @throws std::runtime_error if a shard's record, its live key and its data do not fit each other
[[nodiscard]] std::map<std::string, stored_order> stored_orders(const redis_server& store, std::uint32_t shards);

/// Data names that are not under the current token of their shard: written by owners that were none any more.
[[nodiscard]] std::vector<std::string> dead_names(const redis_server& store);

/// What became of the events that were sent and resolved.
struct verdict {
  std::uint64_t events = 0;        ///< that had to take effect
  std::uint64_t lost = 0;          ///< events
  std::uint64_t twice = 0;         ///< events
  std::uint64_t out_of_order = 0;  ///< orders whose events are as many as must be, but not those, or not in order
  std::uint64_t invented = 0;      ///< orders of which no event was sent
  std::vector<std::string> examples;

  [[nodiscard]] bool flawless() const noexcept { return lost == 0 && twice == 0 && out_of_order == 0 && invented == 0; }
};
/// `lost 0, twice 0, out of order 0, invented 0 of 5,000 events`, and examples of what is wrong.
std::ostream& operator<<(std::ostream& out, const verdict& v);

/// @param sent how many events of each order have to have taken effect, each once and in order
[[nodiscard]] verdict judge(const std::map<std::string, std::uint64_t>& sent,
                            const std::map<std::string, stored_order>& stored);

}  // namespace pawl::testing
