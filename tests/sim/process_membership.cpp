// The half of a simulated node that is its membership, and its links to the others.
#include "tests/sim/process.hpp"
#include "tests/sim/world.hpp"

#include <algorithm>
#include <utility>

namespace pawl::sim {
namespace {

constexpr auto unreachable_after = 200ms;
constexpr std::chrono::milliseconds redial_first{5};
constexpr std::chrono::milliseconds redial_max{1'000};

}  // namespace

void process::carry_out(membership::effects e) {
  for (const auto& r : e.requests) ask(r);
  if (e.evicted) to_all([](shard_seat& s) { s.on_evicted(); });
  if (e.publish) publish();
  if (e.left || !e.fatal.empty()) {
    if (world_.verbose) world_.say(name_ + (e.left ? " left" : " ends: " + e.fatal));
    to_all([](shard_seat& s) { s.close(); });
    die();
    world_.on_ended(*this);
  }
}

void process::ask(const membership::request& r) {
  using kind = membership::request::kind;
  member_command c;
  switch (r.what) {
  case kind::read: c.operation = read_members{}; break;
  case kind::join: {
    join_members j{name_, std::to_string(place_), "", std::nullopt};
    if (!r.target.empty()) j.replaces = {r.target.incarnation, r.beat};
    c.operation = std::move(j);
    break;
  }
  case kind::beat: c.operation = beat_member{self(), r.view, r.watched}; break;
  case kind::drain: c.operation = drain_member{self()}; break;
  case kind::leave: c.operation = leave_members{self()}; break;
  case kind::evict: c.operation = evict_member{r.target, r.beat}; break;
  case kind::accuse: c.operation = accuse_member{self(), r.target}; break;
  case kind::acquit: c.operation = acquit_member{self(), r.target}; break;
  case kind::raise: c.operation = raise_view{r.view}; break;
  }
  auto failed = [this, what = r.what] { carry_out(membership_.on_failed(what, now())); };
  if (members_pipe_.number() == 0) {
    world_.time.after(1us, [who = weak_from_this(), failed] {
      if (auto p = who.lock()) p->deliver(failed);
    });
    return;
  }
  auto command = std::make_shared<member_command>(std::move(c));
  members_pipe_.call(
      [this, &w = world_, command, what = r.what]() -> timeline::action {
        auto a = std::make_shared<member_answer>(w.execute(*command));
        return [this, what, a] { on_member_answer(what, std::move(*a)); };
      },
      failed);
}

void process::on_member_answer(membership::request::kind what, member_answer a) {
  using kind = membership::request::kind;
  if (a.outcome == store_outcome::fenced) return carry_out(membership_.on_fenced(what, now()));
  if (a.whole) {
    auto joined = what == kind::join ? std::optional{a.self} : std::nullopt;
    carry_out(membership_.on_table(what, std::move(a.table), std::move(joined), now()));
  } else if (what == kind::beat) {
    carry_out(membership_.on_beats(a.table.members, now()));
  } else {
    carry_out(membership_.on_done(what, now()));
  }
}

void process::on_change(const view_change& c) { carry_out(membership_.on_change(c.number, c.node, c.row, now())); }

void process::publish() {
  table_ = world_.table_of(membership_.current());
  to_all([this](shard_seat& s) { s.on_placement(table_, self()); });
  const auto& members = table_->members();
  for (const auto& m : members.members)
    if (auto link = link_to(m.id)) send(*link, view_notice{members.number});
  std::erase_if(peers_, [&](const auto& p) { return members.find(p.first) == nullptr; });
  std::vector<link_number> beyond;
  for (const auto& [id, link] : dialled_)
    if (members.find(id) == nullptr) beyond.push_back(link);
  for (auto link : beyond) world_.net.break_off(link);
  for (const auto& m : members.members)
    if (m.id != self()) peers_.try_emplace(m.id, neighbour{false, false, {}, {}, now().steady});
  keep_links();
}

void process::keep_links() {
  if (dead_ || !table_) return;
  for (auto& [id, p] : peers_) {
    if (p.linked || p.dialling || p.next > now().steady) continue;
    if (const auto* m = table_->members().find(id)) {
      p.dialling = true;
      world_.net.dial(shared_from_this(), std::stoul(m->peer_address), id);
    }
  }
}

void process::on_dialled(const member_id& peer, network::dial_result result) {
  on_no_link(peer, result == network::dial_result::refused);
}

void process::on_no_link(const member_id& id, bool gone) {
  auto it = peers_.find(id);
  if (it == peers_.end()) return;
  auto& p = it->second;
  p.dialling = false;
  p.next = now().steady + p.pause;
  p.pause = std::min(redial_max, std::max(redial_first, 2 * p.pause));
  if (gone || now().steady - p.since >= unreachable_after) carry_out(membership_.on_unreachable(id, gone, now()));
}

void process::on_linked(link_number link, const member_id& peer) {
  links_[link] = peer;
  dialled_[peer] = link;
  carry_out(membership_.on_reached(peer, now()));
  send(link, view_notice{membership_.current().number});
  if (auto it = peers_.find(peer); it != peers_.end()) it->second = {false, true, {}, {}, {}};
  to_all([&peer](shard_seat& s) { s.on_link_up(peer); });
}

void process::on_accepted(link_number link, const member_id& peer) { links_[link] = peer; }

void process::on_link_down(link_number link) {
  auto it = links_.find(link);
  if (it == links_.end()) return;
  auto peer = it->second;
  links_.erase(it);
  bool ours = dialled_.contains(peer) && dialled_[peer] == link;
  if (ours) dialled_.erase(peer);
  to_all([link](shard_seat& s) { s.on_link_down(link); });
  if (!ours) return;
  if (auto p = peers_.find(peer); p != peers_.end() && std::exchange(p->second.linked, false))
    p->second.since = now().steady;
  on_no_link(peer, false);
  keep_links();
}

void process::on_peer_message(link_number link, peer_message m) {
  if (!links_.contains(link)) return;
  if (auto* v = std::get_if<view_notice>(&m)) {
    if (v->view > membership_.current().number) carry_out(membership_.on_view_wanted({}, now()));
    return;
  }
  auto shard = std::visit(
      [](const auto& x) -> std::uint32_t {
        if constexpr (requires { x.shard; }) return x.shard.value;
        else return 0;
      },
      m);
  to_seat(shard, [&](shard_seat& s) { s.on_peer_message(link, std::move(m)); });
}

void process::drain() {
  draining_ = true;
  carry_out(membership_.drain(now()));
}

void process::tick() {
  carry_out(membership_.tick(now()));
  keep_links();
  if (draining_ && !leaving_ && !dead_) {
    bool held = std::any_of(seats_.begin(), seats_.end(), [](const auto& s) { return s->holds(); });
    const auto* row = membership_.current().find(self());
    if (!held && (row == nullptr || row->state == member_state::draining)) {
      leaving_ = true;
      carry_out(membership_.leave(now()));
    }
  }
  if (!dead_) later([this] { tick(); });
}

}  // namespace pawl::sim
