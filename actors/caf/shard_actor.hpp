#pragma once

#include "actors/caf/host.hpp"
#include "actors/caf/messages.hpp"
#include "actors/shard_seat.hpp"

#include <caf/all.hpp>

#include <optional>
#include <vector>

namespace pawl {

/// One per shard on every node: hosts its seat. Decides nothing.
class shard_actor : public caf::event_based_actor, private seat_host {
public:
  shard_actor(caf::actor_config& cfg, node_host& host, shard_id id);
  caf::behavior make_behavior() override;

private:
  [[nodiscard]] instant now() const override;
  void send(std::vector<shard_command> commands) override;
  void send(link_number link, peer_message m) override;
  [[nodiscard]] std::optional<link_number> link_to(const member_id& peer) const override;
  [[nodiscard]] std::optional<link_number> any_link_to(const member_id& peer) const override;
  void want_view(view_number at_least) override;
  [[nodiscard]] bool may_move(shard_id s) override;
  void moved(shard_id s) override;
  void note(shard_id s, const shard_effects::note& n) override;
  void relay(shard_id from, frame f) override;
  void watch_inbox(shard_id s, std::optional<entry_id> after) override;

  template <class Input>
  void turn(Input input);
  void take_submissions();
  void show();

  node_host& host_;
  shard_id id_;
  shard_seat seat_;
  shard_sight& sight_;
  shard_metrics& metrics_;
  std::vector<submission> taken_;  ///< empty between turns; keeps its room
  bool counted_ = false;
  double pauses_ = 0;  ///< seconds: the pauses of all claims so far
  std::uint64_t generation_ = 0;
  std::optional<steady_time> wake_;
};

}  // namespace pawl
