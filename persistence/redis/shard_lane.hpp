#pragma once

#include "persistence/keys.hpp"
#include "persistence/redis/connection.hpp"
#include "persistence/redis/script_call.hpp"
#include "persistence/redis/shard_answers.hpp"
#include "persistence/shard_store.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace pawl::redis {

/// Carries the commands of some shards out over one connection: encodes them, and matches replies with commands by
/// order. Confined to the loop's thread.
///
/// A shard's commands behind one of its scripts wait for the script's answer: if the server does not know the script it
/// is sent again, and nothing of the shard may have overtaken it. Scripts are rare, and other shards do not wait.
class shard_lane final : public connection_user {
public:
  shard_lane(event_loop& loop, server_contact& server, const key_names& keys, std::uint32_t index,
             const shard_store_handlers& handlers, const std::function<void(std::string)>& on_trouble);

  void submit(shard_command&& c);

  void connected(std::uint64_t number) override;
  [[nodiscard]] std::string replied(reply&& r) override;
  void disconnected(std::string_view why) override;
  void flush() override;
  void trouble(std::string_view why) override;

private:
  /// A command that was sent, or one that was answered without being sent and keeps its place in the order.
  struct exchange {
    shard_id shard;
    std::uint64_t ticket = 0;
    asked what{};
    std::size_t fields = 0;
    std::size_t replies = 0;
    std::vector<reply> got;
    std::unique_ptr<script_call> call;
    std::optional<shard_answer> settled;
  };

  void execute(shard_command&& c);
  void settle(const shard_command& c, store_outcome outcome, std::string text);
  /// Answers a command. Returns why the connection is of no further use; empty: it is.
  [[nodiscard]] std::string finish(exchange&& e, std::string_view cut);
  void deliver_settled();
  void release_held(shard_id shard);

  void start(exchange& e, const read_record& o);
  void start(exchange& e, const claim_shard& o);
  void start(exchange& e, const load_fields& o);
  void start(exchange& e, const commit_fields& o);
  void start(exchange& e, const trim_fields& o);
  void start(exchange& e, const release_shard& o);
  void start(exchange& e, const sweep_token& o);
  void start(exchange& e, const read_inbox& o);

  const key_names& keys_;
  const std::uint32_t index_;
  const shard_store_handlers& handlers_;
  const std::function<void(std::string)>& on_trouble_;
  connection connection_;
  std::deque<exchange> in_flight_;
  std::unordered_map<std::uint32_t, std::deque<shard_command>> held_;  ///< by shard with a script under way
  std::vector<shard_answer> answers_;
};

}  // namespace pawl::redis
