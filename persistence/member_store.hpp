#pragma once

#include "cluster/view.hpp"
#include "persistence/store_outcome.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pawl {

// The commands of membership. All are single scripts over the member table, the view number, the votes and the list of
// changes, which share a slot.

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

/// Raises this member's heartbeat counter. `fenced` if the row is gone or has another incarnation: evicted. The answer
/// holds the whole table if its number is not `known`, else the rows of the `watched` members only.
struct beat_member {
  member_id self;
  view_number known;
  std::vector<std::string> watched;  ///< nodes
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

/// This member cannot reach `target`. Two members of the current table that say so (one, if there are but two members)
/// remove it and raise the view number; of two members that accuse each other the one with the lower incarnation stays.
/// `fenced` if this member or the target is not in the table.
struct accuse_member {
  member_id self;
  member_id target;
};

/// Takes an accusation back. Idempotent; `fenced` as above.
struct acquit_member {
  member_id self;
  member_id target;
};

/// Raises the view number to at least this (rule C23: after a rollback of the member table's slot).
struct raise_view {
  view_number at_least;
};

using member_operation = std::variant<read_members, join_members, beat_member, drain_member, leave_members,
                                      evict_member, accuse_member, acquit_member, raise_view>;

struct member_command {
  std::uint64_t ticket = 0;
  member_operation operation;
};

struct member_answer {
  std::uint64_t ticket = 0;
  store_outcome outcome = store_outcome::unavailable;
  store_error error = store_error::none;
  std::string text;
  /// With `done`, of a read, a join or a beat: what was read, consistently. `table.number` is set with every `done` and
  /// `fenced`.
  view table;
  bool whole = false;  ///< `table` has all members
  member_id self;      ///< after a join: this member with its incarnation
};

/// One step of the view: what changed from number - 1 to `number`.
struct view_change {
  view_number number;
  std::string node;           ///< whose row; empty: only the number was raised
  std::optional<member> row;  ///< as it is now; nothing: the member is gone
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
  /// A change of the view, soon after it happened, in order. A hint: changes may be missing (after a reconnect, or when
  /// there were many), which shows in their numbers; the table is the truth.
  std::function<void(view_change)> on_change;
};

}  // namespace pawl
