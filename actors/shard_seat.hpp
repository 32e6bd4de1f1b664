#pragma once

#include "actors/courier.hpp"
#include "actors/lane.hpp"
#include "actors/owner_route.hpp"
#include "actors/peer_protocol.hpp"
#include "actors/reader.hpp"
#include "actors/shard.hpp"
#include "actors/unserved.hpp"

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace pawl {

/// What a seat needs of the node around it. Calls come from within the seat's inputs and must not call back into it.
class seat_host {
public:
  virtual ~seat_host() = default;
  [[nodiscard]] virtual instant now() const = 0;
  virtual void send(std::vector<shard_command> commands) = 0;
  /// To a link that is gone: nothing. Whoever waits for an answer learns of it by the link's end.
  virtual void send(link_number link, peer_message m) = 0;
  /// The link dialled to this member.
  [[nodiscard]] virtual std::optional<link_number> link_to(const member_id& peer) const = 0;
  /// That one, or else any of this member: for hints.
  [[nodiscard]] virtual std::optional<link_number> any_link_to(const member_id& peer) const = 0;
  virtual void want_view(view_number at_least) = 0;
  /// Asks for the turn to hand the shard over. False: `on_turn` tells when.
  [[nodiscard]] virtual bool may_move(shard_id s) = 0;
  /// The turn is given back.
  virtual void moved(shard_id s) = 0;
  virtual void note(shard_id s, const shard_effects::note& n) = 0;
  /// Hands a frame of this shard's messages to the seat of the shard it names, on this node: `carry` there, and
  /// `on_relayed` here with what it is answered.
  virtual void relay(shard_id from, frame f) = 0;
  /// Tell `on_inbox` once there is an entry behind this one in the shard's inbox; nothing: not any more.
  virtual void watch_inbox(shard_id s, std::optional<entry_id> after) = 0;
};

struct seat_policy {
  shard_policy shard;
  lane_policy lane;
  reader_policy reader;
  courier_policy courier;
};

/// A shard's place on one node, there on every node: the router's side (`lane`, `reader`, `courier`, `owner_route`)
/// and, while this node owns the shard, the owner's (`shard`). Passes on between them and the node what they decide.
///
/// Performs no I/O; not thread-safe. Callbacks of requests run within its inputs.
class shard_seat {
public:
  shard_seat(shard_id id, const seat_policy& policy, dataset_id dataset, const entity_catalog& catalog,
             shard_metrics& metrics, std::function<fencing_token()> mint, seat_host& host);

  void submit(std::span<submission> parts);
  void read(shard_question about, reader::callback done);
  /// Takes a sequenced frame to the shard's owner.
  void carry(frame f, courier::callback done);
  /// The answer to a frame that this seat relayed, by its number; without one it may have arrived, or not.
  void on_relayed(shard_id receiver, std::uint64_t number, std::optional<frame_answer> answer);
  void on_store_answers(std::vector<shard_answer> answers);
  void on_connection(std::uint64_t number);
  void on_inbox();
  void on_peer_message(link_number link, peer_message m);
  void on_link_up(const member_id& peer);
  void on_link_down(link_number link);
  void on_placement(std::shared_ptr<const placement> table, const member_id& self);
  void on_evicted();
  void on_turn();
  void tick();
  /// Answers all that waits, and all that still comes.
  void close();

  [[nodiscard]] std::optional<steady_time> wake() const;
  [[nodiscard]] shard_claim::state claim_state() const noexcept { return shard_.claim_state(); }
  /// The record may name this member.
  [[nodiscard]] bool holds() const noexcept;
  [[nodiscard]] std::size_t queued() const noexcept { return lane_.size() + shard_.queued(); }
  [[nodiscard]] std::size_t in_lane() const noexcept { return lane_.size(); }
  [[nodiscard]] std::uint64_t sequence() const noexcept { return shard_.sequence(); }
  /// Why messages do not find their way, if they do not.
  [[nodiscard]] std::optional<unserved> obstacle() { return unserved_.look(facts(), host_.now().steady); }

private:
  enum class move : std::uint8_t { none, waits, goes };
  void carry_out(shard_effects e);
  void carry_out(lane_effects e);
  void carry_out(reader::effects e);
  void carry_out(courier::effects e);
  void take_frame_answer(link_number link, frame_answer a);
  void take_read_answer(link_number link, read_answer a);
  void take_placement();
  void end_move();
  void tell_released();
  void route();
  void settle();
  [[nodiscard]] unserved_watch::facts facts() const;

  shard_id id_;
  shard_metrics& metrics_;
  seat_host& host_;
  shard shard_;
  lane lane_;
  reader reader_;
  courier courier_;
  owner_route target_;
  unserved_watch unserved_;
  std::shared_ptr<const placement> table_;
  member_id self_;
  std::optional<member_id> to_tell_;  ///< that the shard was released
  bool placing_ = false;              ///< the shard has not been told of `table_` yet: its turn to move has not come
  move move_ = move::none;
  bool evicted_ = false;  ///< since the last placement
  bool connected_ = false;
};

}  // namespace pawl
