#pragma once

#include "cluster/ids.hpp"

#include <string>
#include <string_view>

namespace pawl {

/// Names of everything one cluster stores; the table is in persistence/SCHEMA.md.
///
/// All keys of a shard carry the hash tag `{<shard>}` and all keys of membership `{members}`, so that each group lies
/// in one slot and a script may touch it as a whole. Immutable, and so usable from all threads at once.
class key_names {
public:
  /// @param cluster `[a-z0-9-]{1,32}`, see `valid_name`: braces in it would move the hash tag
  explicit key_names(std::string_view cluster);

  /// Hash: who has claimed the shard.
  [[nodiscard]] std::string record(shard_id shard) const;
  /// String that exists exactly while `token` is the shard's current one.
  [[nodiscard]] std::string live(shard_id shard, const fencing_token& token) const;
  /// Hash: all of the shard's data. The name holds the token: this is the fence.
  [[nodiscard]] std::string data(shard_id shard, const fencing_token& token) const;

  /// Stream: messages for the shard, put there by any client of the store.
  [[nodiscard]] std::string inbox(shard_id shard) const;

  [[nodiscard]] const std::string& config() const noexcept { return config_; }
  [[nodiscard]] const std::string& members() const noexcept { return members_; }
  [[nodiscard]] const std::string& view() const noexcept { return view_; }
  [[nodiscard]] const std::string& incarnation() const noexcept { return incarnation_; }
  [[nodiscard]] const std::string& changes() const noexcept { return changes_; }
  [[nodiscard]] const std::string& votes() const noexcept { return votes_; }

private:
  [[nodiscard]] std::string of_shard(shard_id shard, std::size_t room) const;
  std::string prefix_;
  std::string config_, members_, view_, incarnation_, changes_, votes_;
};

/// Name of a cluster or a node: `[a-z0-9-]{1,32}`.
[[nodiscard]] bool valid_name(std::string_view name) noexcept;

/// A token as a claim writes it: letters, digits and `-`, 1 … 96 bytes. Whatever else stands in a record is damage.
[[nodiscard]] bool valid_token(std::string_view text) noexcept;

}  // namespace pawl
