#include "actors/held_messages.hpp"

#include "cluster/invariant.hpp"

#include <algorithm>
#include <iterator>

namespace pawl {
namespace {

std::size_t bytes_of(const message& m) {
  return m.type.size() + m.key.size() + m.name.size() + m.id.size() + m.payload.size() + 256;
}

void add(single_writer_counter& gauge, std::size_t n) { gauge.set(gauge.value() + n); }
void take(single_writer_counter& gauge, std::size_t n) { gauge.set(gauge.value() - n); }

}  // namespace

held_messages::outcome held_messages::hold(type_index type, const message& m, std::uint64_t expected,
                                           const sequencing& how, steady_time now) {
  auto& metrics = metrics_.messages[type];
  auto e = entities_.find(name_view{type, m.key});
  if (e != entities_.end()) {
    e->second.heard = now;
    if (e->second.messages.contains(m.seq)) {
      metrics.early_held.add();
      return outcome::held;
    }
  }
  const auto bytes = bytes_of(m);
  const bool too_far = m.seq - expected > limits::numbers_ahead;
  if (too_far || !make_room(e, m.seq, bytes, how)) {
    metrics.early_full.add();
    return too_far ? outcome::too_far : outcome::full;
  }
  if (e == entities_.end()) {
    e = entities_.emplace(name{type, std::string{m.key}}, waiting{}).first;
    e->second.expected = expected;
    e->second.how = how;
    e->second.heard = now;
    metrics.gaps_opened.add();
    look_again(e, now + how.gap_timeout);
  }
  // A copy: the block that the message came in would stay whole for the sake of one.
  message_builder copy;
  copy.add(m);
  e->second.messages.emplace(m.seq, held{copy.finish(), bytes, now});
  e->second.bytes += bytes;
  ++messages_;
  bytes_ += bytes;
  metrics.early_held.add();
  add(metrics.held, 1);
  return outcome::held;
}

void held_messages::reached(type_index type, std::string_view key, std::uint64_t number) {
  const auto e = entities_.find(name_view{type, key});
  if (e == entities_.end() || e->second.under_way || !e->second.messages.contains(number + 1)) return;
  e->second.follows = number + 1;
  ready_.insert(e->first);
}

void held_messages::confirmed(type_index type, std::string_view key, std::uint64_t number, bool passed) {
  const auto e = entities_.find(name_view{type, key});
  if (e == entities_.end() || number < e->second.expected) return;
  auto& w = e->second;
  auto& metrics = metrics_.messages[type];
  if (w.has_gap() && !passed && number + 1 >= w.messages.begin()->first) metrics.gaps_filled.add();
  const bool first_gap_is_over = number + 1 >= w.messages.begin()->first;
  w.expected = number + 1;
  w.follows.reset();
  ready_.erase(e->first);
  while (!w.messages.empty() && w.messages.begin()->first <= number) drop(w, w.messages.begin(), type);
  if (w.messages.empty()) return forget(e);
  if (!w.has_gap()) {
    w.follows = w.expected;
    ready_.insert(e->first);
    return;
  }
  if (!first_gap_is_over) return;
  // Another gap, as old as the oldest message behind it.
  metrics.gaps_opened.add();
  w.reported = false;
  auto oldest = w.messages.begin()->second.arrived;
  for (const auto& [n, m] : w.messages) oldest = std::min(oldest, m.arrived);
  look_again(e, oldest + w.how.gap_timeout);
}

std::vector<held_messages::run> held_messages::take_ready() {
  std::vector<run> out;
  for (auto r = ready_.begin(); r != ready_.end();) {
    const auto e = entities_.find(*r);
    auto& w = e->second;
    if (w.under_way) {
      ++r;
      continue;
    }
    out.push_back(run_of(e, *w.follows, gap::wait));
    w.under_way = true;
    w.follows.reset();
    r = ready_.erase(r);
  }
  return out;
}

std::pair<std::vector<held_messages::run>, std::vector<held_messages::late_gap>>
held_messages::take_late(steady_time now, std::chrono::milliseconds idle) {
  std::pair<std::vector<run>, std::vector<late_gap>> out;
  while (!late_.empty() && late_.begin()->first <= now) {
    const auto e = entities_.find(late_.begin()->second);
    auto& w = e->second;
    const auto type = e->first.first;
    look_again(e, now + w.how.gap_timeout);
    if (w.under_way) continue;
    if (w.has_gap() && !w.reported) {
      w.reported = true;
      metrics_.messages[type].gaps_timed_out.add();
      out.second.push_back({type, e->first.second, w.expected, w.messages.begin()->first, w.messages.size()});
    }
    if (!w.has_gap() || w.how.on_gap != gap::wait) {
      // Without a gap: what could not be handled when its turn came.
      out.first.push_back(run_of(e, w.messages.begin()->first, w.has_gap() ? w.how.on_gap : gap::wait));
      w.under_way = true;
      w.follows.reset();
      ready_.erase(e->first);
    } else if (now - w.heard >= std::max(idle, w.how.gap_timeout)) {
      while (!w.messages.empty()) drop(w, w.messages.begin(), type);
      forget(e);
    }
  }
  return out;
}

void held_messages::returned(type_index type, std::string_view key) {
  if (const auto e = entities_.find(name_view{type, key}); e != entities_.end()) e->second.under_way = false;
}

std::size_t held_messages::count(type_index type, std::string_view key) const {
  const auto e = entities_.find(name_view{type, key});
  return e == entities_.end() ? 0 : e->second.messages.size();
}

std::optional<steady_time> held_messages::next_late() const {
  if (late_.empty()) return std::nullopt;
  return late_.begin()->first;
}

void held_messages::clear() {
  entities_.clear();
  late_.clear();
  ready_.clear();
  messages_ = bytes_ = 0;
  for (auto& m : metrics_.messages) m.held.set(0);
}

/// The lower a number, the sooner its turn comes: it takes the places of higher ones of its entity.
bool held_messages::make_room(entities::iterator& e, std::uint64_t seq, std::size_t bytes, const sequencing& how) {
  const auto fits = [&] {
    if (messages_ >= limits::held_per_shard || bytes_ + bytes > limits::held_bytes_per_shard) return false;
    return e == entities_.end() || e->second.messages.empty() ||
           (e->second.messages.size() < how.hold && e->second.bytes + bytes <= limits::held_bytes_per_entity);
  };
  if (e == entities_.end()) return fits();
  auto& w = e->second;
  while (!fits() && !w.messages.empty() && seq < w.messages.rbegin()->first)
    drop(w, std::prev(w.messages.end()), e->first.first);
  if (fits()) return true;
  if (w.messages.empty()) {
    forget(e);
    e = entities_.end();
  }
  return false;
}

void held_messages::look_again(entities::iterator e, steady_time at) {
  late_.erase({e->second.late, e->first});
  e->second.late = at;
  late_.emplace(at, e->first);
}

void held_messages::drop(waiting& w, std::map<std::uint64_t, held>::iterator m, type_index type) {
  --messages_;
  bytes_ -= m->second.bytes;
  w.bytes -= m->second.bytes;
  take(metrics_.messages[type].held, 1);
  w.messages.erase(m);
}

void held_messages::forget(entities::iterator e) {
  late_.erase({e->second.late, e->first});
  ready_.erase(e->first);
  entities_.erase(e);
}

/// What follows without another gap; if all are to become dead letters, all. Whoever handles them judges each by the
/// number that the entity has come to then.
held_messages::run held_messages::run_of(const entities::iterator& e, std::uint64_t from, gap on_gap) {
  run r{e->first.first, on_gap, {}};
  auto next = from;
  for (auto m = e->second.messages.find(from); m != e->second.messages.end(); ++m) {
    if (on_gap != gap::dead_letter && m->first != next) break;
    r.messages.push_back(m->second.block);
    next = m->first + 1;
  }
  PAWL_INVARIANT(!r.messages.empty(), "a run of held messages begins with one that is held");
  return r;
}

}  // namespace pawl
