#include "actors/caf/member_actor.hpp"

#include "actors/caf/dialer.hpp"
#include "actors/caf/peer_link.hpp"
#include "metrics/log.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace pawl {
namespace {

constexpr auto tick_every = std::chrono::milliseconds{25};
// A link that breaks and comes again within this time was nothing.
constexpr auto unreachable_after = std::chrono::milliseconds{200};
constexpr auto redial_first = std::chrono::milliseconds{5};
constexpr auto redial_max = std::chrono::milliseconds{1'000};

membership_policy policy_of(const node_options& o) {
  membership_policy p;
  p.beat = o.beat;
  p.lease = o.lease;
  // A refused connection is strong evidence; a missed beat on top makes it a verdict.
  p.refused_lease = std::min(o.lease, o.beat + std::chrono::milliseconds{50});
  p.settle = o.settle;
  return p;
}

}  // namespace

member_actor::member_actor(caf::actor_config& cfg, node_host& host, std::string peer_address, std::string http_address)
    : caf::event_based_actor(cfg),
      host_(host),
      peer_address_(std::move(peer_address)),
      http_address_(std::move(http_address)),
      membership_(host.options.node, policy_of(host.options)),
      watch_(host) {
  host_.metrics.lease.set_lease(host_.options.lease);
  set_exception_handler(
      [](caf::scheduled_actor*, std::exception_ptr& e) -> caf::error { stop_on_exception("member", e); });
}

caf::behavior member_actor::make_behavior() {
  delayed_send(this, tick_every, wake_msg{});
  return {
      [this](const member_connection_msg& m) {
        store_up_ = m.up;
        carry_out(membership_.on_connection(m.up, clock_now()));
      },
      [this](member_answer_msg& m) { on_answer(m.answer); },
      [this](view_change_msg& m) {
        auto& c = m.change;
        carry_out(membership_.on_change(c.number, c.node, std::move(c.row), clock_now()));
      },
      [this](const view_wanted_msg& m) { carry_out(membership_.on_view_wanted(m.at_least, clock_now())); },
      [this](const view_notice_msg& m) {
        if (m.view > membership_.current().number) carry_out(membership_.on_view_wanted({}, clock_now()));
      },
      [this](const link_up_msg& m) {
        carry_out(membership_.on_reached(m.peer, clock_now()));
        notify_view(m.link);
        if (auto it = peers_.find(m.peer); it != peers_.end()) it->second = {false, true, {}, {}, {}};
      },
      [this](const peer_closed_msg& m) {
        if (auto it = peers_.find(m.peer); it != peers_.end() && std::exchange(it->second.linked, false))
          it->second.since = clock_now().steady;
        on_no_link(m.peer, m.gone);
        keep_links();
      },
      [this](const dialled_msg& m) {
        auto it = peers_.find(m.peer);
        if (it == peers_.end()) {
          if (m.socket >= 0) ::close(m.socket);
          return;
        }
        if (m.socket >= 0) {
          // Stays "dialling" until the handshake is done; the link tells how it ends.
          adopt_link(system(), host_, m.socket, m.peer);
          return;
        }
        on_no_link(m.peer, m.refused);
        log::debug("peer cannot be reached", {{"peer", m.peer.node}, {"reason", m.error}});
      },
      [this](drain_msg) {
        if (drain_deadline_) return finish("");  // asked twice: now
        drain_deadline_ = clock_now().steady + host_.options.drain;
        log::info("draining", {{"shards", std::to_string(host_.held.load())}});
        carry_out(membership_.drain(clock_now()));
      },
      [this](wake_msg) {
        if (closing_) return quit();
        tick();
        delayed_send(this, tick_every, wake_msg{});
      },
      // With the next wake-up: one that were still to come would hold on to this actor, and CAF waits for the last
      // hold on a detached one.
      [this](close_msg) { closing_ = true; },
  };
}

void member_actor::on_answer(member_answer& a) {
  auto it = asked_.find(a.ticket);
  if (it == asked_.end()) return;
  using kind = membership::request::kind;
  auto what = it->second;
  asked_.erase(it);
  auto now = clock_now();
  if (a.outcome == store_outcome::done) {
    if (a.whole) {
      auto joined = what == kind::join ? std::optional{std::move(a.self)} : std::nullopt;
      carry_out(membership_.on_table(what, std::move(a.table), std::move(joined), now));
    } else if (what == kind::beat) {
      carry_out(membership_.on_beats(a.table.members, now));
    } else {
      carry_out(membership_.on_done(what, now));
    }
  } else if (a.outcome == store_outcome::fenced) {
    carry_out(membership_.on_fenced(what, now));
  } else {
    log::debug("membership request not answered", {{"reason", a.text}});
    carry_out(membership_.on_failed(what, now));
  }
  const auto beat = membership_.confirmed_beat();
  host_.metrics.lease.show(beat);
  if (what == kind::beat && beat && a.outcome == store_outcome::done)
    host_.metrics.lease_renewal.observe(std::chrono::duration<double>(now.steady - *beat).count());
}

/// A link, or an attempt at one, ended. `gone`: at that address nobody listens, or another member does.
void member_actor::on_no_link(const member_id& id, bool gone) {
  auto it = peers_.find(id);
  if (it == peers_.end()) return;
  auto now = clock_now();
  auto& p = it->second;
  p.dialling = false;
  p.next = now.steady + p.pause;
  p.pause = std::min(redial_max, std::max(redial_first, 2 * p.pause));
  if (gone || now.steady - p.since >= unreachable_after) carry_out(membership_.on_unreachable(id, gone, now));
}

void member_actor::carry_out(membership::effects e) {
  using kind = membership::request::kind;
  for (auto& r : e.requests) {
    member_command c;
    c.ticket = ++last_ticket_;
    asked_[c.ticket] = r.what;
    switch (r.what) {
    case kind::read: c.operation = read_members{}; break;
    case kind::join: {
      join_members j{host_.options.node, peer_address_, http_address_, std::nullopt};
      if (!r.target.empty()) j.replaces = {r.target.incarnation, r.beat};
      c.operation = std::move(j);
      break;
    }
    case kind::beat: c.operation = beat_member{membership_.self(), r.view, std::move(r.watched)}; break;
    case kind::drain: c.operation = drain_member{membership_.self()}; break;
    case kind::leave: c.operation = leave_members{membership_.self()}; break;
    case kind::evict:
      log::warn("member evicted", {{"member", r.target.node}, {"incarnation", std::to_string(r.target.incarnation)}});
      c.operation = evict_member{r.target, r.beat};
      break;
    case kind::accuse:
      log::info("member cannot be reached", {{"member", r.target.node}});
      c.operation = accuse_member{membership_.self(), r.target};
      break;
    case kind::acquit:
      log::info("member can be reached again", {{"member", r.target.node}});
      c.operation = acquit_member{membership_.self(), r.target};
      break;
    case kind::raise: c.operation = raise_view{r.view}; break;
    }
    host_.members->send(std::move(c));
  }
  if (e.evicted) {
    log::warn("this member was evicted or has left; nothing is owned here until it joins again");
    host_.metrics.evictions.fetch_add(e.left ? 0 : 1);
    for (const auto& shard : host_.shard_handles) caf::anon_send(shard, evicted_msg{});
  }
  if (e.publish) publish();
  else host_.show({host_.sight().table, membership_.self(), std::string{to_string(membership_.current_state())}});
  if (!e.fatal.empty()) finish(e.fatal);
  if (e.left) finish("");
}

void member_actor::publish() {
  const auto& v = membership_.current();
  bool changed = v.number != host_.sight().table->number();
  auto table = std::make_shared<const placement>(v, host_.shards);
  host_.show({table, membership_.self(), std::string{to_string(membership_.current_state())}});
  host_.metrics.view = v.number.value;
  host_.metrics.members = v.members.size();
  if (changed) {
    std::string names;
    for (const auto& m : table->members().members)
      names += (names.empty() ? "" : ",") + m.id.node + (m.state == member_state::draining ? "(draining)" : "");
    log::info("view", {{"number", std::to_string(v.number.value)}, {"members", names}});
  }
  for (const auto& shard : host_.shard_handles) caf::anon_send(shard, placement_msg{table, membership_.self()});
  if (changed) {
    for (const auto& m : table->members().members)
      if (auto link = host_.links.to(m.id)) notify_view(*link);
  }
  // A link to a member that is gone would otherwise last as long as its process, if that was only thought dead.
  for (const auto& link : host_.links.beyond(table->members())) caf::anon_send(link, close_msg{});
  std::erase_if(peers_, [&](const auto& p) { return table->members().find(p.first) == nullptr; });
  for (const auto& m : table->members().members)
    if (m.id != membership_.self()) peers_.try_emplace(m.id, peer{false, false, {}, {}, clock_now().steady});
  keep_links();
}

/// Tells a peer which view this node has.
void member_actor::notify_view(link_number link) {
  if (auto to = host_.links.find(link)) caf::anon_send(to, to_peer_msg{view_notice{membership_.current().number}});
}

void member_actor::keep_links() {
  auto t = clock_now().steady;
  const auto& members = host_.sight().table->members();
  for (auto& [id, p] : peers_) {
    if (closing_ || p.linked || p.dialling || p.next > t) continue;
    if (const auto* m = members.find(id)) {
      p.dialling = true;
      dial(system(), host_.member_handle, id, m->peer_address);
    }
  }
}

void member_actor::tick() {
  auto t = clock_now();
  if (auto progressing = watch_.look(store_up_, t.steady)) carry_out(membership_.on_progress(*progressing, t));
  carry_out(membership_.tick(t));
  keep_links();
  if (drain_deadline_ && !leaving_ && (host_.held == 0 || t.steady >= *drain_deadline_)) {
    // Not before the drain itself is in the view: until then shards are held because nobody told them to go.
    const auto* row = membership_.current().find(membership_.self());
    bool told = row == nullptr || row->state == member_state::draining;
    if (told || t.steady >= *drain_deadline_) {
      leaving_ = true;
      if (host_.held != 0) log::warn("drain deadline passed", {{"shards_held", std::to_string(host_.held.load())}});
      carry_out(membership_.leave(t));
    }
  }
  if (drain_deadline_ && t.steady >= *drain_deadline_ + std::chrono::seconds{1}) finish("");
}

void member_actor::finish(std::string why) {
  if (std::exchange(ended_, true)) return;
  for (const auto& shard : host_.shard_handles) caf::anon_send(shard, left_msg{});
  if (host_.on_end) host_.on_end(std::move(why));
}

}  // namespace pawl
