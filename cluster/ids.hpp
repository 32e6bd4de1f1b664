#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace pawl {

/// Milliseconds since 1970-01-01 UTC, as senders and doors write them. Never used to decide who owns a shard.
using unix_ms = std::int64_t;

/// Index of a shard, 0 … N-1. N is fixed when the dataset is created.
struct shard_id {
  std::uint32_t value = 0;
  friend auto operator<=>(const shard_id&, const shard_id&) = default;
};

/// Number of a view. Only ever increases, for one dataset.
struct view_number {
  std::uint64_t value = 0;
  friend auto operator<=>(const view_number&, const view_number&) = default;
};

/// One run of one node. A restart is another member: the incarnation differs, so a node that returns is never
/// taken for its former self.
struct member_id {
  std::string node;               ///< `[a-z0-9-]{1,32}`
  std::uint64_t incarnation = 0;  ///< handed out by the store, unique per dataset
  friend auto operator<=>(const member_id&, const member_id&) = default;
  [[nodiscard]] bool empty() const noexcept { return node.empty(); }
};

/// The fencing token of one claim: `<counter>-<node>-<32 hex digits>`. Uniqueness is by the random part: after a store
/// rollback the same counter can be handed out twice, the whole token cannot. Part of a key name in the store.
class fencing_token {
public:
  fencing_token() = default;
  explicit fencing_token(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
  friend auto operator<=>(const fencing_token&, const fencing_token&) = default;

private:
  std::string text_;
};

/// Address of an entity: its type and its key.
struct entity_id {
  std::string type;
  std::string key;
  friend auto operator<=>(const entity_id&, const entity_id&) = default;
};

}  // namespace pawl

template <>
struct std::hash<pawl::shard_id> {
  std::size_t operator()(pawl::shard_id s) const noexcept { return s.value; }
};
