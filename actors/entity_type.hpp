#pragma once

#include "actors/handler_effects.hpp"
#include "actors/message.hpp"

#include <chrono>
#include <memory>
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

/// How duplicates of an entity type are recognised: processed ids, kept at least this long after the greatest accepted
/// `sent_at` (rule A7); or not at all.
struct id_policy {
  bool tracked = true;
  std::chrono::milliseconds retention = std::chrono::hours{24 * 7};
  std::size_t ids_per_shard = 4'000'000;  ///< at this count, with all younger than the window: busy
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
