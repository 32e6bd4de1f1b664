#include "tests/sim/process.hpp"

#include "cluster/shard_map.hpp"
#include "tests/sim/world.hpp"

#include <algorithm>
#include <utility>

namespace pawl::sim {
namespace {

constexpr span tick_every = 50ms;

membership_policy policy_of(const scenario& s) {
  membership_policy p;
  p.beat = 200ms;
  p.lease = s.lease;
  p.refused_lease = 250ms;
  p.rejoin_max = 4s;
  return p;
}

seat_policy seats_of(const scenario& s) {
  seat_policy p;
  p.shard.claim.handoff = s.handoff;
  p.shard.passivate_after = s.passivate_after;
  p.shard.resident_max = s.resident_max;
  p.shard.first_sweep = s.first_sweep;
  p.shard.second_sweep = 4 * s.first_sweep;
  // So many owners are lost by faults that no message could be blamed.
  p.shard.suspicion = {5s, 255};
  // Hints that are lost here are lost for ever.
  p.shard.inbox.slow_look = 1s;
  p.shard.inbox.enabled = s.inboxes != 0;
  // An entry that only newer nodes know waits for one.
  p.shard.inbox.patience = std::chrono::hours{1};
  p.lane.timeout = s.lane_timeout;
  p.reader.timeout = s.lane_timeout;
  p.courier.timeout = s.lane_timeout;
  return p;
}

}  // namespace

process::process(world& w, std::size_t place, std::uint64_t run)
    : world_(w),
      place_(place),
      name_("n" + std::to_string(place + 1)),
      dice_(w.plan.seed, 1'000 + place * 100 + run),
      catalog_(ledger_catalog(w.plan.retention, !w.is_older(place), w.plan.shards, w.plan.numbers)),
      membership_(name_, policy_of(w.plan)),
      armed_(w.plan.shards),
      shards_pipe_(
          w.time, w.redis, dice{dice_.next()}, [this](timeline::action a) { deliver(std::move(a)); },
          [this](std::uint64_t n) { to_all([n](shard_seat& s) { s.on_connection(n); }); }),
      members_pipe_(
          w.time, w.redis, dice{dice_.next()}, [this](timeline::action a) { deliver(std::move(a)); },
          [this](std::uint64_t n) { carry_out(membership_.on_connection(n != 0, now())); }) {
  for (std::uint32_t s = 0; s < w.plan.shards; ++s) {
    metrics_.push_back(std::make_unique<shard_metrics>(catalog_.types.size()));
    seats_.push_back(std::make_unique<shard_seat>(
        shard_id{s}, seats_of(w.plan), world::dataset, catalog_, *metrics_.back(), [this, s] { return mint({s}); },
        static_cast<seat_host&>(*this)));
  }
}

void process::start() {
  world_.net.listen(place_, weak_from_this());
  shards_pipe_.connect();
  members_pipe_.connect();
  later([this] { tick(); });
}

void process::deliver(timeline::action a) {
  if (dead_) return;
  if (frozen_) return backlog_.push_back(std::move(a));
  auto self = shared_from_this();  // what runs may be its end
  a();
}

void process::later(timeline::action a) {
  world_.time.after(tick_every, [who = weak_from_this(), a = std::move(a)] {
    if (auto p = who.lock()) p->deliver(a);
  });
}

void process::freeze() { frozen_ = true; }

void process::thaw() {
  frozen_ = false;
  for (auto& a : std::exchange(backlog_, {})) deliver(std::move(a));
}

void process::die() {
  dead_ = true;
  world_.net.gone(place_);
}

fencing_token process::mint(shard_id s) {
  if (world_.plan.epoch_tokens) {
    const auto& text = world_.data.shard(s).record.token.text();
    return fencing_token{std::to_string(std::stoull(text) + 1) + "-epoch-0"};
  }
  return fencing_token{std::to_string(++tokens_) + "-" + name_ + "-" + std::to_string(dice_.next())};
}

// Seats ------------------------------------------------------------------------------------------------------------

void process::arm(std::uint32_t shard) {
  auto at = seats_[shard]->wake();
  if (!at || (armed_[shard] && *armed_[shard] <= *at)) return;
  armed_[shard] = at;
  auto in = std::max(steady_time::duration::zero(), *at - now().steady);
  world_.time.after(std::chrono::ceil<span>(in), [who = weak_from_this(), shard, at] {
    auto p = who.lock();
    if (!p) return;
    p->deliver([p, shard, at] {
      if (p->armed_[shard] != at) return;
      p->armed_[shard].reset();
      p->to_seat(shard, [](shard_seat& s) { s.tick(); });
    });
  });
}

instant process::now() const { return world_.time.now(); }

void process::send(std::vector<shard_command> commands) {
  for (auto& c : commands) send_one(std::move(c));
}

void process::send_one(shard_command c) {
  auto answer = [shard = c.shard, ticket = c.ticket](store_outcome outcome) {
    shard_answer a;
    a.shard = shard;
    a.ticket = ticket;
    a.outcome = outcome;
    return a;
  };
  auto tell = [this](shard_answer a) {
    auto s = a.shard.value;
    to_seat(s, [&a](shard_seat& seat) {
      std::vector<shard_answer> one;
      one.push_back(std::move(a));
      seat.on_store_answers(std::move(one));
    });
  };
  if (c.connection == 0 || c.connection != shards_pipe_.number()) {
    auto a = std::make_shared<shard_answer>(answer(store_outcome::unavailable));
    world_.time.after(1us, [who = weak_from_this(), tell, a] {
      if (auto p = who.lock()) p->deliver([p, tell, a] { tell(std::move(*a)); });
    });
    return;
  }
  auto lost = [tell, answer] { tell(answer(store_outcome::unknown)); };
  auto& w = world_;
  if (auto* commit = std::get_if<commit_fields>(&c.operation)) {
    // Two commands: another connection's may come between them (rule A8).
    auto refused = std::make_shared<bool>(false);
    auto op = std::make_shared<commit_fields>(std::move(*commit));
    shards_pipe_.call(
        [&w, op, s = c.shard, refused] {
          bool written = w.write(s, *op);
          return [refused, written] { *refused = !written; };
        },
        [] {});
    shards_pipe_.call(
        [&w, op, s = c.shard, refused, tell, answer]() -> timeline::action {
          bool alive = w.data.live(s, op->token);
          if (!alive) ++w.seen.dead_names;
          return [refused, alive, tell, answer] {
            auto a = answer(*refused ? store_outcome::refused : alive ? store_outcome::done : store_outcome::unknown);
            if (*refused) a.error = store_error::oom;
            a.body = commit_answer{};
            tell(std::move(a));
          };
        },
        [refused, tell, answer] { tell(answer(*refused ? store_outcome::refused : store_outcome::unknown)); });
    return;
  }
  if (auto* load = std::get_if<load_fields>(&c.operation)) {
    auto op = std::make_shared<load_fields>(std::move(*load));
    auto values = std::make_shared<load_answer>();
    shards_pipe_.call(
        [&w, op, s = c.shard, values]() -> timeline::action {
          return [values, v = w.data.values(s, *op)] { values->values = v; };
        },
        [] {});
    shards_pipe_.call(
        [&w, op, s = c.shard, values, tell, answer]() -> timeline::action {
          bool alive = w.data.live(s, op->token) || w.plan.broken == flaw::nil_of_dead_name;
          return [values, alive, tell, answer] {
            auto a = answer(alive ? store_outcome::done : store_outcome::fenced);
            a.body = std::move(*values);
            tell(std::move(a));
          };
        },
        lost);
    return;
  }
  auto command = std::make_shared<shard_command>(std::move(c));
  shards_pipe_.call(
      [&w, command, tell]() -> timeline::action {
        auto a = std::make_shared<shard_answer>(w.execute(*command));
        return [tell, a] { tell(std::move(*a)); };
      },
      lost);
}

void process::send(link_number link, peer_message m) {
  if (links_.contains(link)) world_.net.send(*this, link, std::move(m));
}

std::optional<link_number> process::link_to(const member_id& peer) const {
  auto it = dialled_.find(peer);
  return it == dialled_.end() ? std::nullopt : std::optional{it->second};
}

std::optional<link_number> process::any_link_to(const member_id& peer) const {
  if (auto dialled = link_to(peer)) return dialled;
  for (const auto& [number, id] : links_)
    if (id == peer) return number;
  return std::nullopt;
}

void process::want_view(view_number at_least) {
  world_.time.after(1us, [who = weak_from_this(), at_least] {
    auto p = who.lock();
    if (p) p->deliver([p, at_least] { p->carry_out(p->membership_.on_view_wanted(at_least, p->now())); });
  });
}

void process::moved(shard_id s) {
  auto next = moves_.leave(s);
  if (!next) return;
  world_.time.after(1us, [who = weak_from_this(), n = next->value] {
    if (auto p = who.lock()) p->deliver([p, n] { p->to_seat(n, [](shard_seat& seat) { seat.on_turn(); }); });
  });
}

void process::watch_inbox(shard_id s, std::optional<entry_id> after) {
  if (!after) {
    watched_.erase(s.value);
    return;
  }
  watched_[s.value] = *after;
  on_entry(s);
}

void process::on_entry(shard_id s) {
  if (const auto w = watched_.find(s.value); w != watched_.end()) world_.look_for(shared_from_this(), s, w->second);
}

void process::on_inbox(shard_id s) {
  if (watched_.erase(s.value) != 0) to_seat(s.value, [](shard_seat& seat) { seat.on_inbox(); });
}

/// From one actor to another and back: each a little later.
void process::relay(shard_id from, frame f) {
  if (world_.verbose)
    world_.say(name_ + " relays to shard " + std::to_string(f.shard.value) + ", frame " + std::to_string(from.value) +
               "#" + std::to_string(f.number) + ": " + std::to_string(f.messages.size()) + " behind " +
               std::to_string(f.of->follows.number));
  auto contents = std::make_shared<frame>(std::move(f));
  world_.time.after(1us, [who = weak_from_this(), from, contents] {
    auto p = who.lock();
    if (!p) return;
    p->deliver([p, from, contents] {
      const auto to = contents->shard;
      auto back = [who = p->weak_from_this(), from, to, number = contents->number](std::optional<frame_answer> a) {
        auto asker = who.lock();
        if (!asker) return;
        if (asker->world_.verbose)
          asker->world_.say(asker->name_ + " hears of frame " + std::to_string(from.value) + "#" +
                            std::to_string(number) +
                            (!a         ? ": nothing"
                             : !a->mark ? ": not judged"
                                        : ": " + std::to_string(a->mark->taken.mark().number)));
        auto answer = std::make_shared<std::optional<frame_answer>>(std::move(a));
        asker->world_.time.after(1us, [who, from, to, number, answer] {
          auto q = who.lock();
          if (!q) return;
          q->deliver([q, from, to, number, answer] {
            q->to_seat(from.value, [&](shard_seat& s) { s.on_relayed(to, number, std::move(*answer)); });
          });
        });
      };
      p->to_seat(to.value, [&](shard_seat& s) { s.carry(std::move(*contents), std::move(back)); });
    });
  });
}

void process::note(shard_id s, const shard_effects::note& n) {
  using event = shard_effects::event;
  if (n.what == event::claimed && n.text == "takeover") ++world_.seen.takeovers;
  if (n.what == event::doubt) ++world_.seen.doubts;
  if (n.what == event::lost) world_.on_stopped(*this, s, n.text);
  if (world_.verbose && n.what != event::other_server)
    world_.say(name_ + " shard " + std::to_string(s.value) + " " +
               std::array{"claimed", "kept", "released", "doubt", "", "rolled back", "suspects", "STOPPED",
                          "relay goes on", "RELAY STOPPED", "INBOX LOST", "INBOX STOPPED", "inbox goes on",
                          "inbox fails", "gave messages up", "refused messages", "misses a number"}
                   .at(static_cast<std::size_t>(n.what)) +
               (n.text.empty() ? "" : ": " + n.text));
}

void process::submit(std::shared_ptr<const message_block> batch,
                     std::function<void(std::vector<message_result>)> done) {
  ++unanswered_;
  auto answered = [this, done = std::move(done)](std::vector<message_result> results) {
    --unanswered_;
    done(std::move(results));
  };
  auto request = std::make_shared<pending_request>(std::move(batch), std::move(answered));
  for (auto& part : request_parts::of(request, world_.plan.shards))
    to_seat(part.shard.value, [&part](shard_seat& s) { s.submit({&part.messages, 1}); });
}

void process::read(entity_id id, std::function<void(entity_answer)> done) {
  auto shard = shard_of(id.key, world_.plan.shards).value;
  to_seat(shard, [&](shard_seat& s) {
    s.read(std::move(id), [done = std::move(done)](read_answer a) { done(std::move(a.answer)); });
  });
}

void process::cut_store(bool on) {
  shards_pipe_.cut(on);
  members_pipe_.cut(on);
}

void process::break_store() { (dice_.chance(70) ? shards_pipe_ : members_pipe_).break_off(); }

void process::lose_store() {
  shards_pipe_.break_off();
  members_pipe_.break_off();
}

std::string process::describe() const {
  std::string text = name_ +
                     (dead_     ? " dead"
                      : frozen_ ? " frozen"
                                : "") +
                     " view " + std::to_string(membership_.current().number.value) + " " +
                     std::string{to_string(membership_.current_state())};
  for (std::uint32_t s = 0; s < seats_.size(); ++s)
    text += " " + std::to_string(s) + ":" + std::string{to_string(seats_[s]->claim_state())} + "/" +
            std::to_string(seats_[s]->queued());
  return text;
}

}  // namespace pawl::sim
