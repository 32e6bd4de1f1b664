#include "actors/caf/shard_actor.hpp"

#include "metrics/log.hpp"

#include <algorithm>
#include <utility>

namespace pawl {
namespace {

shard_policy shard_policy_of(const node_options& o) {
  shard_policy p;
  p.claim.handoff = o.handoff;
  p.passivate_after = o.passivate_after;
  p.resident_max = o.resident_per_shard;
  return p;
}

lane_policy lane_policy_of(const node_options& o) {
  lane_policy p;
  p.messages_max = o.shard_queue_messages;
  p.bytes_max = o.shard_queue_bytes;
  p.timeout = o.request_timeout;
  return p;
}

reader_policy reader_policy_of(const node_options& o) {
  reader_policy p;
  p.timeout = o.request_timeout;
  return p;
}

// May the record still name this member?
bool holds(shard_claim::state s) {
  switch (s) {
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

void log_note(node_host& host, shard_id id, const shard_effects::note& n) {
  using event = shard_effects::event;
  auto shard = std::to_string(id.value);
  switch (n.what) {
  case event::claimed: log::debug("shard claimed", {{"shard", shard}, {"reason", n.text}}); break;
  case event::kept: log::info("shard claimed anew, memory kept", {{"shard", shard}}); break;
  case event::released: log::debug("shard released", {{"shard", shard}}); break;
  case event::doubt: log::warn("shard in doubt, claiming anew", {{"shard", shard}, {"reason", n.text}}); break;
  case event::other_server:
    if (host.is_news(n.text))
      log::warn("the store was restarted or failed over since the last claims; what it had not made durable is lost",
                {{"run_id", n.text}});
    break;
  case event::rolled_back: log::error("store rolled back", {{"shard", shard}, {"reason", n.text}}); break;
  case event::lost: log::error("shard stopped", {{"shard", shard}, {"reason", n.text}}); break;
  }
}

}  // namespace

shard_actor::shard_actor(caf::actor_config& cfg, node_host& host, shard_id id)
    : caf::event_based_actor(cfg),
      host_(host),
      id_(id),
      shard_(id, shard_policy_of(host.options), host.dataset, host.catalog, *host.metrics.shards[id.value],
             [node = host.options.node] { return mint_token(node); }),
      lane_(id, lane_policy_of(host.options)),
      reader_(id, reader_policy_of(host.options)),
      target_(id) {
  set_exception_handler(
      [](caf::scheduled_actor*, std::exception_ptr& e) -> caf::error { stop_on_exception("shard", e); });
}

caf::behavior shard_actor::make_behavior() {
  settle();  // shown from the beginning: no view yet
  return {
      [this](submit_msg& m) {
        shard_turn turn{sight()};
        carry_out(lane_.submit(std::move(m.messages), clock_now()));
        settle();
      },
      [this](shard_answers_msg& m) {
        shard_turn turn{sight()};
        for (auto& a : m.answers) carry_out(shard_.on_answer(std::move(a), clock_now()));
        settle();
      },
      [this](from_peer_msg& m) {
        shard_turn turn{sight()};
        take_peer_message(m.link, std::move(m.message));
        settle();
      },
      [this](read_msg& m) {
        shard_turn turn{sight()};
        carry_out(reader_.submit(std::move(m.entity), std::move(m.done), clock_now()));
        settle();
      },
      [this](placement_msg& m) {
        shard_turn turn{sight()};
        table_ = m.table;
        evicted_ = false;
        self_ = m.self;
        target_.on_placement(*table_);
        placing_ = true;
        take_placement();
        route();
        settle();
      },
      [this](turn_msg) {
        shard_turn turn{sight()};
        if (move_ == move::waits) move_ = move::goes;
        settle();
      },
      [this](evicted_msg) {
        shard_turn turn{sight()};
        evicted_ = true;
        placing_ = false;
        carry_out(shard_.on_evicted(clock_now()));
        settle();
      },
      [this](const store_connection_msg& m) {
        shard_turn turn{sight()};
        connected_ = m.connection.number != 0;
        carry_out(shard_.on_connection(m.connection.number, clock_now()));
        settle();
      },
      [this](const link_up_msg& m) {
        shard_turn turn{sight()};
        if (target_.target() == m.peer) route();
        tell_released();
        settle();
      },
      [this](const link_down_msg& m) {
        shard_turn turn{sight()};
        carry_out(shard_.on_link_down(m.link, clock_now()));
        if (lane_.route() == m.link) route();
        settle();
      },
      [this](wake_msg m) {
        shard_turn turn{sight()};
        if (m.generation != generation_) return;
        wake_.reset();
        auto t = clock_now();
        carry_out(shard_.tick(t));
        carry_out(lane_.tick(t));
        carry_out(reader_.tick(t));
        settle();
      },
      [this](left_msg) {
        shard_turn turn{sight()};
        carry_out(lane_.close());
        carry_out(reader_.close());
        settle();
      },
      [this](close_msg) {
        shard_turn turn{sight()};
        carry_out(lane_.close());
        carry_out(reader_.close());
        quit();
      },
  };
}

/// Hands the view to the shard: at once, unless it would give away what is being served; that waits for its turn.
void shard_actor::take_placement() {
  if (!placing_) return;
  bool gives_away = shard_.claim_state() == shard_claim::state::held && !table_->owned_by(id_, self_) &&
                    table_->members().find(self_) != nullptr;
  if (gives_away && move_ == move::none) move_ = host_.may_move(id_) ? move::goes : move::waits;
  if (gives_away && move_ == move::waits) return;
  placing_ = false;
  carry_out(shard_.on_placement(table_, self_, clock_now()));
}

void shard_actor::end_move() {
  if (std::exchange(move_, move::none) == move::none) return;
  if (auto next = host_.moved(id_)) caf::anon_send(host_.shard_handles[next->value], turn_msg{});
}

/// Finds out where the owner is reached now: 0 is this node itself.
void shard_actor::route() {
  std::optional<link_number> to;
  do {
    const auto& owner = target_.target();
    if (owner) to = *owner == self_ ? std::optional<link_number>{0} : host_.links.to(*owner);
  } while (!to && target_.on_moved());
  carry_out(lane_.on_route(to, table_ ? table_->number() : view_number{}));
  carry_out(reader_.on_route(to, clock_now()));
}

void shard_actor::take_peer_message(link_number link, peer_message m) {
  if (auto* f = std::get_if<frame>(&m)) carry_out(shard_.on_frame(link, std::move(*f), clock_now()));
  else if (auto* a = std::get_if<frame_answer>(&m)) carry_out(lane_.on_answer(link, std::move(*a), clock_now()));
  else if (auto* r = std::get_if<read_request>(&m)) carry_out(shard_.on_read(link, std::move(*r), clock_now()));
  else if (auto* ra = std::get_if<read_answer>(&m)) take_read_answer(link, std::move(*ra));
  else if (std::holds_alternative<release_notice>(m)) carry_out(shard_.on_release_notice(clock_now()));
}

void shard_actor::take_read_answer(link_number link, read_answer a) {
  bool unavailable = a.answer.kind == entity_answer::status::unavailable;
  carry_out(reader_.on_answer(link, std::move(a), clock_now()));
  if (unavailable && target_.on_moved()) route();
}

void shard_actor::send(link_number link, peer_message m) {
  // A link that is gone gets nothing: whoever waits for an answer learns of it by the link's end.
  if (auto to = host_.links.find(link)) caf::anon_send(to, to_peer_msg{std::move(m)});
}

/// Tells the next owner that it may claim. One that just joined may have no link yet.
void shard_actor::tell_released() {
  auto link = to_tell_ ? host_.links.any_to(*to_tell_) : std::nullopt;
  if (!link) return;
  to_tell_.reset();
  send(*link, release_notice{id_});
}

void shard_actor::want_view(view_number at_least) { caf::anon_send(host_.member_handle, view_wanted_msg{at_least}); }

void shard_actor::carry_out(shard_effects e) {
  for (const auto& n : e.notes) log_note(host_, id_, n);
  if (!e.commands.empty()) host_.store->send(std::move(e.commands));
  if (e.tell_released) {
    to_tell_ = std::move(e.tell_released);
    tell_released();
  }
  if (e.refresh_view) want_view(e.seen_view);
  for (auto& a : e.answers) {
    if (a.to == 0) carry_out(lane_.on_answer(0, std::move(a.answer), clock_now()));
    else send(a.to, std::move(a.answer));
  }
  for (auto& r : e.reads) {
    if (r.to == 0) take_read_answer(0, std::move(r.answer));
    else send(r.to, std::move(r.answer));
  }
}

void shard_actor::carry_out(lane_effects e) {
  for (auto& a : e.answers) a.to.request->answer(a.to.index, std::move(a.result));
  if (e.seen_view.value != 0) want_view({});
  if (e.send) {
    auto to = *lane_.route();
    if (to == 0) {
      carry_out(shard_.on_frame(0, std::move(*e.send), clock_now()));
    } else {
      host_.metrics.shards[id_.value]->forwarded.add(e.send->messages.size());
      send(to, std::move(*e.send));
    }
  }
  if (e.moved && target_.on_moved()) route();
}

void shard_actor::carry_out(reader::effects e) {
  for (auto& [callback, answer] : e.done) callback(std::move(answer));
  for (auto& r : e.send) {
    if (lane_.route() == link_number{0}) carry_out(shard_.on_read(0, std::move(r), clock_now()));
    else if (lane_.route()) send(*lane_.route(), std::move(r));
  }
}

/// Whether messages for the shard find their way.
void shard_actor::show_obstacle() {
  const auto& owner = target_.target();
  unserved_watch::facts f;
  f.view = table_ != nullptr;
  f.evicted = evicted_;
  f.owner = owner.has_value();
  f.here = owner == self_;
  f.linked = lane_.route().has_value();
  f.connected = connected_;
  f.serving = host_.metrics.shards[id_.value]->owned.value() != 0;
  f.stopped = shard_.claim_state() == shard_claim::state::lost;
  f.waiting_since = lane_.waiting_since();
  sight().waits.show(unserved_.look(f, clock_now().steady));
}

/// Shows what has become of the shard, and arranges to be woken when something is due.
void shard_actor::settle() {
  take_placement();
  show_obstacle();
  auto& seen = sight();
  auto state = shard_.claim_state();
  auto queued = lane_.size() + shard_.queued();
  auto& metrics = *host_.metrics.shards[id_.value];
  seen.claim.store(static_cast<std::uint8_t>(state), std::memory_order_relaxed);
  seen.queued.store(queued, std::memory_order_relaxed);
  seen.entities.store(metrics.entities.value(), std::memory_order_relaxed);
  seen.commits.store(shard_.sequence(), std::memory_order_relaxed);
  metrics.queued.set(queued);
  if (holds(state) != counted_) {
    counted_ = !counted_;
    counted_ ? ++host_.held : --host_.held;
  }
  if (!placing_ && (!holds(state) || table_->owned_by(id_, self_))) end_move();

  std::optional<steady_time> at;
  for (const auto& w : {shard_.wake(), lane_.wake(), reader_.wake()})
    if (w && (!at || *w < *at)) at = w;
  if (!at || (wake_ && *wake_ <= *at)) return;
  wake_ = at;
  auto in = std::max(std::chrono::steady_clock::duration::zero(), *at - clock_now().steady);
  delayed_send(this, in, wake_msg{++generation_});
}

}  // namespace pawl
