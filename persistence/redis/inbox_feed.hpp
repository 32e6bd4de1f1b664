#pragma once

#include "persistence/keys.hpp"
#include "persistence/redis/connection.hpp"
#include "persistence/shard_store.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>

namespace pawl::redis {

/// So many inboxes are waited for at a time. With more, each group has its turn.
inline constexpr std::size_t inboxes_per_wait = 512;

/// Waits at the inboxes that have been read to their end, and says which of them has something new. What it reads for
/// that it throws away: the owner reads on its own connection, from where its commits are. Has a connection of its own,
/// since a blocked one carries nothing else. Confined to the loop's thread.
class inbox_feed final : public connection_user {
public:
  inbox_feed(event_loop& loop, server_contact& server, const key_names& keys, const shard_store_handlers& handlers,
             const std::function<void(std::string)>& on_trouble);

  void watch(shard_id shard, entry_id after);
  void unwatch(shard_id shard);

  void connected(std::uint64_t number) override;
  [[nodiscard]] std::string replied(reply&& r) override;
  void disconnected(std::string_view why) override;
  void flush() override {}
  void trouble(std::string_view why) override;

private:
  void wait();

  const key_names& keys_;
  const shard_store_handlers& handlers_;
  const std::function<void(std::string)>& on_trouble_;
  std::map<std::uint32_t, entry_id> watched_;               ///< by shard
  std::unordered_map<std::string, std::uint32_t> waiting_;  ///< names in the command under way; empty: there is none
  std::uint32_t turn_ = 0;                                  ///< the shard at which the next group begins
  connection connection_;
};

}  // namespace pawl::redis
