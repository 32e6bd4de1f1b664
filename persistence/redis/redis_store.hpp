#pragma once

#include "persistence/member_store.hpp"
#include "persistence/redis/options.hpp"
#include "persistence/shard_store.hpp"

#include <functional>
#include <memory>
#include <string>

namespace pawl {

/// The store on Redis: one thread, `connections` connections for shards, one for membership, one that waits for changes
/// of the view, one for each 512 shards of the dataset that waits for entries of their inboxes, and one that ends those
/// waits.
///
/// The handlers are called on the store's thread, never before `start`. Connections are made, and made again with
/// backoff, for as long as it runs; a connection is up only after the server has answered a probe. `check_dataset` says
/// beforehand whether this is a store to be used at all.
class redis_store {
public:
  /// @param shards of the dataset
  /// @pre `cluster` is a valid name (see keys.hpp), `options.connections` and `shards` are at least 1, all handlers are
  /// set
  /// @param on_trouble called when the reason why there is no connection changes, with a text for people; may be empty
  redis_store(redis_options options, const std::string& cluster, std::uint32_t shards, shard_store_handlers of_shards,
              member_store_handlers of_members, std::function<void(std::string)> on_trouble = {});
  ~redis_store();
  redis_store(const redis_store&) = delete;
  redis_store& operator=(const redis_store&) = delete;

  /// Begins to connect. Once.
  void start();
  /// Answers whatever is under way (`unknown`, or `unavailable` if never sent) and joins the thread. Commands sent
  /// later are not answered. Idempotent; not to be called from a handler.
  void stop();

  [[nodiscard]] shard_store& shards() noexcept;
  [[nodiscard]] member_store& members() noexcept;
  [[nodiscard]] inbox_watch& inboxes() noexcept;
  /// How many connections carry shards: shard s uses number s mod lanes.
  [[nodiscard]] std::uint32_t lanes() const noexcept;

private:
  struct implementation;
  std::unique_ptr<implementation> impl_;
};

}  // namespace pawl
