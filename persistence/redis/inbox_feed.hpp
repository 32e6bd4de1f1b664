#pragma once

#include "persistence/keys.hpp"
#include "persistence/redis/connection.hpp"
#include "persistence/redis/wait_ender.hpp"
#include "persistence/shard_store.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

namespace pawl::redis {

/// Waits at inboxes that have been read to their end, and says which of them has something new. What it reads for that
/// it throws away: the owner reads on its own connection, from where its commits are. Has a connection of its own,
/// since one that waits carries nothing else. Confined to the loop's thread.
///
/// What begins to be watched while it waits is not waited for until that wait is over. It is ended for that, a moment
/// later, so that many who come at one time cost one more wait; where the server does not allow that, waits are short.
class inbox_feed final : public connection_user, public loop_client {
public:
  inbox_feed(event_loop& loop, server_contact& server, wait_ender& ender, const key_names& keys,
             const shard_store_handlers& handlers, const std::function<void(std::string)>& on_trouble);

  void watch(shard_id shard, entry_id after);
  void unwatch(shard_id shard) { watched_.erase(shard.value); }

  // connection_user
  void connected(std::uint64_t number) override;
  [[nodiscard]] std::string replied(reply&& r) override;
  void disconnected(std::string_view why) override;
  void flush() override {}
  void trouble(std::string_view why) override;

  // loop_client, for the times at which waits begin and are ended. It has no socket.
  void ready(bool, bool) override {}
  void turn_ended(steady_time now) override;
  void stopped() override {}
  [[nodiscard]] steady_time deadline() const override;

private:
  void greet();
  void wait();
  void act();
  void on_end(bool allowed);
  [[nodiscard]] std::string take(const reply& streams);

  event_loop& loop_;
  wait_ender& ender_;
  const key_names& keys_;
  const shard_store_handlers& handlers_;
  const std::function<void(std::string)>& on_trouble_;
  const std::string long_ms_;
  std::map<std::uint32_t, entry_id> watched_;  ///< by shard
  /// Names in the wait under way; empty: there is none.
  std::unordered_map<std::string, std::uint32_t> waiting_;
  bool greeting_ = false;               ///< the server was asked who we are
  bool greeted_ = false;                ///< it has said so, or that it does not say
  std::optional<std::int64_t> client_;  ///< our number there, if waits may be ended
  /// When to begin the next wait; or, during one, to end it, since somebody watches who is not in it.
  std::optional<steady_time> act_at_;
  bool acting_ = false;  ///< that is under way
  bool ending_ = false;  ///< the end of a wait was asked for
  connection connection_;
};

}  // namespace pawl::redis
