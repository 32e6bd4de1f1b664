#pragma once

#include "actors/handler_effects.hpp"
#include "actors/message.hpp"
#include "cluster/ids.hpp"
#include "persistence/field_list.hpp"
#include "persistence/position.hpp"
#include "persistence/slot_numbers.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pawl {

/// One pending timer.
struct timer {
  entity_id entity;
  std::string name;  ///< unique within the entity
  unix_ms due = 0;
  std::string message;  ///< name of the message it becomes
  std::string payload;
  std::string trace{};  ///< of the message that set it
  friend bool operator==(const timer&, const timer&) = default;
};

/// The pending timers of one shard. A timer that fires becomes a message, and the commit of that message removes it: it
/// fires once, whoever owns the shard when. All are in memory, so that nothing is scanned to find those that are due;
/// each is stored in a field of its own:
///     \0t<slot>   version:u8 type:bytes key:bytes name:bytes due:i64 message:bytes payload:bytes; empty: none
///                 of version 2, if it has a trace, with trace:bytes behind
///
/// Changes are staged for the commit being built, and either confirmed or dropped. Not thread-safe.
class timer_book {
public:
  static constexpr char kind = 't';
  /// Names one setting of a timer: set again, it has another.
  using serial = std::uint64_t;

  // Building a commit. All of these see what is staged.
  void set(const entity_id& entity, timer_change change);
  void cancel(const entity_id& entity, std::string_view name);
  void cancel_all(const entity_id& entity);
  /// Null if that setting of the timer is not pending any more.
  [[nodiscard]] const timer* pending(serial s) const;
  void fired(serial s);
  /// Its message did not take effect after all; nothing of that name was staged since.
  void unfired(serial s);

  [[nodiscard]] bool staged() const noexcept { return !staged_.empty(); }
  void seal(field_list& out);
  void confirm();
  void drop();

  /// It is not due before `until`, however long it has been: it could not be handled, and others shall come before it
  /// is tried again. Nothing of that is stored.
  void postpone(serial s, unix_ms until);

  // As confirmed.
  /// The earliest that are due, at most `most`, in the order in which they were due.
  [[nodiscard]] std::vector<std::pair<serial, const timer*>> due(unix_ms now, std::size_t most) const;
  [[nodiscard]] std::optional<unix_ms> next_due() const;
  [[nodiscard]] std::vector<const timer*> of(const entity_id& entity) const;
  [[nodiscard]] std::size_t size() const noexcept { return timers_.size(); }

  // Loading.
  [[nodiscard]] std::uint32_t slots() const noexcept { return slots_.count(); }
  void reset(std::uint32_t slots);
  /// False if the bytes are damaged.
  [[nodiscard]] bool load(std::uint32_t slot, std::string_view bytes);
  void load_nothing(std::uint32_t slot) { slots_.release(slot); }

  [[nodiscard]] std::vector<std::uint32_t> stale(std::size_t most) const { return slots_.stale(most); }
  void cleaned(std::uint32_t slot) { slots_.cleaned(slot); }

private:
  struct entry {
    timer what;
    std::uint32_t slot = 0;
    unix_ms not_before = 0;  ///< `due`, or when it is to be tried again
  };
  /// What becomes of one timer, by its name.
  struct change {
    std::optional<serial> was;  ///< confirmed setting that ends
    std::optional<timer> becomes;
    serial number = 0;                    ///< of the new setting
    std::optional<std::uint32_t> slot{};  ///< of the new setting, once sealed
  };
  using name_key = std::tuple<std::string, std::string, std::string>;  ///< type, key, timer
  [[nodiscard]] std::optional<serial> confirmed(const name_key& k) const;
  change& change_of(const name_key& k);
  void add(serial s, entry e);
  void remove(serial s);

  slot_numbers slots_;
  serial last_ = 0;
  std::unordered_map<serial, entry> timers_;
  std::map<name_key, serial> by_name_;
  std::set<std::tuple<unix_ms, unix_ms, serial>> by_due_;  ///< `not_before`, `due`
  std::map<name_key, change> staged_;
};

}  // namespace pawl
