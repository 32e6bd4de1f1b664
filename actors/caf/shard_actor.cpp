#include "actors/caf/shard_actor.hpp"

#include "actors/trace_context.hpp"
#include "cluster/invariant.hpp"
#include "metrics/log.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace pawl {
namespace {

seat_policy policy_of(const node_options& o, const json_reader& from_json) {
  seat_policy p;
  p.shard.claim.handoff = o.handoff;
  p.shard.passivate_after = o.passivate_after;
  p.shard.resident_max = o.resident_per_shard;
  p.shard.suspicion.careful = std::chrono::minutes{1};
  p.shard.inbox.enabled = o.inbox;
  p.shard.inbox.patience = o.inbox_patience;
  p.shard.from_json = from_json;
  p.lane.messages_max = o.shard_queue_messages;
  p.lane.bytes_max = o.shard_queue_bytes;
  p.lane.timeout = o.request_timeout;
  p.reader.timeout = o.request_timeout;
  p.courier.timeout = o.request_timeout;
  return p;
}

/// A trace is named only if there is one: who looks for it finds the line, and others do not read past it.
void log_messages(log::level level, std::string_view event, std::string shard, const shard_effects::note& n) {
  const auto count = std::to_string(n.count);
  const std::string code{to_string(n.code)};
  if (n.trace.empty())
    log::write(level, event, {{"shard", std::move(shard)}, {"count", count}, {"first", n.text}, {"code", code}});
  else
    log::write(level, event,
               {{"shard", std::move(shard)},
                {"count", count},
                {"first", n.text},
                {"code", code},
                {"trace_id", trace_id(n.trace)}});
}

void log_note(node_host& host, shard_id id, const shard_effects::note& n, double pause_seconds) {
  using event = shard_effects::event;
  auto shard = std::to_string(id.value);
  switch (n.what) {
  case event::claimed:
    log::debug(
        "shard claimed",
        {{"shard", shard}, {"reason", n.text}, {"pause_ms", std::to_string(std::llround(1'000 * pause_seconds))}});
    break;
  case event::kept: log::info("shard claimed anew, memory kept", {{"shard", shard}}); break;
  case event::released: log::debug("shard released", {{"shard", shard}}); break;
  case event::doubt: log::warn("shard in doubt, claiming anew", {{"shard", shard}, {"reason", n.text}}); break;
  case event::other_server:
    if (host.is_news(n.text))
      log::warn("the store was restarted or failed over since the last claims; what it had not made durable is lost",
                {{"run_id", n.text}});
    break;
  case event::buried: log_messages(log::level::warn, "dead letters added", shard, n); break;
  case event::refused: log_messages(log::level::debug, "messages refused", shard, n); break;
  case event::rolled_back: log::error("store rolled back", {{"shard", shard}, {"reason", n.text}}); break;
  case event::suspects:
    log::warn("messages of an owner that ended are handled one by one", {{"shard", shard}, {"messages", n.text}});
    break;
  case event::relay_resumed: log::error("relay goes on past a rollback", {{"shard", shard}, {"reason", n.text}}); break;
  case event::relay_stopped: log::error("relay stopped", {{"shard", shard}, {"reason", n.text}}); break;
  case event::inbox_lost: log::error("inbox entries lost", {{"shard", shard}, {"reason", n.text}}); break;
  case event::inbox_stopped: log::error("inbox stopped", {{"shard", shard}, {"reason", n.text}}); break;
  case event::inbox_resumed: log::info("inbox resumed", {{"shard", shard}, {"reason", n.text}}); break;
  case event::inbox_failed: log::warn("inbox cannot be read", {{"shard", shard}, {"reason", n.text}}); break;
  case event::gap: log::warn("numbers are missing", {{"shard", shard}, {"entities", n.text}}); break;
  case event::lost: log::error("shard stopped", {{"shard", shard}, {"reason", n.text}}); break;
  }
}

}  // namespace

shard_actor::shard_actor(caf::actor_config& cfg, node_host& host, shard_id id)
    : caf::event_based_actor(cfg),
      host_(host),
      id_(id),
      seat_(
          id, policy_of(host.options, host.from_json), host.dataset, host.catalog, *host.metrics.shards[id.value],
          [node = host.options.node] { return mint_token(node); }, *this),
      sight_(host.sights[id.value]),
      metrics_(*host.metrics.shards[id.value]) {
  set_exception_handler(
      [](caf::scheduled_actor*, std::exception_ptr& e) -> caf::error { stop_on_exception("shard", e); });
}

instant shard_actor::now() const { return clock_now(); }
void shard_actor::send(std::vector<shard_command> commands) { host_.store->send(std::move(commands)); }
void shard_actor::send(link_number link, peer_message m) {
  if (auto to = host_.links.find(link)) caf::anon_send(to, to_peer_msg{std::move(m)});
}
std::optional<link_number> shard_actor::link_to(const member_id& peer) const { return host_.links.to(peer); }
std::optional<link_number> shard_actor::any_link_to(const member_id& peer) const { return host_.links.any_to(peer); }
void shard_actor::want_view(view_number at_least) { caf::anon_send(host_.member_handle, view_wanted_msg{at_least}); }
bool shard_actor::may_move(shard_id s) { return host_.may_move(s); }
void shard_actor::moved(shard_id s) {
  if (auto next = host_.moved(s)) caf::anon_send(host_.shard_handles[next->value], turn_msg{});
}
void shard_actor::note(shard_id s, const shard_effects::note& n) {
  // What the sum has grown by is the pause that ended with this claim: only this actor adds to it.
  const auto pauses = metrics_.handoff_pause.sum();
  log_note(host_, s, n, pauses - std::exchange(pauses_, pauses));
}

void shard_actor::relay(shard_id from, frame f) {
  const auto to = f.shard;
  PAWL_INVARIANT(to.value < host_.shards, "a message is relayed to a shard of the dataset");
  auto back = [source = host_.shard_handles[from.value], to, number = f.number](std::optional<frame_answer> answer) {
    caf::anon_send(source, relayed_msg{to, number, std::move(answer)});
  };
  caf::anon_send(host_.shard_handles[to.value], carry_msg{std::move(f), std::move(back)});
}

void shard_actor::watch_inbox(shard_id s, std::optional<entry_id> after) {
  if (after) host_.inboxes->watch(s, *after);
  else host_.inboxes->unwatch(s);
}

/// Runs one input, and shows what has become of the shard.
template <class Input>
void shard_actor::turn(Input input) {
  shard_turn counted{sight_};
  input();
  show();
}

void shard_actor::take_submissions() {
  host_.boxes[id_.value].take(taken_);
  if (!taken_.empty()) seat_.submit(taken_);
  taken_.clear();
}

caf::behavior shard_actor::make_behavior() {
  show();  // from the beginning: no view yet
  return {
      [this](submitted_msg) { turn([&] { take_submissions(); }); },
      [this](shard_answers_msg& m) { turn([&] { seat_.on_store_answers(std::move(m.answers)); }); },
      [this](from_peer_msg& m) { turn([&] { seat_.on_peer_message(m.link, std::move(m.message)); }); },
      [this](read_msg& m) { turn([&] { seat_.read(std::move(m.about), std::move(m.done)); }); },
      [this](carry_msg& m) { turn([&] { seat_.carry(std::move(m.contents), std::move(m.done)); }); },
      [this](relayed_msg& m) { turn([&] { seat_.on_relayed(m.receiver, m.number, std::move(m.answer)); }); },
      [this](placement_msg& m) { turn([&] { seat_.on_placement(std::move(m.table), m.self); }); },
      [this](turn_msg) { turn([&] { seat_.on_turn(); }); },
      [this](evicted_msg) { turn([&] { seat_.on_evicted(); }); },
      [this](inbox_msg) { turn([&] { seat_.on_inbox(); }); },
      [this](const store_connection_msg& m) { turn([&] { seat_.on_connection(m.connection.number); }); },
      [this](const link_up_msg& m) { turn([&] { seat_.on_link_up(m.peer); }); },
      [this](const link_down_msg& m) { turn([&] { seat_.on_link_down(m.link); }); },
      [this](wake_msg m) {
        if (m.generation != generation_) return;
        wake_.reset();
        turn([&] { seat_.tick(); });
      },
      [this](left_msg) { turn([&] { seat_.close(); }); },
      [this](close_msg) {
        turn([&] {
          seat_.close();
          take_submissions();  // to be answered as well
        });
        quit();
      },
  };
}

/// Shows what has become of the shard, and arranges to be woken when something is due.
void shard_actor::show() {
  sight_.waits.show(seat_.obstacle());
  sight_.claim.store(static_cast<std::uint8_t>(seat_.claim_state()), std::memory_order_relaxed);
  sight_.queued.store(seat_.queued(), std::memory_order_relaxed);
  sight_.in_lane.store(seat_.in_lane(), std::memory_order_relaxed);
  sight_.entities.store(metrics_.entities.value(), std::memory_order_relaxed);
  sight_.commits.store(seat_.sequence(), std::memory_order_relaxed);
  if (seat_.holds() != counted_) {
    counted_ = !counted_;
    counted_ ? ++host_.held : --host_.held;
  }

  auto at = seat_.wake();
  if (!at || (wake_ && *wake_ <= *at)) return;
  wake_ = at;
  auto in = std::max(std::chrono::steady_clock::duration::zero(), *at - clock_now().steady);
  delayed_send(this, in, wake_msg{++generation_});
}

}  // namespace pawl
