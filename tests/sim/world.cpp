#include "tests/sim/world.hpp"

#include "cluster/shard_map.hpp"

#include <algorithm>
#include <cstdio>

namespace pawl::sim {
namespace {

constexpr std::size_t tables_kept = 4;
constexpr std::uint64_t events_max = 2'000'000;  ///< hundreds of times what a run takes
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
  echoes += o.echoes;
  units += o.units;
  ticks += o.ticks;
  replies_again += o.replies_again;
  inbox_entries += o.inbox_entries;
  numbered += o.numbered;
  early += o.early;
  gaps += o.gaps;
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

std::shared_ptr<const placement> world::table_of(const view& v) {
  // Not by the number alone: after a rollback two views may have the same.
  auto same = [](const member& a, const member& b) {
    return a.id == b.id && a.state == b.state && a.peer_address == b.peer_address && a.http_address == b.http_address;
  };
  for (const auto& t : tables_) {
    const auto& known = t->members();
    if (known.number == v.number &&
        std::equal(known.members.begin(), known.members.end(), v.members.begin(), v.members.end(), same))
      return t;
  }
  if (tables_.size() == tables_kept) tables_.pop_front();
  tables_.push_back(std::make_shared<const placement>(v, plan.shards));
  return tables_.back();
}

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
  // Beside the senders of the same keys: order is promised to each by itself.
  for (std::size_t n = 0; n < plan.inboxes; ++n) {
    writers_.push_back(
        std::make_unique<inbox_writer>(*this, plan.keys + 1 + n, "k" + std::to_string((plan.seed + n) % plan.keys)));
    writers_.back()->start();
  }
  for (std::size_t n = 0; n < plan.journals; ++n) {
    numberers_.push_back(std::make_unique<numbered_sender>(*this, n, "j" + std::to_string(n)));
    numberers_.back()->start();
  }
  for (const auto& f : plan.faults) time.at(f.at, [this, f] { strike(f); });
  if (plan.rolls_back())
    for (span t = snapshot_every; t < plan.busy; t += snapshot_every)
      time.at(t, [this] { snapshots_.push_back(data); });

  span healed = plan.busy;
  for (const auto& f : plan.faults)
    if (!f.for_ever) healed = std::max(healed, f.at + f.length);
  time.at(healed + 1ms, [this] { heal_all(); });

  auto all_done = [this] {
    auto finished = [](const auto& s) { return s->finished(); };
    return quiet_ && std::all_of(senders_.begin(), senders_.end(), finished) &&
           std::all_of(writers_.begin(), writers_.end(), finished) &&
           std::all_of(numberers_.begin(), numberers_.end(), finished);
  };
  auto end = healed + patience;
  while (!(all_done() && outstanding().empty()) && time.step(end))
    if (time.events() > events_max) fail("progress", "so many events, and no end: somebody goes round in a circle");
  seen.events += time.events();
  seen.views += data.members().number.value;
  if (!all_done() && rollbacks == 0) {
    std::string text = "not resolved " + std::to_string(patience / 1s) + " s after the last fault was healed:";
    for (const auto& s : senders_)
      if (!s->finished()) text += "\n  " + s->describe();
    for (const auto& s : writers_)
      if (!s->finished()) text += "\n  " + s->describe();
    for (const auto& s : numberers_)
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

void world::add_to_inbox(const std::string& key, stream::fields f) {
  const auto s = shard_of(key, plan.shards);
  const auto id = data.add_to_inbox(s, time.now().wall, std::move(f));
  ++seen.inbox_entries;
  if (verbose) say("inbox " + std::to_string(s.value) + ": entry " + to_text(id));
  for (const auto& p : places_)
    if (p && !p->dead()) p->on_entry(s);
}

void world::look_for(const std::shared_ptr<process>& p, shard_id s, const entry_id& after) {
  // Some hints are lost: who is not told looks by himself.
  if (data.shard(s).inbox.state().last <= after || dice_.chance(20)) return;
  time.after(dice_.between(50us, 600us), [this, who = std::weak_ptr{p}, s] {
    auto q = who.lock();
    if (q && redis.up) q->deliver([q, s] { q->on_inbox(s); });
  });
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

}  // namespace pawl::sim
