#include "actors/timer_book.hpp"

#include "actors/trace_context.hpp"
#include "cluster/bytes.hpp"
#include "cluster/invariant.hpp"

#include <algorithm>

namespace pawl {
namespace {

constexpr std::uint8_t format = 1;
constexpr std::uint8_t format_with_trace = 2;

std::string stored(const timer& t) {
  std::string out;
  out.reserve(t.payload.size() + t.entity.key.size() + 96);
  byte_writer w{out};
  w.u8(t.trace.empty() ? format : format_with_trace);
  w.bytes(t.entity.type);
  w.bytes(t.entity.key);
  w.bytes(t.name);
  w.i64(t.due);
  w.bytes(t.message);
  w.bytes(t.payload);
  if (!t.trace.empty()) w.bytes(t.trace);
  return out;
}

}  // namespace

std::optional<timer_book::serial> timer_book::confirmed(const name_key& k) const {
  auto it = by_name_.find(k);
  return it == by_name_.end() ? std::nullopt : std::optional{it->second};
}

timer_book::change& timer_book::change_of(const name_key& k) {
  auto it = staged_.find(k);
  if (it == staged_.end()) it = staged_.emplace(k, change{confirmed(k), {}, 0}).first;
  return it->second;
}

void timer_book::set(const entity_id& entity, timer_change c) {
  auto& staged = change_of({entity.type, entity.key, c.timer});
  staged.becomes =
      timer{entity, std::move(c.timer), c.due.value(), std::move(c.name), std::move(c.payload), std::move(c.trace)};
  staged.number = ++last_;
}

void timer_book::cancel(const entity_id& entity, std::string_view name) {
  name_key k{entity.type, entity.key, std::string{name}};
  if (!confirmed(k) && !staged_.contains(k)) return;
  change_of(k).becomes.reset();
}

void timer_book::cancel_all(const entity_id& entity) {
  for (const auto* t : of(entity)) cancel(entity, t->name);
  for (auto it = staged_.lower_bound({entity.type, entity.key, {}});
       it != staged_.end() && std::get<0>(it->first) == entity.type && std::get<1>(it->first) == entity.key; ++it)
    it->second.becomes.reset();
}

const timer* timer_book::pending(serial s) const {
  auto it = timers_.find(s);
  if (it == timers_.end()) return nullptr;  // fired from confirmed settings only
  const auto& t = it->second.what;
  return staged_.contains({t.entity.type, t.entity.key, t.name}) ? nullptr : &t;
}

void timer_book::fired(serial s) {
  const auto* t = pending(s);
  PAWL_INVARIANT(t != nullptr, "a timer fires only while it is pending");
  change_of({t->entity.type, t->entity.key, t->name}).becomes.reset();
}

void timer_book::unfired(serial s) {
  const auto& t = timers_.at(s).what;
  staged_.erase({t.entity.type, t.entity.key, t.name});
}

void timer_book::postpone(serial s, unix_ms until) {
  auto it = timers_.find(s);
  if (it == timers_.end()) return;
  auto& e = it->second;
  by_due_.erase({e.not_before, e.what.due, s});
  e.not_before = std::max(e.not_before, until);
  by_due_.emplace(e.not_before, e.what.due, s);
}

void timer_book::seal(field_list& out) {
  for (auto& [k, c] : staged_) {
    if (c.becomes) {
      c.slot = c.was ? timers_.at(*c.was).slot : slots_.take();
      out.add(slot_field(kind, *c.slot), stored(*c.becomes));
    } else if (c.was) {
      out.add(slot_field(kind, timers_.at(*c.was).slot), {});
    }
  }
}

void timer_book::confirm() {
  for (auto& [k, c] : staged_) {
    if (c.was) {
      auto slot = timers_.at(*c.was).slot;
      remove(*c.was);
      if (!c.becomes) slots_.release(slot);
    }
    if (c.becomes) add(c.number, {std::move(*c.becomes), c.slot.value()});
  }
  staged_.clear();
}

void timer_book::drop() {
  for (auto& [k, c] : staged_)
    if (c.slot && !c.was) slots_.release(*c.slot);
  staged_.clear();
}

void timer_book::add(serial s, entry e) {
  const auto& t = e.what;
  by_name_[{t.entity.type, t.entity.key, t.name}] = s;
  e.not_before = t.due;
  by_due_.emplace(t.due, t.due, s);
  timers_.emplace(s, std::move(e));
}

void timer_book::remove(serial s) {
  auto it = timers_.find(s);
  const auto& t = it->second.what;
  by_due_.erase({it->second.not_before, t.due, s});
  by_name_.erase({t.entity.type, t.entity.key, t.name});
  timers_.erase(it);
}

std::vector<std::pair<timer_book::serial, const timer*>> timer_book::due(unix_ms now, std::size_t most) const {
  std::vector<std::pair<serial, const timer*>> out;
  for (const auto& [at, since, s] : by_due_) {
    if (at > now || out.size() == most) break;
    out.emplace_back(s, &timers_.at(s).what);
  }
  return out;
}

std::optional<unix_ms> timer_book::next_due() const {
  if (by_due_.empty()) return std::nullopt;
  return std::get<0>(*by_due_.begin());
}

std::vector<const timer*> timer_book::of(const entity_id& entity) const {
  std::vector<const timer*> out;
  for (auto it = by_name_.lower_bound({entity.type, entity.key, {}});
       it != by_name_.end() && std::get<0>(it->first) == entity.type && std::get<1>(it->first) == entity.key; ++it)
    out.push_back(&timers_.at(it->second).what);
  return out;
}

void timer_book::reset(std::uint32_t slots) {
  slots_.reset(slots);
  timers_.clear();
  by_name_.clear();
  by_due_.clear();
  staged_.clear();
}

bool timer_book::load(std::uint32_t slot, std::string_view bytes) {
  if (bytes.empty()) {
    load_nothing(slot);
    return true;
  }
  byte_reader r{bytes};
  const auto written_as = r.u8();
  if (written_as != format && written_as != format_with_trace) return false;
  timer t;
  t.entity.type = r.bytes(limits::name_bytes);
  t.entity.key = r.bytes(limits::id_bytes);
  t.name = r.bytes(limits::name_bytes);
  t.due = r.i64();
  t.message = r.bytes(limits::name_bytes);
  t.payload = r.bytes(limits::payload_bytes);
  if (written_as == format_with_trace) {
    t.trace = r.bytes(limits::trace_bytes);
    if (!is_trace(t.trace)) return false;
  }
  if (!r.finished() || by_name_.contains({t.entity.type, t.entity.key, t.name})) return false;
  add(++last_, {std::move(t), slot});
  return true;
}

}  // namespace pawl
