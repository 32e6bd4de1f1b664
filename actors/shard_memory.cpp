// The half of `shard` that fills its memory from the store: processed ids with the claim, entities on first touch, and
// the barriers of reads.
#include "actors/shard.hpp"

#include "cluster/invariant.hpp"
#include "persistence/state_blob.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace pawl {
namespace {

constexpr std::size_t reads_max = 4'096;

resident resident_from(const entity_behavior& behavior, const std::optional<std::string>& blob, instant now) {
  resident r;
  r.touched = now.steady;
  if (!blob) return r;
  r.bytes = blob->size();
  auto stored = decode_state_blob(*blob, r.damage);
  if (!stored) return r;
  r.last_seq = stored->last_seq;
  r.state = behavior.decode(stored->state, r.damage);
  if (!r.state && r.damage.empty()) r.damage = "unreadable";
  return r;
}

}  // namespace

void shard::load_groups(shard_effects& out, instant now) {
  std::vector<std::string> fields;
  for (auto& p : processed_) {
    id_groups g;
    g.type = p.groups().type;
    for (const auto& known : confirmed_.groups)
      if (known.type == g.type) g = known;
    p.reset(std::move(g));
    auto live = p.live_fields();
    fields.insert(fields.end(), std::make_move_iterator(live.begin()), std::make_move_iterator(live.end()));
  }
  memory_ = memory::loading;
  if (fields.empty()) return ready(out, now);
  groups_ticket_ = ask(out, load_fields{claim_.token(), std::move(fields)});
}

void shard::on_groups(load_answer a, shard_effects& out, instant now) {
  claim_.on_confirmed();
  std::size_t i = 0;
  for (auto& p : processed_) {
    for (auto n = p.groups().next - p.groups().first; n > 0; --n, ++i) {
      if (i >= a.values.size() || !a.values[i] || !p.load(*a.values[i]))
        return stop(out, "a group of processed ids of '" + p.groups().type + "' is missing or damaged", now);
    }
  }
  ready(out, now);
}

void shard::ready(shard_effects& out, instant now) {
  memory_ = memory::ready;
  highest_seq_ = std::max(highest_seq_, confirmed_.seq);
  next_passivation_ = now.steady + policy_.passivate_after / 4;
  auto reason = handoff_reason::takeover;
  if (record_.owner.empty()) reason = handoff_reason::start;
  else if (record_.released) reason = claim_.knows_up(record_.owner) ? handoff_reason::join : handoff_reason::drain;
  metrics_.handoffs[static_cast<std::size_t>(reason)].add();
  metrics_.handoff_pause.observe(in_seconds(now.steady - claim_.interrupted_since()));
  out.notes.push_back({shard_effects::event::claimed, handoff_reason_names[static_cast<std::size_t>(reason)]});
  settle(out, now);
}

bool shard::load_missing(shard_effects& out) {
  auto missing = missing_entities(residents_, frames_, load_max_);
  if (missing.empty()) return false;
  std::vector<std::string> fields;
  fields.reserve(missing.size());
  for (const auto& m : missing) fields.push_back(entity_field(catalog_.types[m.type]->name(), m.key));
  entities_asked_ = std::move(missing);
  entities_ticket_ = ask(out, load_fields{claim_.token(), std::move(fields)});
  return true;
}

/// A reply larger than the server's limit for clients costs the connection each time; smaller loads pass (rule C22).
void shard::load_confirmed() {
  claim_.on_confirmed();
  load_max_ = std::min(limits::load_entities_max, 2 * load_max_);
}

void shard::on_entities(const load_answer& a, instant now) {
  PAWL_INVARIANT(a.values.size() == entities_asked_.size(), "one value for each field asked");
  for (std::size_t i = 0; i < entities_asked_.size(); ++i) {
    const auto& e = entities_asked_[i];
    if (residents_.find(e.type, e.key) == nullptr)
      residents_.put(e.type, e.key, resident_from(*catalog_.types[e.type], a.values[i], now));
  }
  entities_asked_.clear();
  metrics_.entities.set(residents_.size());
}

shard_effects shard::on_read(link_number from, read_request r, instant now) {
  shard_effects out;
  entity_answer no;
  if (!catalog_.find(r.entity.type))
    no.reason = "entity type '" + r.entity.type + "' is not known to the shard's owner";
  else if (claim_.current() == shard_claim::state::lost) no.reason = "the shard is stopped; see the owner's log";
  else if (!claim_.mine()) no.reason = "another member owns the shard";
  else if (reads_.size() >= reads_max) no.reason = "too many reads wait for this shard";
  if (!no.reason.empty()) {
    out.reads.push_back({from, {id_, r.number, std::move(no)}});
    return out;
  }
  reads_.push_back({from, std::move(r), false});
  pump(out, now);
  return out;
}

/// One barrier serves all reads that wait. It is sent after they arrived, so a `1` proves that this member still owned
/// the shard then (rule D30); everything committed before has been answered before it on the same connection.
void shard::ask_reads(shard_effects& out) {
  if (reads_ticket_ != 0 || reads_.empty()) return;
  std::vector<std::string> fields;
  std::set<std::pair<type_index, std::string_view>> seen;
  reads_missing_.clear();
  for (auto& r : reads_) {
    if (fields.size() == load_max_) break;
    r.asked = true;
    auto type = *catalog_.find(r.request.entity.type);
    if (residents_.find(type, r.request.entity.key) != nullptr) continue;
    if (!seen.insert({type, r.request.entity.key}).second) continue;
    fields.push_back(entity_field(r.request.entity.type, r.request.entity.key));
    reads_missing_.push_back({type, r.request.entity.key});
  }
  reads_ticket_ = ask(out, load_fields{claim_.token(), std::move(fields)});
}

void shard::on_reads(const shard_answer& a, shard_effects& out, instant now) {
  if (a.outcome != store_outcome::done) {
    if (a.outcome == store_outcome::unknown) load_max_ = std::max<std::size_t>(1, reads_missing_.size() / 2);
    return doubt(out, "reading: " + a.text, now);
  }
  load_confirmed();
  const auto& values = std::get<load_answer>(a.body).values;
  PAWL_INVARIANT(values.size() == reads_missing_.size(), "one value for each field asked");
  for (std::size_t i = 0; i < reads_missing_.size(); ++i) {
    const auto& e = reads_missing_[i];
    if (residents_.find(e.type, e.key) == nullptr)
      residents_.put(e.type, e.key, resident_from(*catalog_.types[e.type], values[i], now));
  }
  metrics_.entities.set(residents_.size());
  while (!reads_.empty() && reads_.front().asked) {
    auto& r = reads_.front();
    auto type = *catalog_.find(r.request.entity.type);
    const auto* e = residents_.find(type, r.request.entity.key);
    PAWL_INVARIANT(e != nullptr, "an entity left memory while a read waited for it");
    entity_answer answer;
    answer.owner = claim_.self().node;
    if (!e->damage.empty()) {
      answer.reason = "the stored state cannot be decoded: " + e->damage;
    } else if (!e->state) {
      answer.kind = entity_answer::status::absent;
    } else {
      answer.kind = entity_answer::status::found;
      answer.last_seq = e->last_seq;
      catalog_.types[type]->encode(*e->state, answer.state);
    }
    out.reads.push_back({r.from, {id_, r.request.number, std::move(answer)}});
    reads_.pop_front();
  }
  pump(out, now);
}

}  // namespace pawl
