#pragma once

#include "actors/entity_type.hpp"
#include "persistence/shard_store.hpp"
#include "tests/bench/pace.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace pawl::bench {

/// Tells when effects become durable, from inside the node that makes them and without a read, which would be load: it
/// notes what the handlers of one entity type did, and tells it when the commit that carries it is confirmed. Of one
/// node; outlives it.
class commit_watch : public shard_store {
public:
  using tags = std::vector<std::uint64_t>;
  /// What to note of a message that was applied; none: nothing. Called while the message is handled, by several threads
  /// at once.
  using tag_of = std::function<std::optional<std::uint64_t>(const message&, const handled&)>;
  /// Called on the store's thread, with the tags of one commit and when it was confirmed.
  using told = std::function<void(const tags&, bench_clock::time_point)>;

  explicit commit_watch(told on_commit) : on_commit_(std::move(on_commit)) {}

  /// The same type, watched.
  [[nodiscard]] entity_type watched(entity_type type, tag_of tag);

  /// Stands between a node and its store from now on. Before the node starts.
  void attach(shard_store& next, std::uint32_t shards);
  /// The node's handlers, for the store.
  [[nodiscard]] shard_store_handlers before(shard_store_handlers nodes);

  void send(std::vector<shard_command> commands) override;

private:
  class watched_type;
  /// One commit of a shard is under way at a time, and what is handled meanwhile is of the next one.
  struct shard {
    std::mutex mutex;  // its actor hands in, the store's thread answers
    tags handled;
    tags under_way;
    std::uint64_t ticket = 0;
  };
  void note(std::string_view key, std::uint64_t tag);
  void hear(const shard_answer& answer, bench_clock::time_point now);

  told on_commit_;
  shard_store* next_ = nullptr;
  std::vector<std::unique_ptr<shard>> shards_;
};

}  // namespace pawl::bench
