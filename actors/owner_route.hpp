#pragma once

#include "cluster/placement.hpp"

#include <optional>

namespace pawl {

/// To whom a router sends the messages of one shard: to the owner that the view names, but in a planned move to the
/// former one until that says that it let go. So a move of many shards interrupts each for its own release and claim
/// only, not for those of all before it.
///
/// Performs no I/O; not thread-safe.
class owner_route {
public:
  explicit owner_route(shard_id shard) : shard_(shard) {}

  void on_placement(const placement& table) {
    auto before = target();
    const auto* named = table.owner(shard_);
    owner_ = named != nullptr ? std::optional{named->id} : std::nullopt;
    former_.reset();
    if (before && before != owner_ && table.members().find(*before) != nullptr) former_ = std::move(before);
  }

  /// The member asked is not the owner, or cannot be reached. True if another one is to be asked now.
  bool on_moved() {
    bool other = former_.has_value();
    former_.reset();
    return other;
  }

  /// Nothing: nobody is known who could own it.
  [[nodiscard]] const std::optional<member_id>& target() const noexcept { return former_ ? former_ : owner_; }

private:
  shard_id shard_;
  std::optional<member_id> owner_;
  std::optional<member_id> former_;
};

}  // namespace pawl
