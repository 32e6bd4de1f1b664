// What goes wrong in a world, and how it is put right.
#include "tests/sim/world.hpp"

#include <algorithm>
#include <utility>

namespace pawl::sim {

void world::strike(const fault& f) {
  auto& p = places_[f.a];
  bool alive = p && !p->dead();
  auto hit = [&] {
    ++seen.faults[static_cast<std::size_t>(f.what)];
    if (verbose) say("fault: " + to_text(f));
  };
  auto undo = [this, f] { time.after(f.length, [this, f] { heal(f); }); };
  switch (f.what) {
  case fault_kind::crash:
    if (!alive) return;
    hit();
    p->die();
    if (f.for_ever) for_ever_dead_[f.a] = true;
    else undo();
    break;
  case fault_kind::freeze:
    if (!alive || p->frozen()) return;
    hit();
    p->freeze();
    undo();
    break;
  case fault_kind::drain:
    if (!alive || p->frozen()) return;
    hit();
    p->drain();
    undo();
    break;
  case fault_kind::join:
    for (std::size_t n = 0; n < places_.size(); ++n) {
      if (places_[n] && !places_[n]->dead()) continue;
      if (for_ever_dead_[n]) continue;
      hit();
      start(n);
      return;
    }
    break;
  case fault_kind::suspect:
    if (!alive || data.members().find(p->self()) == nullptr) return;
    hit();
    data.evict(p->self());
    spread_changes();
    break;
  case fault_kind::cut_pair:
    hit();
    net.cut(f.a, f.b);
    net.cut(f.b, f.a);
    undo();
    break;
  case fault_kind::cut_one_way:
    hit();
    net.cut(f.a, f.b);
    undo();
    break;
  case fault_kind::isolate:
    hit();
    for (std::size_t n = 0; n < places_.size(); ++n) {
      if (n == f.a) continue;
      net.cut(f.a, n);
      net.cut(n, f.a);
    }
    if (!f.for_ever) undo();
    break;
  case fault_kind::cut_store:
    if (!alive) return;
    hit();
    p->cut_store(true);
    if (!f.for_ever) undo();
    break;
  case fault_kind::swizzle:
    hit();
    swizzle(f);
    break;
  case fault_kind::break_link:
    if (auto links = net.links(); !links.empty()) {
      hit();
      net.break_off(links[dice_.below(links.size())]);
    }
    break;
  case fault_kind::break_store:
    if (!alive || p->frozen()) return;
    hit();
    p->break_store();
    break;
  case fault_kind::store_restart:
    if (!redis.up || redis.frozen) return;
    hit();
    restart_store(f.length, false);
    break;
  case fault_kind::store_freeze:
    if (!redis.up || redis.frozen) return;
    hit();
    redis.frozen = true;
    undo();
    break;
  case fault_kind::memory_full:
    hit();
    data.memory_full = true;
    undo();
    break;
  case fault_kind::rollback:
    if (!redis.up || redis.frozen || snapshots_.empty()) return;
    hit();
    restart_store(f.length, true);
    break;
  }
}

void world::heal(const fault& f) {
  auto& p = places_[f.a];
  switch (f.what) {
  case fault_kind::crash: start(f.a); break;
  case fault_kind::freeze:
    if (p && p->frozen()) p->thaw();
    break;
  case fault_kind::drain:
    if (!p || p->dead()) start(f.a);
    break;
  case fault_kind::cut_pair:
    heal_link(f.a, f.b);
    heal_link(f.b, f.a);
    break;
  case fault_kind::cut_one_way: heal_link(f.a, f.b); break;
  case fault_kind::isolate:
    for (std::size_t n = 0; n < places_.size(); ++n) {
      heal_link(f.a, n);
      heal_link(n, f.a);
    }
    break;
  case fault_kind::cut_store:
    if (p && !p->dead()) p->cut_store(false);
    break;
  case fault_kind::store_freeze:
    redis.frozen = false;
    for (auto& a : std::exchange(redis.arrived, {})) a();
    break;
  case fault_kind::memory_full: data.memory_full = false; break;
  case fault_kind::join:
  case fault_kind::suspect:
  case fault_kind::swizzle:
  case fault_kind::break_link:
  case fault_kind::break_store:
  case fault_kind::store_restart:
  case fault_kind::rollback: break;
  }
}

void world::swizzle(const fault& f) {
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t a = 0; a < places_.size(); ++a)
    for (std::size_t b = 0; b < places_.size(); ++b)
      if (a != b) pairs.emplace_back(a, b);
  for (const auto& [a, b] : pairs) {
    time.after(dice_.between(0us, f.length / 2), [this, a = a, b = b] {
      if (!quiet_) net.cut(a, b);
    });
    time.after(dice_.between(f.length / 2, f.length), [this, a = a, b = b] { heal_link(a, b); });
  }
}

void world::restart_store(span down, bool to_former_data) {
  redis.up = false;
  ++redis.process;
  redis.arrived.clear();
  if (to_former_data) {
    ++rollbacks;
    auto full = data.memory_full;
    for (auto n = dice_.below(6); n > 0 && snapshots_.size() > 1; --n) snapshots_.pop_back();
    data = snapshots_.back();
    data.memory_full = full;
    for (auto& [id, m] : messages_) m.acknowledged = m.acknowledged && is_stored(id, m);
  }
  data.run_id = std::to_string(redis.process);
  for (const auto& p : places_)
    if (p && !p->dead()) time.after(dice_.between(100us, 5ms), [p] { p->lose_store(); });
  time.after(std::min(down, span{1s}), [this] { redis.up = true; });
}

/// It has struck there, or will, and does not end.
bool world::for_ever(fault_kind k, std::size_t at) const {
  return std::any_of(plan.faults.begin(), plan.faults.end(),
                     [&](const fault& f) { return f.for_ever && f.what == k && f.a == at && f.at <= time.elapsed(); });
}

void world::heal_link(std::size_t from, std::size_t to) {
  if (!for_ever(fault_kind::isolate, from) && !for_ever(fault_kind::isolate, to)) net.heal(from, to);
}

/// All faults end but those that are for ever, and every node that can runs.
void world::heal_all() {
  quiet_ = true;
  say("all healed");
  for (std::size_t a = 0; a < places_.size(); ++a)
    for (std::size_t b = 0; b < places_.size(); ++b) heal_link(a, b);
  data.memory_full = false;
  if (redis.frozen) heal({fault_kind::store_freeze, {}, {}});
  for (std::size_t n = 0; n < places_.size(); ++n) {
    auto& p = places_[n];
    if (p && p->frozen()) p->thaw();
    if (p && !p->dead() && !for_ever(fault_kind::cut_store, n)) p->cut_store(false);
    if (p && !p->dead() && plan.older[n]) p->die();  // it is upgraded
    if (n < plan.nodes && !for_ever_dead_[n]) start(n);
  }
}

}  // namespace pawl::sim
