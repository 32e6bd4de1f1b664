#pragma once

#include "actors/caf/host.hpp"
#include "actors/caf/messages.hpp"
#include "actors/caf/node_watch.hpp"
#include "cluster/membership.hpp"

#include <caf/all.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>

namespace pawl {

/// Hosts `membership`: carries its requests to the store, hands new placements to all shards, keeps a link to every
/// other member, leads the node out of the cluster when it drains, and watches over its shards' actors.
class member_actor : public caf::event_based_actor {
public:
  /// `peer_address`, `http_address`: as other members and clients reach this node.
  member_actor(caf::actor_config& cfg, node_host& host, std::string peer_address, std::string http_address);
  caf::behavior make_behavior() override;

private:
  struct peer {
    bool dialling = false;
    bool linked = false;
    std::chrono::milliseconds pause{0};
    steady_time next{};   ///< when to dial
    steady_time since{};  ///< without a link
  };
  void on_answer(member_answer& a);
  void on_no_link(const member_id& id, bool gone);
  void carry_out(membership::effects e);
  void publish();
  void notify_view(link_number link);
  void keep_links();
  void tick();
  void finish(std::string why);

  node_host& host_;
  std::string peer_address_;
  std::string http_address_;
  membership membership_;
  std::map<std::uint64_t, membership::request::kind> asked_;  ///< by ticket
  std::uint64_t last_ticket_ = 0;
  std::map<member_id, peer> peers_;
  std::optional<steady_time> drain_deadline_;
  node_watch watch_;
  bool store_up_ = false;  ///< the connection that carries the beats
  bool leaving_ = false;
  bool closing_ = false;
  bool ended_ = false;
};

}  // namespace pawl
