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
  if (stored->state.empty()) return r;  // it was erased
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
    auto dead = p.untrimmed_fields();
    fields.insert(fields.end(), std::make_move_iterator(dead.begin()), std::make_move_iterator(dead.end()));
    auto live = p.live_fields();
    fields.insert(fields.end(), std::make_move_iterator(live.begin()), std::make_move_iterator(live.end()));
  }
  auto slots = books_.reset(confirmed_.slots);
  fields.insert(fields.end(), std::make_move_iterator(slots.begin()), std::make_move_iterator(slots.end()));
  books_.suspects.stop();
  taken_over_ = books_.suspects.enabled() && !record_.owner.empty() && !record_.released;
  if (taken_over_) fields.emplace_back(suspects::field);
  memory_ = memory::loading;
  if (fields.empty()) return ready(out, now);
  groups_ticket_ = ask(out, load_fields{claim_.token(), std::move(fields)});
}

void shard::on_groups(load_answer a, shard_effects& out, instant now) {
  claim_.on_confirmed();
  if (taken_over_ && !a.values.empty()) {
    if (!books_.suspects.load(a.values.back().value_or("")))
      return stop(out, "what the former owner was about to handle is damaged", now);
    a.values.pop_back();
    books_.suspects.start(now);
    if (books_.suspects.size() != 0)
      out.notes.push_back({shard_effects::event::suspects, std::to_string(books_.suspects.size())});
  }
  std::size_t i = 0;
  for (auto& p : processed_) {
    for (auto n = p.groups().first - p.groups().trimmed; n > 0; --n, ++i)
      if (i < a.values.size() && a.values[i]) p.load_dead(*a.values[i]);
    for (auto n = p.groups().next - p.groups().first; n > 0; --n, ++i) {
      if (i >= a.values.size() || !a.values[i] || !p.load(*a.values[i]))
        return stop(out, "a group of processed ids of '" + p.groups().type + "' is missing or damaged", now);
    }
  }
  if (auto damage = books_.load(a.values, i); !damage.empty()) return stop(out, damage, now);
  ready(out, now);
}

void shard::ready(shard_effects& out, instant now) {
  memory_ = memory::ready;
  highest_seq_ = std::max(highest_seq_, confirmed_.seq);
  next_passivation_ = now.steady + policy_.passivate_after / 4;
  last_commit_ = now.steady;
  carry_out(relay_.start(books_.sends, now), out);
  inbox_.start(confirmed_.inbox, now);
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
  replies_asked_ = std::exchange(room_.wanted_replies, {});
  if (missing.empty() && replies_asked_.empty()) return false;
  std::vector<std::string> fields;
  fields.reserve(missing.size() + replies_asked_.size());
  for (const auto& m : missing) fields.push_back(entity_field(catalog_.types[m.type]->name(), m.key));
  for (const auto& id : replies_asked_) fields.push_back(reply_field(id));
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
  PAWL_INVARIANT(a.values.size() == entities_asked_.size() + replies_asked_.size(), "one value for each field asked");
  for (std::size_t i = 0; i < replies_asked_.size(); ++i) {
    const auto& v = a.values[entities_asked_.size() + i];
    room_.loaded_replies.emplace(std::move(replies_asked_[i]), v ? std::make_shared<const std::string>(*v) : nullptr);
  }
  replies_asked_.clear();
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
  read_answer no{id_, r.number, {}, {}};
  const auto* entity = std::get_if<entity_id>(&r.about);
  if (entity != nullptr && !catalog_.find(entity->type)) no.answer.reason = catalog_.lacks(entity->type);
  else if (claim_.current() == shard_claim::state::lost) no.answer.reason = "the shard is stopped; see the owner's log";
  else if (!claim_.mine()) no.answer.reason = "another member owns the shard";
  else if (reads_.size() >= reads_max) no.answer.reason = "too many reads wait for this shard";
  if (!no.answer.reason.empty()) {
    out.reads.push_back({from, std::move(no)});
    return out;
  }
  reads_.push_back({from, std::move(r), false});
  pump(out, now);
  return out;
}

/// One barrier serves all reads that wait. It is sent after they arrived, so a `1` proves that this member still owned
/// the shard then (rule D30); everything committed before has been answered before it on the same connection.
void shard::ask_reads(shard_effects& out) {
  auto wanted = [](const queued_frame& f) { return f.proven == queued_frame::proof::wanted; };
  if (reads_ticket_ != 0) return;
  if (reads_.empty() && relay_proof_ != proof::wanted && std::none_of(frames_.begin(), frames_.end(), wanted)) return;
  if (relay_proof_ == proof::wanted) {
    relay_proof_ = proof::asked;
    relay_.asked();
  }
  for (auto& f : frames_)
    if (wanted(f)) f.proven = queued_frame::proof::asked;
  std::vector<std::string> fields, letters;
  std::set<std::pair<type_index, std::string_view>> seen;
  reads_missing_.clear();
  for (auto& r : reads_) {
    if (fields.size() + letters.size() >= load_max_) break;
    r.asked = true;
    const auto* entity = std::get_if<entity_id>(&r.request.about);
    if (entity == nullptr) {
      for (auto slot : r.letters = letters_wanted(r.request.about))
        letters.push_back(slot_field(letter_book::kind, slot));
      continue;
    }
    auto type = *catalog_.find(entity->type);
    if (residents_.find(type, entity->key) != nullptr) continue;
    if (!seen.insert({type, entity->key}).second) continue;
    fields.push_back(entity_field(entity->type, entity->key));
    reads_missing_.push_back({type, entity->key});
  }
  fields.insert(fields.end(), std::make_move_iterator(letters.begin()), std::make_move_iterator(letters.end()));
  reads_asked_ = fields.size();
  reads_ticket_ = ask(out, load_fields{claim_.token(), std::move(fields)});
}

