#pragma once

#include "actors/entity_type.hpp"
#include "actors/recent_messages.hpp"
#include "cluster/clock.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pawl {

/// Index of an entity type in the list given to `run`; types unknown here have none.
using type_index = std::uint32_t;

/// An entity in memory: always as the last confirmed commit left it.
struct resident {
  std::string key;
  type_index type = 0;
  /// Where the batch that is being built works on this entity, if it does: to be checked there.
  std::uint32_t work = 0;
  std::unique_ptr<entity_state> state;  ///< null: known not to exist
  std::uint64_t last_seq = 0;
  std::size_t bytes = 0;  ///< of its stored blob; 0 if it does not exist
  steady_time touched{};
  recent_messages recent;
  std::string damage;  ///< not empty: the stored blob could not be decoded, and is never overwritten
};

/// The entities of one shard that are in memory. Loaded on the first touch, dropped when idle or when there are too
/// many; what is stored is not affected by either. A resident stays in its place while others come and go. Not
/// thread-safe.
class activation {
public:
  activation();
  ~activation();
  activation(const activation&) = delete;
  activation& operator=(const activation&) = delete;

  /// Null if the entity is not in memory.
  [[nodiscard]] resident* find(type_index type, std::string_view key) const noexcept;
  /// Fills in type and key; takes the place of the one that was there.
  resident& put(type_index type, std::string_view key, resident r);
  void clear();
  [[nodiscard]] std::size_t size() const noexcept;

  /// Drops entities untouched since `idle_since`, and if there are still more than `most`, the longest untouched ones
  /// beyond that and a quarter more. The caller makes sure
  /// that no commit under way touches any (rule A5).
  void passivate(steady_time idle_since, std::size_t most);

private:
  struct table;
  std::unique_ptr<table> table_;
};

}  // namespace pawl
