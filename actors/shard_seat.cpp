#include "actors/shard_seat.hpp"

#include <algorithm>
#include <utility>

namespace pawl {

shard_seat::shard_seat(shard_id id, const seat_policy& policy, dataset_id dataset, const entity_catalog& catalog,
                       shard_metrics& metrics, std::function<fencing_token()> mint, seat_host& host)
    : id_(id),
      metrics_(metrics),
      host_(host),
      shard_(id, policy.shard, dataset, catalog, metrics, std::move(mint)),
      lane_(id, policy.lane),
      reader_(id, policy.reader),
      courier_(policy.courier),
      target_(id) {}

void shard_seat::submit(std::span<submission> parts) {
  carry_out(lane_.submit(parts, host_.now()));
  settle();
}

void shard_seat::read(shard_question about, reader::callback done) {
  carry_out(reader_.submit(std::move(about), std::move(done), host_.now()));
  settle();
}

void shard_seat::carry(frame f, courier::callback done) {
  carry_out(courier_.submit(std::move(f), std::move(done), host_.now()));
  settle();
}

void shard_seat::on_relayed(shard_id receiver, std::uint64_t number, std::optional<frame_answer> answer) {
  carry_out(shard_.on_relayed(receiver, number, answer, host_.now()));
  settle();
}

void shard_seat::on_store_answers(std::vector<shard_answer> answers) {
  for (auto& a : answers) carry_out(shard_.on_answer(std::move(a), host_.now()));
  settle();
}

void shard_seat::on_connection(std::uint64_t number) {
  connected_ = number != 0;
  carry_out(shard_.on_connection(number, host_.now()));
  settle();
}

void shard_seat::on_inbox() {
  carry_out(shard_.on_inbox(host_.now()));
  settle();
}

void shard_seat::on_peer_message(link_number link, peer_message m) {
  auto t = host_.now();
  if (auto* f = std::get_if<frame>(&m)) carry_out(shard_.on_frame(link, std::move(*f), t));
  else if (auto* a = std::get_if<frame_answer>(&m)) take_frame_answer(link, std::move(*a));
  else if (auto* r = std::get_if<read_request>(&m)) carry_out(shard_.on_read(link, std::move(*r), t));
  else if (auto* ra = std::get_if<read_answer>(&m)) take_read_answer(link, std::move(*ra));
  else if (std::holds_alternative<release_notice>(m)) carry_out(shard_.on_release_notice(t));
  settle();
}

void shard_seat::on_link_up(const member_id& peer) {
  if (target_.target() == peer) route();
  tell_released();
  settle();
}

void shard_seat::on_link_down(link_number link) {
  carry_out(shard_.on_link_down(link, host_.now()));
  if (lane_.route() == link) route();
  settle();
}

void shard_seat::on_placement(std::shared_ptr<const placement> table, const member_id& self) {
  table_ = std::move(table);
  self_ = self;
  evicted_ = false;
  target_.on_placement(*table_);
  placing_ = true;
  take_placement();
  route();
  settle();
}

void shard_seat::on_evicted() {
  evicted_ = true;
  placing_ = false;
  carry_out(shard_.on_evicted(host_.now()));
  settle();
}

void shard_seat::on_turn() {
  if (move_ == move::waits) move_ = move::goes;
  settle();
}

void shard_seat::tick() {
  auto t = host_.now();
  carry_out(shard_.tick(t));
  carry_out(lane_.tick(t));
  carry_out(reader_.tick(t));
  carry_out(courier_.tick(t));
  settle();
}

void shard_seat::close() {
  carry_out(lane_.close());
  carry_out(reader_.close());
  carry_out(courier_.close());
  settle();
}

/// Hands the view to the shard: at once, unless it would give away what is being served; that waits for its turn.
void shard_seat::take_placement() {
  if (!placing_) return;
  bool gives_away = claim_state() == shard_claim::state::held && !table_->owned_by(id_, self_) &&
                    table_->members().find(self_) != nullptr;
  if (gives_away && move_ == move::none) move_ = host_.may_move(id_) ? move::goes : move::waits;
  if (gives_away && move_ == move::waits) return;
  placing_ = false;
  carry_out(shard_.on_placement(table_, self_, host_.now()));
}

void shard_seat::end_move() {
  if (std::exchange(move_, move::none) != move::none) host_.moved(id_);
}

/// Finds out where the owner is reached now: 0 is this node itself.
void shard_seat::route() {
  std::optional<link_number> to;
  do {
    const auto& owner = target_.target();
    if (owner) to = *owner == self_ ? std::optional<link_number>{0} : host_.link_to(*owner);
  } while (!to && target_.on_moved());
  const auto view = table_ ? table_->number() : view_number{};
  carry_out(lane_.on_route(to, view));
  // What the lane sent may have been answered at once, and have changed the route again.
  carry_out(reader_.on_route(lane_.route(), host_.now()));
  carry_out(courier_.on_route(lane_.route(), view));
}

void shard_seat::take_frame_answer(link_number link, frame_answer a) {
  if (a.source.empty()) return carry_out(lane_.on_answer(link, std::move(a), host_.now()));
  // A frame that only asked for the mark has no results that could say so.
  const bool moved = !a.mark && std::all_of(a.results.begin(), a.results.end(),
                                            [](const message_result& r) { return r.code == reason_code::moved; });
  carry_out(courier_.on_answer(link, std::move(a)));
  if (moved && target_.on_moved()) route();
}

void shard_seat::take_read_answer(link_number link, read_answer a) {
  bool unavailable = a.answer.kind == entity_answer::status::unavailable;
  carry_out(reader_.on_answer(link, std::move(a), host_.now()));
  if (unavailable && target_.on_moved()) route();
}

/// Tells the next owner that it may claim. One that just joined may have no link yet.
void shard_seat::tell_released() {
  auto link = to_tell_ ? host_.any_link_to(*to_tell_) : std::nullopt;
  if (!link) return;
  to_tell_.reset();
  host_.send(*link, release_notice{id_});
}

void shard_seat::carry_out(shard_effects e) {
  for (const auto& n : e.notes) host_.note(id_, n);
  if (!e.commands.empty()) host_.send(std::move(e.commands));
  if (e.tell_released) {
    to_tell_ = std::move(e.tell_released);
    tell_released();
  }
  if (e.unwatch_inbox) host_.watch_inbox(id_, std::nullopt);
  if (e.watch_inbox) host_.watch_inbox(id_, e.watch_inbox);
  if (e.refresh_view) host_.want_view(e.seen_view);
  for (auto& a : e.answers) {
    if (a.to == 0) take_frame_answer(0, std::move(a.answer));
    else host_.send(a.to, std::move(a.answer));
  }
  for (auto& r : e.reads) {
    if (r.to == 0) take_read_answer(0, std::move(r.answer));
    else host_.send(r.to, std::move(r.answer));
  }
  for (auto& f : e.relayed) host_.relay(id_, std::move(f));
}

void shard_seat::carry_out(courier::effects e) {
  for (auto& [callback, answer] : e.done) callback(std::move(answer));
  for (auto& f : e.send) {
    if (lane_.route() == link_number{0}) {
      carry_out(shard_.on_frame(0, std::move(f), host_.now()));
    } else if (lane_.route()) {
      metrics_.forwarded.add(f.messages.size());
      host_.send(*lane_.route(), std::move(f));
    }
  }
}

void shard_seat::carry_out(lane_effects e) {
  e.answers.deliver();
  if (e.seen_view.value != 0) host_.want_view({});
  if (e.send) {
    auto to = *lane_.route();
    if (to == 0) {
      carry_out(shard_.on_frame(0, std::move(*e.send), host_.now()));
    } else {
      metrics_.forwarded.add(e.send->messages.size());
      host_.send(to, std::move(*e.send));
    }
  }
  if (e.moved && target_.on_moved()) route();
}

void shard_seat::carry_out(reader::effects e) {
  for (auto& [callback, answer] : e.done) callback(std::move(answer));
  for (auto& r : e.send) {
    if (lane_.route() == link_number{0}) carry_out(shard_.on_read(0, std::move(r), host_.now()));
    else if (lane_.route()) host_.send(*lane_.route(), std::move(r));
  }
}

bool shard_seat::holds() const noexcept {
  switch (claim_state()) {
  case shard_claim::state::claiming:
  case shard_claim::state::held:
  case shard_claim::state::draining:
  case shard_claim::state::releasing: return true;
  case shard_claim::state::unclaimed:
  case shard_claim::state::reading:
  case shard_claim::state::waiting:
  case shard_claim::state::lost: return false;
  }
  return false;
}

unserved_watch::facts shard_seat::facts() const {
  const auto& owner = target_.target();
  unserved_watch::facts f;
  f.view = table_ != nullptr;
  f.evicted = evicted_;
  f.owner = owner.has_value();
  // Routed here it may also be because nobody has asked since it was given away: then it is not missed.
  f.here = owner == self_ && table_ && table_->owned_by(id_, self_);
  f.linked = lane_.route().has_value();
  f.connected = connected_;
  f.serving = metrics_.owned.value() != 0;
  f.stopped = claim_state() == shard_claim::state::lost;
  f.waiting_since = lane_.waiting_since();
  return f;
}

void shard_seat::settle() {
  take_placement();
  metrics_.queued.set(queued());
  if (!placing_ && (!holds() || table_->owned_by(id_, self_))) end_move();
}

std::optional<steady_time> shard_seat::wake() const {
  std::optional<steady_time> at;
  for (const auto& w : {shard_.wake(), lane_.wake(), reader_.wake(), courier_.wake()})
    if (w && (!at || *w < *at)) at = w;
  return at;
}

}  // namespace pawl
