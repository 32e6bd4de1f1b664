#include "actors/testing/world.hpp"

#include "actors/outbox.hpp"
#include "actors/trace_context.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

namespace pawl::testing {
namespace {

message_result invalid(std::string reason) { return {result_kind::refused, reason_code::invalid, std::move(reason)}; }

/// What a door does not let in.
std::optional<message_result> flaw(const parcel& p) {
  const auto bytes = "1 to " + std::to_string(limits::id_bytes) + " bytes";
  if (!is_name(p.to.type)) return invalid("'type' must be 1 to 64 letters, digits, '_', '.' or '-'");
  if (!is_name(p.name)) return invalid("'message' must be 1 to 64 letters, digits, '_', '.' or '-'");
  if (p.to.key.empty() || p.to.key.size() > limits::id_bytes) return invalid("'key' must have " + bytes);
  if (p.id.size() > limits::id_bytes) return invalid("'id' must have " + bytes);
  if (p.payload.size() > limits::payload_bytes)
    return invalid("'payload' has " + std::to_string(p.payload.size()) + " bytes; at most " +
                   std::to_string(limits::payload_bytes) + " are allowed");
  return std::nullopt;
}

bool is_probability(double p) { return p >= 0 && p <= 1; }

void check(const options& o) {
  const auto& f = o.inject;
  for (auto p : {f.crash, f.lost_ack, f.copy, f.delay})
    if (!is_probability(p)) throw std::invalid_argument("faults are probabilities, from 0 to 1");
  if (f.crash > 0.9 || f.lost_ack > 0.9)
    throw std::invalid_argument("with crash or lost_ack above 0.9 hardly a message would ever be resolved");
  for (auto span : {f.takeover_max, f.delay_max, f.copy_max})
    if (span < std::chrono::milliseconds{1}) throw std::invalid_argument("the spans of faults are at least 1 ms");
  if (o.shards < 1 || o.shards > shards_max)
    throw std::invalid_argument("shards: 1 to " + std::to_string(shards_max) + ", not " + std::to_string(o.shards));
}

}  // namespace

cluster::world::world(std::vector<entity_type> types, const options& o)
    : now(o.start), types_(std::move(types)), options_(o), chance_(o.seed) {
  check(o);
  for (auto t = types_.begin(); t != types_.end(); ++t) {
    if (!*t) throw std::invalid_argument("an entity type is null");
    if (std::any_of(types_.begin(), t, [&](const entity_type& other) { return other->name() == (*t)->name(); }))
      throw std::invalid_argument("two entity types are named '" + (*t)->name() + "'");
  }
}

parcel cluster::world::addressed(std::string_view type, std::string_view key, std::string_view name,
                                 std::string payload, envelope e) {
  if (e.id.empty()) e.id = "outside-" + std::to_string(++serial_);
  return {{std::string{type}, std::string{key}},
          std::string{name},
          std::move(payload),
          std::move(e.id),
          e.sent_at.value_or(now),
          e.seq,
          {},
          parse_traceparent(e.traceparent)};
}

answer cluster::world::send(parcel p) {
  if (auto f = flaw(p)) return {std::move(*f)};
  const auto to = p.to;
  auto& client = clients_[to];
  const auto number = ++client.last;
  client.waiting.emplace_back(number, std::move(p));
  auto& result = awaited_[{to, number}];
  steps_ = 0;
  while (!result) {
    const auto at = std::max(client.not_before, serves_from(shard(to)));
    // Nobody else gets a turn until the clock must move.
    if (at <= now) deliver_from_client(to);
    else settle(at, horizon::everything);
  }
  answer a{std::move(*result)};
  awaited_.erase({to, number});
  return a;
}

void cluster::world::post(parcel p) {
  if (auto f = flaw(p)) throw std::invalid_argument(f->reason);
  auto& client = clients_[p.to];
  if (client.waiting.empty()) hold_up(client);
  client.waiting.emplace_back(++client.last, std::move(p));
}

void cluster::world::run() {
  steps_ = 0;
  settle(std::numeric_limits<unix_ms>::max(), horizon::deliveries);
}

void cluster::world::advance(std::chrono::milliseconds span) {
  if (span < std::chrono::milliseconds::zero()) throw std::invalid_argument("time does not go back");
  steps_ = 0;
  const auto until = now + span.count();
  settle(until, horizon::everything);
  now = until;
}

void cluster::world::run_to_end() {
  steps_ = 0;
  settle(std::numeric_limits<unix_ms>::max(), horizon::everything);
}

/// Delivers what may come until then, moving the clock to each next time there is something.
void cluster::world::settle(unix_ms until, horizon h) {
  for (;;) {
    while (step()) continue;
    const auto at = next(h);
    if (!at || *at > until) break;
    now = *at;
  }
  if (until != std::numeric_limits<unix_ms>::max()) now = std::max(now, until);
}

bool cluster::world::step() {
  const auto from = ready();
  if (from.empty()) return false;
  const auto& s = from[chance_.below(from.size())];
  if (s.client != nullptr) deliver_from_client(*s.client);
  else if (s.pair != nullptr) deliver_from_shard(*s.pair);
  else if (s.timer) fire(*s.timer);
  else if (s.gap != nullptr) pass_gap(entity_id{*s.gap});
  else deliver_copy(*s.copy);
  return true;
}

std::vector<cluster::world::source> cluster::world::ready() {
  std::vector<source> found;
  for (const auto& [to, l] : clients_)
    if (!l.waiting.empty() && l.not_before <= now && serves_from(shard(to)) <= now) found.push_back({.client = &to});
  for (const auto& [between, l] : pairs_)
    if (!l.waiting.empty() && l.not_before <= now && serves_from(between.second) <= now)
      found.push_back({.pair = &between});
  for (const auto& [in, timers] : by_due_)
    if (!timers.empty() && std::get<unix_ms>(*timers.begin()) <= now && serves_from(in) <= now)
      found.push_back({.timer = *timers.begin()});
  for (auto c = copies_.begin(); c != copies_.end() && c->first <= now; ++c)
    if (serves_from(shard(c->second.to)) <= now) found.push_back({.copy = c});
  for (const auto& [to, early] : held_)
    if (const auto at = passes_gap_at(to); at && *at <= now && serves_from(shard(to)) <= now)
      found.push_back({.gap = &to});
  return found;
}

std::optional<unix_ms> cluster::world::next(horizon h) const {
  std::optional<unix_ms> earliest;
  const auto at = [&](unix_ms t, shard_id in) {
    t = std::max(t, serves_from(in));
    if (!earliest || t < *earliest) earliest = t;
  };
  for (const auto& [to, l] : clients_)
    if (!l.waiting.empty()) at(l.not_before, shard(to));
  for (const auto& [between, l] : pairs_)
    if (!l.waiting.empty()) at(l.not_before, between.second);
  // What is due already waits only for its shard to have an owner: it counts as under way.
  for (const auto& [in, timers] : by_due_)
    if (!timers.empty() && (h == horizon::everything || std::get<unix_ms>(*timers.begin()) <= now))
      at(std::get<unix_ms>(*timers.begin()), in);
  for (const auto& [when, p] : copies_)
    if (h == horizon::everything || when <= now) at(when, shard(p.to));
  for (const auto& [to, early] : held_)
    if (const auto when = passes_gap_at(to); when && (h == horizon::everything || *when <= now)) at(*when, shard(to));
  return earliest;
}

void cluster::world::deliver_from_client(const entity_id& e) {
  auto& client = clients_.at(e);
  const auto& [number, p] = client.waiting.front();
  auto result = judge(p);
  if (!result) return;
  if (resolved(result->kind) && chance_.happens(options_.inject.lost_ack)) {
    ++happened.lost_acks;
    client.not_before = now + chance_.span_ms(options_.inject.delay_max);
    return;
  }
  if (resolved(result->kind) && chance_.happens(options_.inject.copy)) {
    // Half of them while the first is still fresh.
    const auto span = chance_.happens(0.5) ? options_.inject.delay_max : options_.inject.copy_max;
    copies_.emplace(now + chance_.span_ms(span), p);
  }
  auto awaits = awaited_.find({e, number});
  if (awaits != awaited_.end()) awaits->second = std::move(*result);
  else if (result->code == reason_code::early) keep_early(p);
  else if (!resolved(result->kind)) bury(p, *result);
  client.waiting.pop_front();
  hold_up(client);
}

void cluster::world::deliver_copy(std::multimap<unix_ms, parcel>::iterator at) {
  if (!judge(at->second)) return;  // it comes again
  ++happened.copies;
  copies_.erase(at);
}

void cluster::world::deliver_from_shard(const shard_pair& between) {
  auto& pair = pairs_.at(between);
  const auto& [number, p] = pair.waiting.front();
  if (number <= pair.taken) {
    ++happened.discarded;
  } else {
    const auto result = take(p, true, nullptr);
    if (!result) return;
    pair.taken = number;
    if (chance_.happens(options_.inject.lost_ack)) {
      ++happened.lost_acks;
      pair.not_before = now + chance_.span_ms(options_.inject.delay_max);
      return;
    }
  }
  pair.waiting.pop_front();
  hold_up(pair);
}

void cluster::world::fire(const due_timer& t) {
  const auto& [due, serial, e, name] = t;
  const auto& what = timers_.at(e).at(name);
  const parcel p{e, what.message, what.payload, "timer/" + name + "/" + std::to_string(due), due,
                 0, "timer",      what.trace};
  if (take(p, true, &t)) ++happened.timers;
}

std::optional<message_result> cluster::world::judge(const parcel& p) {
  const auto* of = type(p.to.type);
  if (of == nullptr || !of->ids().tracked) return take(p, false, nullptr);
  if (of->ids().by_number) return judge_numbered(p, *of->ids().by_number);
  if (auto known = recall(p)) return known;
  return take_new(p);
}

/// What became of a message with this id; nothing: there was none.
std::optional<message_result> cluster::world::recall(const parcel& p) {
  if (const auto k = known_.find({p.to, p.id}); k != known_.end()) {
    ++happened.discarded;
    if (k->second.name != p.name || k->second.payload != p.payload)
      return message_result{result_kind::refused, reason_code::id_reused,
                            "message id was used before for '" + p.to.type + "' '" + p.to.key +
                                "' with another type or payload: give every message its own id"};
    if (k->second.result.kind == result_kind::refused)
      return message_result{result_kind::refused, reason_code::handler_refused, "this message id was refused before"};
    return message_result{result_kind::duplicate, reason_code::none, {}, k->second.result.reply};
  }
  return std::nullopt;
}

std::optional<message_result> cluster::world::take_new(const parcel& p) {
  auto result = take(p, false, nullptr);
  if (result && resolved(result->kind)) known_.emplace(std::pair{p.to, p.id}, known_id{p.name, p.payload, *result});
  return result;
}

/// Handles and commits; nothing: the owner crashed in between, and the shard waits for another one.
/// @param sequenced from an entity or a timer, so that nobody is told what becomes of it
std::optional<message_result> cluster::world::take(const parcel& p, bool sequenced, const due_timer* t) {
  if (++steps_ > options_.steps_max)
    throw violation{"no end after " + std::to_string(options_.steps_max) + " deliveries: the last was message '" +
                    p.name + "' to '" + p.to.type + "' '" + p.to.key +
                    "'; for entities that never come to rest, use advance"};
  const auto* of = type(p.to.type);
  handling h;
  if (of == nullptr) {
    h.result = {result_kind::busy, reason_code::unknown_entity_type,
                "entity type '" + p.to.type + "' is not known to the shard's owner"};
  } else if (!sequenced && p.sent_at > now + limits::future_ms) {
    h.result = {result_kind::refused, reason_code::from_the_future,
                "sent_at is more than 5 minutes ahead of the owner's clock: set the sender's clock"};
  } else {
    const auto state = states.find(p.to);
    h = handle(*of, state != states.end() ? std::optional{state->second} : std::nullopt, p.view(), now,
               options_.state_bytes);
  }
  if (resolved(h.result.kind) && chance_.happens(options_.inject.crash)) {
    ++happened.crashes;
    forget_held(shard(p.to));
    down_until_[shard(p.to)] = now + chance_.span_ms(options_.inject.takeover_max);
    return std::nullopt;
  }
  if (t != nullptr) drop_timer(p.to, std::string{std::get<std::string>(*t)});
  if (resolved(h.result.kind)) ++happened.handled;
  const bool ours = h.result.code == reason_code::handler_error || h.result.code == reason_code::undecodable;
  if (h.result.kind == result_kind::applied) {
    if (h.effects.erased) states.erase(p.to);
    else states.insert_or_assign(p.to, std::move(h.state));
    carry_out(p.to, std::move(h.effects));
  } else if (sequenced || (h.result.kind == result_kind::refused && ours)) {
    bury(p, h.result);
  }
  return std::move(h.result);
}

void cluster::world::carry_out(const entity_id& e, handler_effects&& effects) {
  for (auto& m : effects.sends) {
    const shard_pair between{shard(e), shard_of(m.key, options_.shards)};
    auto& pair = pairs_[between];
    if (pair.waiting.empty()) hold_up(pair);
    const auto number = ++pair.last;
    parcel p{{std::move(m.type), std::move(m.key)},
             std::move(m.name),
             std::move(m.payload),
             relayed_id(between.first, {1, number}),
             now,
             0,
             "shard/" + std::to_string(between.first.value),
             std::move(m.trace)};
    pair.waiting.emplace_back(number, std::move(p));
  }
  if (effects.erased) {
    while (!timers_[e].empty()) drop_timer(e, std::string{timers_[e].begin()->first});
    return;
  }
  for (auto& t : effects.timers) {
    drop_timer(e, t.timer);
    if (t.due) set_timer(e, std::move(t));
  }
}

void cluster::world::set_timer(const entity_id& e, timer_change change) {
  const auto serial = ++serial_;
  by_due_[shard(e)].emplace(*change.due, serial, e, change.timer);
  timers_[e].insert_or_assign(std::move(change.timer), timer{*change.due, serial, std::move(change.name),
                                                             std::move(change.payload), std::move(change.trace)});
}

void cluster::world::drop_timer(const entity_id& e, const std::string& name) {
  auto& timers = timers_[e];
  const auto t = timers.find(name);
  if (t == timers.end()) return;
  by_due_[shard(e)].erase({t->second.due, t->second.serial, e, name});
  timers.erase(t);
}

void cluster::world::bury(const parcel& p, const message_result& r) {
  letters.push_back({.entity = p.to,
                     .name = p.name,
                     .id = p.id,
                     .payload = p.payload,
                     .source = p.source,
                     .sent_at = p.sent_at,
                     .seq = p.seq,
                     .code = r.code,
                     .reason = r.reason,
                     .at = now,
                     .trace = p.trace});
}

/// The next message of the lane sets out now, or is held up.
void cluster::world::hold_up(lane& l) {
  l.not_before = now;
  if (!chance_.happens(options_.inject.delay)) return;
  ++happened.delays;
  l.not_before += chance_.span_ms(options_.inject.delay_max);
}

std::vector<pending_timer> cluster::world::timers_of(const entity_id& e) const {
  std::vector<pending_timer> list;
  if (const auto found = timers_.find(e); found != timers_.end())
    for (const auto& [name, t] : found->second) list.push_back({name, t.due, t.message});
  return list;
}

const entity_behavior* cluster::world::type(std::string_view name) const {
  const auto t = std::find_if(types_.begin(), types_.end(), [&](const entity_type& e) { return e->name() == name; });
  return t != types_.end() ? t->get() : nullptr;
}

unix_ms cluster::world::serves_from(shard_id s) const {
  const auto d = down_until_.find(s);
  return d != down_until_.end() ? d->second : std::numeric_limits<unix_ms>::min();
}

}  // namespace pawl::testing
