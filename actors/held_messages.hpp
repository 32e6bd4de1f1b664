#pragma once

#include "actors/activation.hpp"
#include "actors/entity_type.hpp"
#include "actors/message.hpp"
#include "cluster/clock.hpp"
#include "metrics/metrics.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl {

/// Early messages of a shard's sequenced entities: copies in the memory of its owner, until the numbers before them
/// have come.
///
/// Nothing depends on them: their senders were told that they are not resolved, and send them again. So they are not
/// stored, they go with the owner, and what does not fit is not held. Held, they take effect right behind the missing
/// number, without waiting for the next attempt of their sender.
///
/// Numbers are confirmed ones, unless a batch says how far it has come, which is forgotten if the batch is. Performs no
/// I/O; not thread-safe.
class held_messages {
public:
  /// @param metrics of the shard; one entry for each entity type
  explicit held_messages(shard_metrics& metrics) : metrics_(metrics) {}

  enum class outcome : std::uint8_t { held, full, too_far };
  /// Copies an early message of an entity that waits for number `expected`. One that is held already stays as it is.
  /// With no room left, higher numbers of the entity give way to it.
  outcome hold(type_index type, const message& m, std::uint64_t expected, const sequencing& how, steady_time now);

  /// The batch being built has brought the entity to this number: what is held right behind it may follow.
  void reached(type_index type, std::string_view key, std::uint64_t number);
  /// A commit has. `passed`: not since the missing numbers came, but since they did not.
  void confirmed(type_index type, std::string_view key, std::uint64_t number, bool passed);

  /// Messages of one entity, in the order of their numbers, to be handled now.
  struct run {
    type_index type = 0;
    gap on_gap = gap::wait;  ///< what to do if numbers before the first are missing
    std::vector<std::shared_ptr<const message_block>> messages;
  };
  /// What may follow. Each entity at most once until `returned`.
  [[nodiscard]] std::vector<run> take_ready();
  struct late_gap {
    type_index type = 0;
    std::string key;
    std::uint64_t expected = 0;
    std::uint64_t first = 0;  ///< held
    std::size_t held = 0;
  };
  /// Gaps that have lasted too long and are to be passed, as above; those that are reported for the first time; and
  /// messages of which nothing has been heard for `idle`, though their gap is waited for, are forgotten.
  [[nodiscard]] std::pair<std::vector<run>, std::vector<late_gap>> take_late(steady_time now,
                                                                             std::chrono::milliseconds idle);
  /// The run of this entity was handled, or given up. Whatever took effect has been confirmed before.
  void returned(type_index type, std::string_view key);

  [[nodiscard]] bool empty() const noexcept { return entities_.empty(); }
  [[nodiscard]] std::size_t count(type_index type, std::string_view key) const;
  /// When the next gap will have lasted too long.
  [[nodiscard]] std::optional<steady_time> next_late() const;
  void clear();

private:
  using name = std::pair<type_index, std::string>;
  using name_view = std::pair<type_index, std::string_view>;
  struct by_name {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const noexcept {
      return a.first != b.first ? a.first < b.first : std::string_view{a.second} < std::string_view{b.second};
    }
  };
  struct held {
    std::shared_ptr<const message_block> block;
    std::size_t bytes = 0;
    steady_time arrived{};
  };
  struct waiting {
    std::uint64_t expected = 0;
    std::map<std::uint64_t, held> messages;  ///< by number, none below `expected`; never empty
    std::size_t bytes = 0;
    sequencing how;
    steady_time heard{};  ///< the last early message
    steady_time late{};   ///< when the gap has lasted too long, or is looked at again
    bool reported = false;
    std::optional<std::uint64_t> follows;  ///< the run from this number on may be handled
    bool under_way = false;                ///< and is

    [[nodiscard]] bool has_gap() const { return messages.begin()->first != expected; }
  };
  using entities = std::map<name, waiting, by_name>;

  [[nodiscard]] bool make_room(entities::iterator& e, std::uint64_t seq, std::size_t bytes, const sequencing& how);
  void look_again(entities::iterator e, steady_time at);
  void drop(waiting& w, std::map<std::uint64_t, held>::iterator m, type_index type);
  void forget(entities::iterator e);
  [[nodiscard]] static run run_of(const entities::iterator& e, std::uint64_t from, gap on_gap);

  shard_metrics& metrics_;
  entities entities_;
  std::set<std::pair<steady_time, name>> late_;
  std::set<name> ready_;
  std::size_t messages_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace pawl
