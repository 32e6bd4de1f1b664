#pragma once

#include "persistence/redis/redis_store.hpp"

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace pawl::testing {

/// Names for a test's tokens, which must be unique per claim: `<n>-<node>-<32 hex digits>`.
[[nodiscard]] fencing_token token(unsigned n, const std::string& node = "n1");

/// Drives a store as a shard and a member actor would, but blocking. All calls give up after 20 s, loudly.
class store_client {
public:
  explicit store_client(redis_options options, const std::string& cluster = "test", std::uint32_t shards = 8);

  /// Waits until the connection of lane 0 is up with a number above `than`; returns it.
  std::uint64_t wait_up(std::uint64_t than = 0);
  void wait_down();
  void wait_members_up();

  /// Sends over the connection `connection`; returns the ticket.
  std::uint64_t send(shard_id shard, shard_operation operation, std::uint64_t connection);
  shard_answer wait(std::uint64_t ticket);
  /// Waits for a connection, sends, waits for the answer.
  shard_answer ask(shard_id shard, shard_operation operation);
  member_answer ask(member_operation operation);
  std::uint64_t send(member_operation operation);
  member_answer wait_member(std::uint64_t ticket);

  /// Waits for the change to this view.
  view_change wait_change(view_number number);
  /// Waits until so many changes came; returns all, in the order in which they did.
  std::vector<view_change> wait_changes(std::size_t count);

  void watch(shard_id shard, entry_id after);
  void unwatch(shard_id shard);
  /// Waits until so many hints came; returns all, in the order in which they did.
  std::vector<shard_id> wait_hints(std::size_t count);

  // The usual ones of shard 0.
  shard_answer claim(const fencing_token& held, const fencing_token& fresh, std::uint64_t view = 1,
                     const std::string& node = "n1");
  shard_answer commit(const fencing_token& t, field_list fields);
  shard_answer load(const fencing_token& t, std::vector<std::string> fields);
  claim_record record(shard_id shard = {});

  /// Tickets in the order their answers came, and 0 for each time the connection went down.
  [[nodiscard]] std::vector<std::uint64_t> history() const;
  [[nodiscard]] std::vector<std::string> troubles() const;
  void wait_trouble(const std::string& part);
  /// Called on the store's thread with each answer, before it is kept.
  void on_answer(std::function<void(const shard_answer&)> f);

  redis_store& store() noexcept { return store_; }

private:
  template <class Predicate>
  void wait_until(Predicate p, const char* what);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t number_ = 0;
  bool members_up_ = false;
  std::uint64_t next_ticket_ = 1;
  std::map<std::uint64_t, shard_answer> answers_;
  std::map<std::uint64_t, member_answer> member_answers_;
  std::vector<std::uint64_t> history_;
  std::vector<std::string> troubles_;
  std::vector<view_change> changes_;
  std::vector<shard_id> hints_;
  std::function<void(const shard_answer&)> on_answer_;
  redis_store store_;
};

}  // namespace pawl::testing
