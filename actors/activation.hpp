#pragma once

#include "actors/entity_type.hpp"
#include "cluster/clock.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace pawl {

/// Index of an entity type in the list given to `run`; types unknown here have none.
using type_index = std::uint32_t;

/// An entity in memory: always as the last confirmed commit left it.
struct resident {
  std::unique_ptr<entity_state> state;  ///< null: known not to exist
  std::uint64_t last_seq = 0;
  std::size_t bytes = 0;  ///< of its stored blob; 0 if it does not exist
  steady_time touched{};
  std::string damage;  ///< not empty: the stored blob could not be decoded, and is never overwritten
};

/// The entities of one shard that are in memory. Loaded on the first touch, dropped when idle or when there are too
/// many; what is stored is not affected by either. Not thread-safe.
class activation {
public:
  /// Null if the entity is not in memory.
  [[nodiscard]] resident* find(type_index type, std::string_view key);
  resident& put(type_index type, std::string_view key, resident r);
  void clear() { residents_.clear(); }
  [[nodiscard]] std::size_t size() const noexcept { return residents_.size(); }

  /// Drops entities untouched since `idle_since`, and the longest untouched ones beyond `most`. The caller makes sure
  /// that no commit under way touches any (rule A5).
  void passivate(steady_time idle_since, std::size_t most);

private:
  struct name_view {
    type_index type;
    std::string_view key;
  };
  struct name {
    type_index type;
    std::string key;
    operator name_view() const noexcept { return {type, key}; }  // NOLINT(google-explicit-constructor): for lookups
  };
  struct hash {
    using is_transparent = void;
    std::size_t operator()(name_view n) const noexcept {
      return std::hash<std::string_view>{}(n.key) ^ (n.type * 0x9e3779b97f4a7c15u);
    }
  };
  struct equal {
    using is_transparent = void;
    bool operator()(name_view a, name_view b) const noexcept { return a.type == b.type && a.key == b.key; }
  };
  std::unordered_map<name, resident, hash, equal> residents_;
};

}  // namespace pawl
