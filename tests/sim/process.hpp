#pragma once

#include "actors/move_gate.hpp"
#include "actors/shard_seat.hpp"
#include "cluster/membership.hpp"
#include "metrics/metrics.hpp"
#include "persistence/member_store.hpp"
#include "tests/sim/ledger.hpp"
#include "tests/sim/network.hpp"
#include "tests/sim/pipe.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pawl::sim {

class world;

/// One run of one node: the classes that a node runs, hosted as actors/caf hosts them.
class process : public std::enable_shared_from_this<process>, private seat_host {
public:
  process(world& w, std::size_t place, std::uint64_t run);
  void start();

  /// Runs it now, or when the process is awake again. Not at all if it is dead.
  void deliver(timeline::action a);
  void freeze();
  void thaw();
  void die();
  void drain();
  [[nodiscard]] bool frozen() const noexcept { return frozen_; }
  [[nodiscard]] bool dead() const noexcept { return dead_; }
  [[nodiscard]] std::size_t place() const noexcept { return place_; }
  [[nodiscard]] const member_id& self() const noexcept { return membership_.self(); }
  [[nodiscard]] std::string describe() const;

  /// As a door does. `done` may never be called: the process may die.
  void submit(std::shared_ptr<const message_block> batch, std::function<void(std::vector<message_result>)> done);
  void read(entity_id id, std::function<void(entity_answer)> done);

  /// Requests submitted and not answered.
  [[nodiscard]] std::uint64_t unanswered() const noexcept { return unanswered_; }

  void cut_store(bool on);
  /// One connection to the store breaks, or all of them.
  void break_store();
  void lose_store();

  // From the network.
  void on_dialled(const member_id& peer, network::dial_result result);
  void on_linked(link_number link, const member_id& peer);
  void on_accepted(link_number link, const member_id& peer);
  void on_link_down(link_number link);
  void on_peer_message(link_number link, peer_message m);
  void on_change(const view_change& c);

  /// Something was added to the inbox of a shard.
  void on_entry(shard_id s);
  void on_inbox(shard_id s);

private:
  struct neighbour {
    bool dialling = false;
    bool linked = false;
    std::chrono::milliseconds pause{0};
    steady_time next{};
    steady_time since{};
  };
  // What the seats ask for.
  [[nodiscard]] instant now() const override;
  void send(std::vector<shard_command> commands) override;
  void send(link_number link, peer_message m) override;
  [[nodiscard]] std::optional<link_number> link_to(const member_id& peer) const override;
  [[nodiscard]] std::optional<link_number> any_link_to(const member_id& peer) const override;
  void want_view(view_number at_least) override;
  [[nodiscard]] bool may_move(shard_id s) override { return moves_.enter(s); }
  void moved(shard_id s) override;
  void note(shard_id s, const shard_effects::note& n) override;
  void relay(shard_id from, frame f) override;
  void watch_inbox(shard_id s, std::optional<entry_id> after) override;

  void later(timeline::action a);
  void carry_out(membership::effects e);
  void ask(const membership::request& r);
  void on_member_answer(membership::request::kind what, member_answer a);
  void publish();
  void keep_links();
  void on_no_link(const member_id& id, bool gone);
  void tick();
  void arm(std::uint32_t shard);
  void send_one(shard_command c);
  [[nodiscard]] fencing_token mint(shard_id s);
  template <class Input>
  void to_seat(std::uint32_t shard, Input input);
  template <class Input>
  void to_all(Input input);

  world& world_;
  std::size_t place_;
  std::string name_;
  dice dice_;
  bool dead_ = false;
  bool frozen_ = false;
  std::deque<timeline::action> backlog_;

  entity_catalog catalog_;
  std::vector<std::unique_ptr<shard_metrics>> metrics_;
  membership membership_;
  std::shared_ptr<const placement> table_;
  move_gate moves_;
  std::vector<std::unique_ptr<shard_seat>> seats_;
  std::vector<std::optional<steady_time>> armed_;
  pipe shards_pipe_;
  pipe members_pipe_;

  std::map<std::uint32_t, entry_id> watched_;  ///< inboxes, by shard

  std::map<member_id, neighbour> peers_;
  std::map<member_id, link_number> dialled_;
  std::map<link_number, member_id> links_;
  std::uint64_t tokens_ = 0;
  std::uint64_t unanswered_ = 0;
  bool draining_ = false;
  bool leaving_ = false;
};

template <class Input>
void process::to_seat(std::uint32_t shard, Input input) {
  input(*seats_[shard]);
  arm(shard);
}

template <class Input>
void process::to_all(Input input) {
  for (std::uint32_t s = 0; s < seats_.size() && !dead_; ++s) to_seat(s, input);
}

}  // namespace pawl::sim
