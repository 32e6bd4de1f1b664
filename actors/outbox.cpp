#include "actors/outbox.hpp"

#include "actors/trace_context.hpp"
#include "cluster/bytes.hpp"
#include "cluster/invariant.hpp"

#include <algorithm>
#include <utility>

namespace pawl {
namespace {

constexpr std::uint8_t format = 1;
constexpr std::uint8_t format_with_traces = 2;  ///< of a record
constexpr std::uint8_t format_behind = 2;       ///< of a pair: records may go on behind its last message

std::size_t bytes_of(const outbox::record& r) { return r.block->bytes.size() + r.size() * sizeof(message); }

void write(byte_writer& w, const position& p) {
  w.u64(p.line);
  w.varint(p.number);
}
position read_position(byte_reader& r) {
  position p;
  p.line = r.u64();
  p.number = r.varint();
  return p;
}

}  // namespace

std::string relayed_id(shard_id from, const position& p) {
  std::string id = shard_source(from.value);
  id += '/';
  for (int shift = 60; shift >= 0; shift -= 4) id += "0123456789abcdef"[(p.line >> shift) & 0xf];
  id += '/';
  id += std::to_string(p.number);
  return id;
}

// Building a commit ------------------------------------------------------------------------------------------------

void outbox::stage(shard_id to, const outgoing_message& m, unix_ms sent_at, std::uint64_t line) {
  auto& s = staged_[to];
  if (s.messages.size() == 0) {
    const auto* known = find(to);
    s.fresh = known == nullptr;
    if (known != nullptr) s.last = known->last;
    s.sealed.before = s.last;
    s.sealed.first = {line, s.last.number + 1};
  }
  s.last = {line, s.last.number + 1};
  const auto id = relayed_id(self_, s.last);
  s.messages.add({.type = m.type,
                  .key = m.key,
                  .name = m.name,
                  .id = id,
                  .payload = m.payload,
                  .sent_at = sent_at,
                  .trace = m.trace});
}

void outbox::seal(field_list& out) {
  for (auto& [to, s] : staged_) {
    s.sealed.slot = record_slots_.take();
    s.sealed.block = s.messages.finish();
    write_record(out, to, s.sealed);
    if (s.fresh) write_pair(out, to, s.slot = pair_slots_.take(), s.last, {});
  }
  for (auto to : untrimmed_) {
    const auto& p = pairs_.at(to);
    if (!staged_.empty() && !worth_trimming(p)) continue;
    trims_[to] = p.delivered;
    const auto sent = staged_.find(to);
    write_pair(out, to, p.slot, sent == staged_.end() ? p.last : sent->second.last, p.delivered);
  }
}

/// A trim costs a field, and is worth it for many messages, or where memory is wanted.
bool outbox::worth_trimming(const pair& p) const noexcept {
  return p.delivered.number - p.trimmed.number >= trim_messages || bytes_ >= keep_bytes;
}

void outbox::write_pair(field_list& out, shard_id to, std::uint32_t slot, const position& last,
                        const position& trimmed) const {
  std::string bytes;
  byte_writer w{bytes};
  w.u8(format_behind);
  w.varint(to.value);
  write(w, last);
  write(w, trimmed);
  out.add(slot_field(pair_kind, slot), bytes);
}

void outbox::write_record(field_list& out, shard_id to, const record& r) const {
  const auto& messages = r.block->messages;
  const bool traced = std::any_of(messages.begin(), messages.end(), [](const message& m) { return !m.trace.empty(); });
  std::string bytes;
  byte_writer w{bytes};
  w.u8(traced ? format_with_traces : format);
  w.varint(to.value);
  write(w, r.before);
  write(w, r.first);
  w.varint(r.size());
  for (const auto& m : messages) {
    w.bytes(m.type);
    w.bytes(m.key);
    w.bytes(m.name);
    w.i64(m.sent_at);
    w.bytes(m.payload);
    if (traced) w.bytes(m.trace);
  }
  out.add(slot_field(record_kind, r.slot), bytes);
}

std::vector<shard_id> outbox::confirm() {
  std::vector<shard_id> receivers;
  for (auto& [to, s] : staged_) {
    auto& p = pairs_[to];
    if (s.fresh) p.slot = s.slot;
    waiting_ += s.last.number - p.last.number;
    p.last = s.last;
    bytes_ += bytes_of(s.sealed);
    p.records.push_back(std::move(s.sealed));
    receivers.push_back(to);
  }
  staged_.clear();
  for (const auto& [to, trimmed] : trims_) {
    auto& p = pairs_.at(to);
    p.trimmed = trimmed;
    // The receiver may have been found to have taken less since.
    set_delivered(to, p, p.delivered.number < trimmed.number ? trimmed : p.delivered);
    forget_trimmed(p);
  }
  trims_.clear();
  return receivers;
}

void outbox::drop() {
  for (auto& [to, s] : staged_) {
    if (!s.sealed.block) continue;
    record_slots_.release(s.sealed.slot);
    if (s.fresh) pair_slots_.release(s.slot);
  }
  staged_.clear();
  trims_.clear();
}

/// A record goes as a whole, with its last message.
void outbox::forget_trimmed(pair& p) {
  while (!p.records.empty() && p.records.front().last().number <= p.trimmed.number) {
    bytes_ -= bytes_of(p.records.front());
    stale_bytes_ += bytes_of(p.records.front());
    record_slots_.release(p.records.front().slot);
    p.records.pop_front();
  }
}

std::vector<std::uint32_t> outbox::stale_records(std::size_t most) const {
  auto stale = record_slots_.stale(most);
  const bool sending = !untrimmed_.empty();
  if (sending && stale.size() < std::min(most, stale_records_max) && stale_bytes_ < stale_bytes_max) return {};
  return stale;
}

void outbox::cleaned(std::uint32_t record_slot) {
  record_slots_.cleaned(record_slot);
  stale_bytes_ = 0;
}

void outbox::set_delivered(shard_id to, pair& p, const position& at) {
  waiting_ += p.delivered.number;
  waiting_ -= at.number;
  p.delivered = at;
  if (p.delivered == p.trimmed) untrimmed_.erase(to);
  else untrimmed_.insert(to);
}

// Relaying ---------------------------------------------------------------------------------------------------------

const outbox::pair* outbox::find(shard_id to) const noexcept {
  auto it = pairs_.find(to);
  return it == pairs_.end() ? nullptr : &it->second;
}

const message* outbox::first_waiting(const pair& p) noexcept {
  for (const auto& r : p.records)
    if (r.last().number > p.delivered.number)
      return &r.block->messages[p.delivered.number < r.first.number ? 0 : p.delivered.number + 1 - r.first.number];
  return nullptr;
}

std::optional<position> outbox::common(shard_id to, const source_mark& receiver) const noexcept {
  const auto* p = find(to);
  if (p == nullptr) return std::nullopt;
  for (auto r = p->records.rbegin(); r != p->records.rend(); ++r) {
    for (const auto& end : receiver.lines) {
      if (end.line != r->first.line || end.number < r->first.number) continue;
      const position found{end.line, std::min(end.number, r->last().number)};
      if (found.number > p->trimmed.number) return found;
    }
  }
  return receiver.covers(p->trimmed) ? std::optional{p->trimmed} : std::nullopt;
}

void outbox::delivered(shard_id to, const position& at) {
  auto& p = pairs_.at(to);
  PAWL_INVARIANT(at.number >= p.trimmed.number && at.number <= p.last.number, "a delivered position is one of ours");
  set_delivered(to, p, at);
}

// Loading ----------------------------------------------------------------------------------------------------------

void outbox::reset(std::uint32_t record_slots, std::uint32_t pair_slots) {
  record_slots_.reset(record_slots);
  pair_slots_.reset(pair_slots);
  pairs_.clear();
  staged_.clear();
  trims_.clear();
  untrimmed_.clear();
  bytes_ = waiting_ = stale_bytes_ = 0;
}

bool outbox::load_pair(std::uint32_t slot, std::string_view bytes) {
  byte_reader r{bytes};
  if (const auto written_as = r.u8(); written_as != format && written_as != format_behind) return false;
  const auto to = r.varint();
  pair p;
  p.slot = slot;
  p.last = read_position(r);
  p.trimmed = p.delivered = read_position(r);
  if (!r.finished() || to >= shards_ || p.trimmed.number > p.last.number) return false;
  return pairs_.try_emplace(shard_id{static_cast<std::uint32_t>(to)}, std::move(p)).second;
}

bool outbox::load_record(std::uint32_t slot, std::string_view bytes) {
  byte_reader r{bytes};
  const auto written_as = r.u8();
  if (written_as != format && written_as != format_with_traces) return false;
  const auto to = r.varint();
  record x;
  x.slot = slot;
  x.before = read_position(r);
  x.first = read_position(r);
  const auto count = r.varint();
  if (r.failed() || to >= shards_ || count == 0 || count > r.left()) return false;
  auto p = pairs_.find(shard_id{static_cast<std::uint32_t>(to)});
  if (p == pairs_.end() || x.first.number != x.before.number + 1) return false;
  message_builder b;
  auto at = x.first;
  for (std::uint64_t i = 0; i < count && !r.failed(); ++i, ++at.number) {
    const auto id = relayed_id(self_, at);
    message m;
    m.type = r.bytes(limits::name_bytes);
    m.key = r.bytes(limits::id_bytes);
    m.name = r.bytes(limits::name_bytes);
    m.sent_at = r.i64();
    m.payload = r.bytes(limits::payload_bytes);
    if (written_as == format_with_traces) m.trace = r.bytes(limits::trace_bytes);
    if (!m.trace.empty() && !is_trace(m.trace)) return false;
    m.id = id;
    b.add(m);
  }
  if (!r.finished()) return false;
  x.block = b.finish();
  if (x.last().number <= p->second.trimmed.number) {  // its field is still there, that is all
    record_slots_.release(slot);
    return true;
  }
  bytes_ += bytes_of(x);
  p->second.records.push_back(std::move(x));
  return true;
}

bool outbox::loaded() {
  for (auto& [to, p] : pairs_) {
    std::sort(p.records.begin(), p.records.end(),
              [](const record& a, const record& b) { return a.first.number < b.first.number; });
    position before;
    for (const auto& r : p.records) {
      if (&r == &p.records.front() ? r.first.number > p.trimmed.number + 1 : r.before != before) return false;
      before = r.last();
    }
    if (p.records.empty() && p.last != p.trimmed) return false;
    if (!p.records.empty()) {
      if (before.number < p.last.number || (before.number == p.last.number && before != p.last)) return false;
      p.last = before;
    }
    waiting_ += p.waiting();
  }
  return true;
}

}  // namespace pawl
