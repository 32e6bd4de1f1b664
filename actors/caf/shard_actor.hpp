#pragma once

#include "actors/caf/host.hpp"
#include "actors/caf/messages.hpp"
#include "actors/owner_route.hpp"
#include "actors/shard.hpp"
#include "actors/unserved.hpp"

#include <caf/all.hpp>

#include <optional>

namespace pawl {

/// One per shard on every node: hosts the router's side (`lane`, `reader`) and, while this node owns it, the `shard`.
/// Carries out what they decide; decides nothing.
class shard_actor : public caf::event_based_actor {
public:
  shard_actor(caf::actor_config& cfg, node_host& host, shard_id id);
  caf::behavior make_behavior() override;

private:
  void carry_out(shard_effects e);
  void carry_out(lane_effects e);
  void carry_out(reader::effects e);
  void take_peer_message(link_number link, peer_message m);
  void take_read_answer(link_number link, read_answer a);
  enum class move : std::uint8_t { none, waits, goes };
  void take_placement();
  void end_move();
  void tell_released();
  void route();
  void send(link_number link, peer_message m);
  void settle();
  void show_obstacle();
  [[nodiscard]] shard_sight& sight() noexcept { return host_.sights[id_.value]; }
  void want_view(view_number at_least);

  node_host& host_;
  shard_id id_;
  shard shard_;
  lane lane_;
  reader reader_;
  owner_route target_;
  std::shared_ptr<const placement> table_;
  std::optional<member_id> to_tell_;  ///< that the shard was released
  bool placing_ = false;              ///< the shard has not been told of `table_` yet: its turn to move has not come
  move move_ = move::none;
  member_id self_;
  unserved_watch unserved_;
  bool evicted_ = false;  ///< since the last placement
  bool connected_ = false;
  bool counted_ = false;
  std::uint64_t generation_ = 0;
  std::optional<steady_time> wake_;
};

}  // namespace pawl
