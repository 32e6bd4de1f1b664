#pragma once

#include "actors/handler_effects.hpp"
#include "actors/message.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pawl {

/// State of one entity, its user type erased.
class entity_state {
public:
  virtual ~entity_state() = default;
};

/// What a handler did with a message.
struct handled {
  enum class kind : std::uint8_t {
    applied,
    unknown_message,  ///< no handler of that name (not for good: a newer node may know it, rule B14)
    undecodable,      ///< `text` names field and type
    failed,           ///< the handler threw; `text` is its what()
    refused,          ///< the handler called ctx.refuse(text)
    exhausted,        ///< out of memory (not for good)
  };
  kind what = kind::applied;
  std::string text;
  std::unique_ptr<handler_effects> effects;  ///< of an applied message; null: none but the state
};

/// What becomes of an entity whose next number does not come while later ones wait.
enum class gap : std::uint8_t {
  wait,         ///< it is reported; the entity waits on
  skip,         ///< the entity goes on behind it, and a dead letter says which numbers are missing
  dead_letter,  ///< the messages held behind it become dead letters, and the entity goes on behind those
};

/// For types whose messages take effect in the order of their numbers (`seq`): 1, 2, 3, … for each key.
struct sequencing {
  gap on_gap = gap::wait;
  /// A gap that has lasted this long, since the first early message behind it, is reported, and passed if `on_gap` says
  /// so.
  std::chrono::milliseconds gap_timeout = std::chrono::seconds{30};
  std::size_t hold = 256;  ///< early messages kept in memory for each entity, 1 to `limits::held_per_shard`
};

namespace limits {
/// Early messages in the memory of a shard's owner. What does not fit is not held: its sender sends it again anyway.
inline constexpr std::size_t held_per_shard = 4'096;
inline constexpr std::size_t held_bytes_per_entity = 2 * 1024 * 1024;
inline constexpr std::size_t held_bytes_per_shard = 8 * 1024 * 1024;
/// A number further ahead is not held, so that no gap is passed for the sake of a number that makes no sense: the
/// entity would be behind all numbers that do.
inline constexpr std::uint64_t numbers_ahead = 1'000'000;
}  // namespace limits

/// How duplicates of an entity type are recognised: processed ids, kept at least this long after the greatest accepted
/// `sent_at` (rule A7); or not at all.
struct id_policy {
  bool tracked = true;
  std::chrono::milliseconds retention = std::chrono::hours{24 * 7};
  std::size_t ids_per_shard = 4'000'000;  ///< at this count, with all younger than the window: busy
  std::optional<sequencing> by_number{};  ///< nothing: in the order of arrival
};

/// One entity type as the runtime sees it. Immutable, and so usable from all threads at once.
class entity_behavior {
public:
  virtual ~entity_behavior() = default;
  [[nodiscard]] virtual const std::string& name() const noexcept = 0;
  [[nodiscard]] virtual const id_policy& ids() const noexcept = 0;
  [[nodiscard]] virtual bool knows(std::string_view message_name) const noexcept = 0;
  /// Names of its messages, comma separated, for error texts.
  [[nodiscard]] virtual std::string messages() const = 0;
  [[nodiscard]] virtual std::unique_ptr<entity_state> fresh() const = 0;
  /// Null, with `error` set, if the bytes do not fit. Stored state is then never overwritten.
  [[nodiscard]] virtual std::unique_ptr<entity_state> decode(std::string_view bytes, std::string& error) const = 0;
  /// Appends the msgpack of the state.
  virtual void encode(const entity_state& state, std::string& out) const = 0;
  /// Makes `to` what the handler makes of a copy of `from`; null is an entity that does not exist yet. Unless the
  /// answer is `applied`, what `to` holds then is of no use but as room for another call: states that are copied into
  /// take less than new ones. `now`: the owner's wall clock, for timers. Never throws.
  [[nodiscard]] virtual handled apply(const entity_state* from, entity_state& to, const message& m,
                                      unix_ms now) const = 0;
};

/// A finished entity type, as given to `pawl::run`.
using entity_type = std::shared_ptr<const entity_behavior>;

}  // namespace pawl
