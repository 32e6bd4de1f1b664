#include "tests/sim/world.hpp"

#include "cluster/shard_map.hpp"
#include "persistence/processed_set.hpp"

#include <algorithm>
#include <cstdio>

namespace pawl::sim {
namespace {

constexpr span snapshot_every = 300ms;
constexpr span patience = 60s;  ///< after the last fault is healed, everything must be resolved within this

}  // namespace

sightings& sightings::operator+=(const sightings& o) {
  events += o.events;
  sends += o.sends;
  acknowledged += o.acknowledged;
  duplicates += o.duplicates;
  refused += o.refused;
  unresolved += o.unresolved;
  reads += o.reads;
  commits += o.commits;
  claims += o.claims;
  takeovers += o.takeovers;
  doubts += o.doubts;
  views += o.views;
  dead_names += o.dead_names;
  for (std::size_t i = 0; i < fault_kinds; ++i) faults[i] += o.faults[i];
  return *this;
}

world::world(scenario s, bool v)
    : plan(std::move(s)),
      verbose(v),
      data(dataset, plan.shards, plan.broken),
      net(time, dice{plan.seed, 10}, plan.places),
      places_(plan.places),
      runs_(plan.places, 0),
      for_ever_dead_(plan.places, false),
      dice_(plan.seed, 11) {}

world::~world() {
  for (auto& p : places_)
    if (p) p->die();
}

void world::fail(const std::string& rule, const std::string& what) const {
  throw failure{rule, "at " + std::to_string(time.elapsed().count() / 1'000) + " ms: " + what};
}

void world::say(const std::string& text) const {
  if (verbose) std::printf("%9.3f ms  %s\n", static_cast<double>(time.elapsed().count()) / 1'000, text.c_str());
}

void world::start(std::size_t place) {
  if (places_[place] && !places_[place]->dead()) return;
  places_[place] = std::make_shared<process>(*this, place, ++runs_[place]);
  say("n" + std::to_string(place + 1) + " starts");
  places_[place]->start();
}

void world::on_ended(const process& p) {
  if (!quiet_) return;
  time.after(100ms, [this, at = p.place()] { start(at); });
}

std::shared_ptr<process> world::some_node(dice& d, std::optional<std::size_t> but) {
  std::vector<std::shared_ptr<process>> alive;
  for (const auto& p : places_)
    if (p && !p->dead() && p->place() != but) alive.push_back(p);
  if (alive.empty() && but) return some_node(d);
  return alive.empty() ? nullptr : alive[d.below(alive.size())];
}

// The run ----------------------------------------------------------------------------------------------------------

void world::run() {
  for (std::size_t n = 0; n < plan.nodes; ++n) time.after(dice_.between(0us, 20ms), [this, n] { start(n); });
  for (std::size_t k = 0; k < plan.keys; ++k)
    senders_.push_back(std::make_unique<sender>(*this, k, "k" + std::to_string(k)));
  // Two senders of one key, sometimes: order is promised to each of them.
  if (plan.seed % 3 == 0) senders_.push_back(std::make_unique<sender>(*this, plan.keys, "k0"));
  for (auto& s : senders_) s->start();
  for (const auto& f : plan.faults) time.at(f.at, [this, f] { strike(f); });
  if (plan.rolls_back())
    for (span t = snapshot_every; t < plan.busy; t += snapshot_every)
      time.at(t, [this] { snapshots_.push_back(data); });

  span healed = plan.busy;
  for (const auto& f : plan.faults)
    if (!f.for_ever) healed = std::max(healed, f.at + f.length);
  time.at(healed + 1ms, [this] { heal_all(); });

  auto all_done = [this] {
    return quiet_ && std::all_of(senders_.begin(), senders_.end(), [](const auto& s) { return s->finished(); });
  };
  auto end = healed + patience;
  while (!all_done() && time.step(end)) {
  }
  seen.events += time.events();
  seen.views += data.members().number.value;
  if (!all_done() && rollbacks == 0) {
    std::string text = "not resolved " + std::to_string(patience / 1s) + " s after the last fault was healed:";
    for (const auto& s : senders_)
      if (!s->finished()) text += "\n  " + s->describe();
    for (const auto& p : places_)
      if (p) text += "\n  " + p->describe();
    fail("progress", text);
  }
  // Whoever still runs owes an answer to every request.
  bool done = all_done();
  for (auto until = time.elapsed() + sender::replay_max + 2 * span{plan.lane_timeout}; time.step(until);) {
  }
  for (const auto& p : places_)
    if (done && p && !p->dead() && p->unanswered() != 0)
      fail("every request is answered", p->describe() + ": " + std::to_string(p->unanswered()) + " are not");
  check_end();
}

void world::strike(const fault& f) {
  auto& p = places_[f.a];
  bool alive = p && !p->dead();
  auto& q = places_[f.b];
  (void)q;
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
    net.heal(f.a, f.b);
    net.heal(f.b, f.a);
    break;
  case fault_kind::cut_one_way: net.heal(f.a, f.b); break;
  case fault_kind::isolate:
    for (std::size_t n = 0; n < places_.size(); ++n) {
      net.heal(f.a, n);
      net.heal(n, f.a);
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
    time.after(dice_.between(f.length / 2, f.length), [this, a = a, b = b] { net.heal(a, b); });
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

/// All faults end but those that are for ever, and every node that can runs.
void world::heal_all() {
  quiet_ = true;
  say("all healed");
  auto ever = [this](fault_kind k, std::size_t at) {
    return std::any_of(plan.faults.begin(), plan.faults.end(),
                       [&](const fault& f) { return f.for_ever && f.what == k && f.a == at; });
  };
  for (std::size_t a = 0; a < places_.size(); ++a)
    for (std::size_t b = 0; b < places_.size(); ++b)
      if (!ever(fault_kind::isolate, a) && !ever(fault_kind::isolate, b)) net.heal(a, b);
  data.memory_full = false;
  if (redis.frozen) heal({fault_kind::store_freeze, {}, {}});
  for (std::size_t n = 0; n < places_.size(); ++n) {
    auto& p = places_[n];
    if (p && p->frozen()) p->thaw();
    if (p && !p->dead() && !ever(fault_kind::cut_store, n)) p->cut_store(false);
    if (p && !p->dead() && plan.older[n]) p->die();  // it is upgraded
    if (n < plan.nodes && !for_ever_dead_[n]) start(n);
  }
}

// The store --------------------------------------------------------------------------------------------------------

bool world::write(shard_id s, const commit_fields& c) {
  bool lands = plan.broken == flaw::no_fence || data.shard(s).record.token == c.token;
  store::hash before;
  if (lands && data.shard(s).hashes.contains(data.shard(s).record.token)) before = data.data(s);
  if (!data.write(s, c)) return false;
  if (!lands) return true;
  ++seen.commits;
  check_commit(s, before, c);
  return true;
}

shard_answer world::execute(const shard_command& c) {
  bool was_released = data.shard(c.shard).record.released;
  auto a = data.execute(c);
  if (const auto* r = std::get_if<release_shard>(&c.operation)) {
    const auto& record = data.shard(c.shard).record;
    if (record.released && !was_released && record.token != r->token)
      fail("C29", "shard " + std::to_string(c.shard.value) + " was released by somebody who does not hold it");
  }
  if (const auto* claim = std::get_if<claim_shard>(&c.operation);
      claim != nullptr && a.outcome == store_outcome::done) {
    ++seen.claims;
    if (!tokens_.insert({c.shard.value, claim->fresh.text()}).second)
      fail("a token is one claim's",
           "shard " + std::to_string(c.shard.value) + ": " + claim->fresh.text() + " was granted before");
  }
  return a;
}

member_answer world::execute(const member_command& c) {
  auto a = data.execute(c);
  spread_changes();
  return a;
}

void world::spread_changes() {
  for (auto& c : data.take_changes()) {
    if (verbose)
      say("view " + std::to_string(c.number.value) + ": " + c.node +
          (c.row ? c.row->state == member_state::up ? " up" : " draining" : " gone"));
    for (const auto& p : places_) {
      if (!p || p->dead() || dice_.chance(5)) continue;
      time.after(dice_.between(50us, 600us), [this, who = std::weak_ptr{p}, c] {
        auto q = who.lock();
        if (q && redis.up) q->deliver([q, c] { q->on_change(c); });
      });
    }
  }
}

// What must hold -----------------------------------------------------------------------------------------------------

namespace {

std::string text_of(const std::vector<std::string>& ids) {
  std::string text;
  for (const auto& id : ids) text += (text.empty() ? "" : " ") + id;
  return text;
}

/// Sender and number of an id.
std::pair<std::string, std::size_t> parts_of(const std::string& id) {
  auto dot = id.find('.');
  return {id.substr(0, dot), std::stoul(id.substr(dot + 1))};
}

}  // namespace

void world::check_commit(shard_id s, const store::hash& before, const commit_fields& c) const {
  auto field = [&](const std::string& name) {
    auto it = before.find(name);
    return it == before.end() ? std::string{} : it->second;
  };
  auto was = decode_frontier(field(std::string{frontier_field}));
  for (const auto& [name, value] : c.fields) {
    if (name == frontier_field) {
      auto is = decode_frontier(value);
      if (!is || !was || is->seq != was->seq + 1)
        fail("one committer", "shard " + std::to_string(s.value) + ": commit " + std::to_string(is ? is->seq : 0) +
                                  " landed on commit " + std::to_string(was ? was->seq : 0));
    } else if (name.front() == 'e') {
      auto old = field(name);
      auto ids = old.empty() ? std::vector<std::string>{} : ids_in(old);
      auto next = ids_in(value);
      if (next.size() < ids.size() || !std::equal(ids.begin(), ids.end(), next.begin()))
        fail("effects stay", name + " was [" + text_of(ids) + "], and is [" + text_of(next) + "]");
      std::map<std::string, std::size_t> highest;
      for (const auto& id : next) {
        auto [from, n] = parts_of(id);
        auto h = highest.find(from);
        if (std::count(next.begin(), next.end(), id) > 1) fail("effect once", name + " is [" + text_of(next) + "]");
        // A late copy of a message that a rollback has taken away is a new one.
        if (h != highest.end() && h->second > n && rollbacks == 0) fail("order", name + " is [" + text_of(next) + "]");
        highest[from] = n;
      }
    }
  }
}

const world::sent_message& world::register_message(const std::string& id, const std::string& key, unix_ms sent_at,
                                                   dice& d) {
  auto it = messages_.find(id);
  if (it == messages_.end())
    it = messages_.emplace(id, sent_message{key,
                                            d.chance(8)    ? "Stumble"
                                            : d.chance(10) ? "Amend"
                                                           : "Append",
                                            sent_at})
             .first;
  return it->second;
}

std::vector<std::string> world::stored_ids(const std::string& key) const {
  auto s = shard_of(key, plan.shards);
  const auto& d = data.shard(s);
  auto h = d.hashes.find(d.record.token);
  if (h == d.hashes.end()) return {};
  auto e = h->second.find(entity_field(ledger_type, key));
  return e == h->second.end() ? std::vector<std::string>{} : ids_in(e->second);
}

void world::on_result(const std::string& id, const message_result& r) {
  if (verbose) say(id + " " + std::string{to_string(r.kind)} + (r.reason.empty() ? "" : ": " + r.reason));
  auto& m = messages_.at(id);
  switch (r.kind) {
  case result_kind::applied:
    if (m.applied && rollbacks == 0) fail("effect once", id + " was answered `applied` twice");
    m.applied = true;
    ++seen.acknowledged;
    break;
  case result_kind::duplicate: ++seen.duplicates; break;
  case result_kind::refused: ++seen.refused; return;
  case result_kind::blocked:
  case result_kind::busy:
  case result_kind::unknown: ++seen.unresolved; return;
  }
  bool stored = is_stored(id, m);
  // An owner that has not noticed a rollback yet may still answer for what it remembers.
  m.acknowledged = stored || rollbacks == 0;
  if (m.acknowledged && !stored)
    fail("acknowledged is committed", id + " was acknowledged, the store has [" + text_of(stored_ids(m.key)) + "]");
}

bool world::is_stored(const std::string& id, const sent_message& m) const {
  auto stored = stored_ids(m.key);
  return std::find(stored.begin(), stored.end(), id) != stored.end();
}

std::vector<std::string> world::acknowledged(const std::string& key) const {
  std::vector<std::string> out;
  for (const auto& [id, m] : messages_)
    if (m.key == key && m.acknowledged) out.push_back(id);
  return out;
}

void world::on_read(const std::string& key, const std::vector<std::string>& known, const entity_answer& a) {
  if (a.kind == entity_answer::status::unavailable) return;
  std::string error;
  Ledger l;
  if (a.kind == entity_answer::status::found && !decode_msgpack(a.state, l, error)) fail("D30", "unreadable: " + error);
  for (const auto& id : known)
    if (std::find(l.ids.begin(), l.ids.end(), id) == l.ids.end())
      fail("D30", "a read of " + key + " shows [" + text_of(l.ids) + "], without " + id +
                      ", which was acknowledged before it was asked");
}

void world::on_stopped(const process& p, shard_id s, const std::string& why) {
  if (rollbacks == 0) fail("no data lost", p.self().node + " stopped shard " + std::to_string(s.value) + ": " + why);
}

/// Ids and effects are the same set, and nothing acknowledged is missing.
void world::check_end() const {
  message_digester digester{{1, 2, 3}};
  for (std::uint32_t s = 0; s < plan.shards; ++s) {
    const auto& d = data.shard({s});
    auto h = d.hashes.find(d.record.token);
    if (h == d.hashes.end()) fail("no data lost", "shard " + std::to_string(s) + " has no data");
    auto f = decode_frontier(h->second.at(std::string{frontier_field}));
    processed_set ids{std::string{ledger_type}, {}};
    for (const auto& g : f->groups)
      if (g.type == ledger_type) ids.reset(g);
    for (const auto& field : ids.live_fields()) {
      auto group = h->second.find(field);
      if (group == h->second.end() || !ids.load(group->second)) fail("ids = effects", "a group of ids is missing");
    }
    for (const auto& [id, m] : messages_) {
      if (shard_of(m.key, plan.shards).value != s) continue;
      auto v = ids.judge(digester.digest(ledger_type, m.key, id, m.name, "\x80"), m.sent_at);
      auto stored = stored_ids(m.key);
      bool effect = std::find(stored.begin(), stored.end(), id) != stored.end();
      bool known = v == processed_set::verdict::duplicate;
      if (v != processed_set::verdict::too_old && known != effect)
        fail("ids = effects", id + (known ? " is known, but has no effect" : " has an effect, but is not known"));
      if (m.acknowledged && !effect && rollbacks == 0) fail("acknowledged is committed", id + " is gone");
    }
  }
}

}  // namespace pawl::sim
