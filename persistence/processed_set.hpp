#pragma once

#include "cluster/ids.hpp"
#include "persistence/frontier.hpp"
#include "persistence/id_set.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl {

struct retention_policy {
  std::chrono::milliseconds window = std::chrono::hours{24 * 7};
  std::size_t ids_max = 4'000'000;
};

/// The ids of messages of one entity type that took effect in one shard (or were refused for good), and the floor below
/// which ids can no longer be judged.
///
/// Exact within its bounds: a known id is a duplicate; an unknown id with `sent_at` at or below the floor is too old;
/// any other is new (rule A7). What is in memory is always what a *confirmed* commit has stored: a commit under way
/// lives in a `staged` value and is either confirmed or dropped.
///
/// Stored in groups of packed ids, fields `\0i<type>/<n>`; the bytes of a group:
///     version:u8  greatest sent_at:i64  { digest:16 } …
/// A group is rewritten with its ids so far until it holds `group_ids`, so that small batches do not make tiny fields.
/// Not thread-safe.
class processed_set {
public:
  static constexpr std::size_t group_ids = 32;

  enum class verdict : std::uint8_t {
    fresh,
    duplicate,  ///< took effect
    refused,    ///< was refused for good
    reused,     ///< the id is known with other content
    too_old,    ///< unknown, at or below the floor
  };

  /// What a commit adds. Plain data: dropping it undoes it.
  struct staged {
    std::vector<message_digest> ids;
    unix_ms greatest_sent_at = 0;  ///< of `ids`
    unix_ms high = 0;              ///< greatest `sent_at` that moves the window (not of messages from the future)
    // Filled in by `seal`:
    std::string group;  ///< bytes of the group written
    std::uint64_t group_number = 0;
    bool new_group = false;
    id_groups after;  ///< what the frontier will say

    /// Keeps its room.
    void clear() {
      ids.clear();
      greatest_sent_at = high = 0;
      group.clear();
    }
  };

  processed_set(std::string type, retention_policy policy);
  processed_set(processed_set&&) = default;
  processed_set& operator=(processed_set&&) = default;

  /// `known`: the digest as it is kept, if its id is.
  [[nodiscard]] verdict judge(const message_digest& d, unix_ms sent_at, message_digest& known) const noexcept;
  [[nodiscard]] verdict judge(const message_digest& d, unix_ms sent_at) const noexcept {
    message_digest known;
    return judge(d, sent_at, known);
  }
  /// True if `more` ids would exceed the count limit, also once all that leaves the window is gone. The floor is never
  /// raised for it (rule A7). `high`: greatest `sent_at` of the messages that are about to be accepted. Without it a
  /// set that is full stays full, since nothing is accepted that could move the window.
  [[nodiscard]] bool full(std::size_t more, unix_ms high = 0) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  /// How many hash sets a lookup of an unknown id asks.
  [[nodiscard]] std::size_t generations() const noexcept { return generations_.size(); }
  [[nodiscard]] const id_groups& groups() const noexcept { return groups_; }

  /// Computes the group to write and the frontier entry, including a raised floor if the oldest ids left the window.
  void seal(staged& s) const;
  /// The commit that carried `s` is confirmed.
  void confirm(const staged& s);

  /// Fields that a confirmed commit has declared dead; empty if there are none. At most `most`. Replies go before the
  /// groups that name them: a group that is still there after a claim tells which replies may be (rule D35).
  [[nodiscard]] std::vector<std::string> dead_fields(std::size_t most);
  /// Those were removed. The next commit stores that.
  void removed();

  /// Forgets everything and begins again from what the frontier says.
  void reset(id_groups g);
  /// Names of the groups that are dead and may still be there, in order.
  [[nodiscard]] std::vector<std::string> untrimmed_fields() const;
  /// Takes in what is left of one of them.
  void load_dead(std::string_view group);
  /// Names of all live groups, in order.
  [[nodiscard]] std::vector<std::string> live_fields() const;
  /// Takes one live group in, in order. False if the bytes are damaged.
  [[nodiscard]] bool load(std::string_view group);

private:
  /// Ids that leave the window together. Memory and floor move by whole generations.
  struct generation {
    std::uint64_t end_group = 0;   ///< one past its last group
    unix_ms opened_at = 0;         ///< greatest `sent_at` of its first group
    unix_ms greatest_sent_at = 0;  ///< of all its groups
    bool replied = false;          ///< to some of its messages
    id_set ids;
  };
  [[nodiscard]] std::size_t expired(unix_ms high) const noexcept;
  void add(std::uint64_t group, unix_ms greatest, const std::vector<message_digest>& ids);

  retention_policy policy_;
  id_groups groups_;
  std::deque<generation> generations_;
  std::vector<message_digest> tail_;  ///< ids of the last group, while it has room
  unix_ms tail_greatest_ = 0;
  std::uint64_t loaded_ = 0;  ///< next group `load` expects
  std::size_t count_ = 0;
  std::vector<std::string> dead_replies_;  ///< id parts
  std::size_t asked_replies_ = 0, asked_groups_ = 0;
};

}  // namespace pawl
