#pragma once

#include "cluster/view.hpp"
#include "persistence/store_outcome.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace pawl {

// The commands of membership. All are single scripts over the member table and the view number, which share a slot.

/// Reads table and view number.
struct read_members {};

/// Adds this node. Refused (`fenced`) if a row with its name exists, unless `replaces` holds exactly that row's
/// incarnation and beat: then the row is replaced. Hands out a new incarnation; raises the view number.
struct join_members {
  std::string node;
  std::string peer_address;
  std::string http_address;
  std::optional<std::pair<std::uint64_t, std::uint64_t>> replaces;  ///< incarnation, beat
};

/// Raises this member's heartbeat counter. `fenced` if the row is gone or has another incarnation: evicted.
struct beat_member {
  member_id self;
};

/// Marks this member as draining; raises the view number. Idempotent.
struct drain_member {
  member_id self;
};

/// Removes this member; raises the view number. Idempotent.
struct leave_members {
  member_id self;
};

/// Removes another member, if its row still holds exactly this incarnation and beat; raises the view number.
struct evict_member {
  member_id target;
  std::uint64_t beat = 0;
};

/// Raises the view number to at least this (rule C23: after a rollback of the member table's slot).
struct raise_view {
  view_number at_least;
};

using member_operation =
    std::variant<read_members, join_members, beat_member, drain_member, leave_members, evict_member, raise_view>;

struct member_command {
  std::uint64_t ticket = 0;
  member_operation operation;
};

/// Every answer that is `done` carries the whole table after the operation, in one consistent read; `fenced` does too.
struct member_answer {
  std::uint64_t ticket = 0;
  store_outcome outcome = store_outcome::unavailable;
  store_error error = store_error::none;
  std::string text;
  view table;
  member_id self;  ///< after a join: this member with its incarnation
};

/// As `shard_store`: thread-safe, answers in order on the store's thread. Uses a connection of its own, so that beats
/// never queue behind commits.
class member_store {
public:
  virtual ~member_store() = default;
  virtual void send(member_command command) = 0;
};

struct member_store_handlers {
  std::function<void(member_answer)> on_answer;
  std::function<void(bool up)> on_connection;
};

}  // namespace pawl
