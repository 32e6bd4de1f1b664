#pragma once

#include "actors/testing.hpp"
#include "actors/testing/chance.hpp"
#include "actors/testing/handling.hpp"
#include "cluster/ids.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace pawl::testing {

/// A message on its way to an entity, with its own bytes.
struct parcel {
  entity_id to;
  std::string name;
  std::string payload;
  std::string id;
  unix_ms sent_at = 0;
  std::uint64_t seq = 0;
  std::string source;  ///< as in a dead letter
  std::string trace{};

  [[nodiscard]] message view() const {
    return {.type = to.type,
            .key = to.key,
            .name = name,
            .id = id,
            .payload = payload,
            .sent_at = sent_at,
            .seq = seq,
            .trace = trace};
  }
};

/// All that is stored and all that is under way. Each step delivers one message, drawn from those that may come next.
class cluster::world {
public:
  world(std::vector<entity_type> types, const options& o);

  answer send(parcel p);
  void post(parcel p);
  /// Fills in what a sender left out.
  [[nodiscard]] parcel addressed(std::string_view type, std::string_view key, std::string_view name,
                                 std::string payload, envelope e);

  void run();
  void advance(std::chrono::milliseconds span);
  void run_to_end();

  unix_ms now;
  std::map<entity_id, std::string> states;
  std::vector<dead_letter> letters;
  counts happened;
  [[nodiscard]] std::vector<pending_timer> timers_of(const entity_id& e) const;
  [[nodiscard]] std::size_t held(const entity_id& e) const;

private:
  struct timer {
    unix_ms due = 0;
    std::uint64_t serial = 0;
    std::string message;
    std::string payload;
    std::string trace;
  };
  /// Messages that keep their order. The first is under way, and not before that time.
  struct lane {
    std::deque<std::pair<std::uint64_t, parcel>> waiting;  ///< with their numbers
    unix_ms not_before = 0;
    std::uint64_t last = 0;   ///< number handed out
    std::uint64_t taken = 0;  ///< by the receiver: it and all before have taken effect
  };
  using shard_pair = std::pair<shard_id, shard_id>;
  using due_timer = std::tuple<unix_ms, std::uint64_t, entity_id, std::string>;
  struct known_id {
    std::string name;
    std::string payload;
    message_result result;
  };
  /// What may come next: exactly one of these.
  struct source {
    const entity_id* client = nullptr;
    const shard_pair* pair = nullptr;
    std::optional<due_timer> timer{};
    std::optional<std::multimap<unix_ms, parcel>::iterator> copy{};
    const entity_id* gap = nullptr;  ///< of this entity lasts too long
  };
  /// A message that came before its turn.
  struct early_message {
    parcel what;
    unix_ms since = 0;
    bool by_sender = false;  ///< its sender keeps it as well, and sends it again; else it goes with its owner
  };
  enum class horizon : std::uint8_t { deliveries, everything };

  [[nodiscard]] bool step();
  [[nodiscard]] std::vector<source> ready();
  /// When the next thing becomes possible that is not yet; with `deliveries`, only messages count.
  [[nodiscard]] std::optional<unix_ms> next(horizon h) const;
  void settle(unix_ms until, horizon h);

  void deliver_from_client(const entity_id& e);
  void deliver_from_shard(const shard_pair& between);
  void fire(const due_timer& t);
  void deliver_copy(std::multimap<unix_ms, parcel>::iterator at);

  /// What the receiver makes of a message from outside; nothing: it crashed.
  [[nodiscard]] std::optional<message_result> judge(const parcel& p);
  [[nodiscard]] std::optional<message_result> take(const parcel& p, bool sequenced, const due_timer* t);
  [[nodiscard]] std::optional<message_result> recall(const parcel& p);
  [[nodiscard]] std::optional<message_result> take_new(const parcel& p);
  [[nodiscard]] std::optional<message_result> judge_numbered(const parcel& p, const sequencing& how);
  void keep_early(const parcel& p);
  void follow(const entity_id& e);
  void forget_held(shard_id s);
  [[nodiscard]] std::optional<unix_ms> passes_gap_at(const entity_id& e) const;
  void pass_gap(const entity_id& e);
  void carry_out(const entity_id& e, handler_effects&& effects);
  void set_timer(const entity_id& e, timer_change change);
  void drop_timer(const entity_id& e, const std::string& name);
  void bury(const parcel& p, const message_result& r);
  void hold_up(lane& l);
  [[nodiscard]] const entity_behavior* type(std::string_view name) const;
  [[nodiscard]] shard_id shard(const entity_id& e) const { return shard_of(e.key, options_.shards); }
  [[nodiscard]] unix_ms serves_from(shard_id s) const;

  std::vector<entity_type> types_;
  options options_;
  chance chance_;
  std::uint64_t serial_ = 0;
  std::size_t steps_ = 0;
  std::map<entity_id, std::map<std::string, timer>> timers_;
  std::map<shard_id, std::set<due_timer>> by_due_;
  std::map<std::pair<entity_id, std::string>, known_id> known_;
  std::map<entity_id, lane> clients_;
  std::map<shard_pair, lane> pairs_;
  std::multimap<unix_ms, parcel> copies_;
  std::map<entity_id, std::uint64_t> numbers_;                        ///< used up by sequenced entities
  std::map<entity_id, std::map<std::uint64_t, early_message>> held_;  ///< by number
  std::map<shard_id, unix_ms> down_until_;
  std::map<std::pair<entity_id, std::uint64_t>, std::optional<message_result>> awaited_;  ///< by client and number
};

}  // namespace pawl::testing