entity_answer shard::entity_now(const entity_id& id) const {
  auto type = *catalog_.find(id.type);
  const auto* e = residents_.find(type, id.key);
  PAWL_INVARIANT(e != nullptr, "an entity left memory while a read waited for it");
  entity_answer answer;
  answer.owner = claim_.self().node;
  if (catalog_.types[type]->ids().by_number) {
    answer.expected = e->last_seq + 1;
    answer.held = held_.count(type, id.key);
  }
  if (!e->damage.empty()) {
    answer.reason = "the stored state cannot be decoded: " + e->damage;
  } else if (!e->state) {
    answer.kind = entity_answer::status::absent;
  } else {
    answer.kind = entity_answer::status::found;
    answer.last_seq = e->last_seq;
    answer.recent = e->recent.newest_first();
    catalog_.types[type]->encode(*e->state, answer.state);
    for (const auto* t : books_.timers.of(id)) {
      if (answer.timers.size() == limits::timers_shown) break;
      answer.timers.push_back({t->name, t->due, t->message});
    }
  }
  return answer;
}

void shard::answer_read(const waiting_read& r, const std::vector<std::optional<std::string>>& values, std::size_t& next,
                        shard_effects& out, instant now) {
  read_answer a{id_, r.request.number, {}, {}};
  if (const auto* entity = std::get_if<entity_id>(&r.request.about)) {
    a.answer = entity_now(*entity);
  } else if (std::holds_alternative<letter_query>(r.request.about)) {
    a.answer.kind = entity_answer::status::found;
    a.answer.owner = claim_.self().node;
    std::size_t bytes = 0;
    for (auto n : r.letters) {
      const auto& stored = values.at(next++);
      if (!stored || stored->empty()) books_.letters.load_nothing(n);
      auto letter = stored && !stored->empty() ? decode_dead_letter(*stored) : std::nullopt;
      if (!letter) continue;
      bytes += letter->payload.size();
      if (a.letters.next != 0 || (!a.letters.letters.empty() && bytes > limits::letter_page_bytes)) {
        if (a.letters.next == 0) a.letters.next = n;
        continue;
      }
      a.letters.letters.push_back({n, std::move(*letter)});
    }
    if (a.letters.next == 0 && r.letters.size() == limits::letters_per_page) a.letters.next = r.letters.back() + 1;
    a.letters.total = books_.letters.size();
  } else if (std::holds_alternative<shard_query>(r.request.about)) {
    a.answer.kind = entity_answer::status::found;
    a.answer.owner = claim_.self().node;
    a.detail = detail_now();
  } else {
    const auto& action = std::get<letter_action>(r.request.about);
    const auto stored = r.letters.empty() ? std::nullopt : values.at(next++);
    const auto letter = stored ? decode_dead_letter(*stored) : std::nullopt;
    if (!letter || letter->at != action.at || !books_.letters.holds(action.number))
      a.answer.kind = entity_answer::status::absent;
    else if (action.what == letter_action::kind::replay && letter->name.empty())
      a.answer.reason = "the letter only says which numbers were passed, there is nothing to handle; discard it";
    else if (is_acted_on(action)) a.answer.reason = "the letter is being replayed or discarded";
    else if (action.what == letter_action::kind::discard)
      return discards_.push_back({r.from, r.request.number, action.number});
    else return replay(r, *letter, action.number, now);
  }
  out.reads.push_back({r.from, std::move(a)});
}

void shard::on_reads(const shard_answer& a, shard_effects& out, instant now) {
  if (a.outcome != store_outcome::done) {
    if (a.outcome == store_outcome::unknown) load_max_ = std::max<std::size_t>(1, reads_asked_ / 2);
    return doubt(out, "reading: " + a.text, now);
  }
  load_confirmed();
  const auto& values = std::get<load_answer>(a.body).values;
  PAWL_INVARIANT(values.size() == reads_asked_, "one value for each field asked");
  for (std::size_t i = 0; i < reads_missing_.size(); ++i) {
    const auto& e = reads_missing_[i];
    if (residents_.find(e.type, e.key) == nullptr)
      residents_.put(e.type, e.key, resident_from(*catalog_.types[e.type], values[i], now));
  }
  metrics_.entities.set(residents_.size());
  auto next_letter = reads_missing_.size();
  while (!reads_.empty() && reads_.front().asked) {
    answer_read(reads_.front(), values, next_letter, out, now);
    reads_.pop_front();
  }
  for (auto& f : frames_)
    if (f.proven == queued_frame::proof::asked) f.proven = queued_frame::proof::given;
  answer_finished(out, now);
  if (relay_proof_ == proof::asked) {
    relay_proof_ = proof::none;
    carry_out(relay_.proven(books_.sends, now), out);
  }
  pump(out, now);
}

}  // namespace pawl
