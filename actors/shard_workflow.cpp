// The half of `shard` that carries out what handlers do besides changing states, and what becomes of it: messages to
// other shards, timers, dead letters, and the fields that all of them leave behind.
#include "actors/shard.hpp"

#include <algorithm>
#include <utility>

namespace pawl {
namespace {

constexpr std::size_t fields_per_trim = 256;
constexpr std::size_t timers_per_frame = 256;
// The clock may be set: at least this often it is looked at again.
constexpr std::chrono::milliseconds clock_looked_at{10'000};

}  // namespace

/// For those who watch: what waits in the books.
void shard::show_books() {
  metrics_.inbox_stopped.set(inbox_.stopped() ? 1 : 0);
  metrics_.outbox_messages.set(books_.sends.waiting());
  metrics_.outbox_stopped.set(relay_.stopped());
  metrics_.timers.set(books_.timers.size());
  metrics_.dead_letters.set(books_.letters.size());
  for (std::size_t t = 0; t < processed_.size(); ++t)
    metrics_.messages[t].ids.set(memory_ == memory::ready ? processed_[t].size() : 0);
}

/// For the log, but for what comes too soon after the last: that is counted in the next one.
void shard::tell(shard_effects::event what, const message_note& n, telling& so_far, shard_effects& out,
                 instant now) const {
  if (n.count == 0) return;
  so_far.untold += n.count;
  if (so_far.last && now.steady - *so_far.last < policy_.tell_every) return;
  so_far.last = now.steady;
  out.notes.push_back({what, n.what, std::exchange(so_far.untold, 0), n.code, n.trace});
}

/// Confirmed, as are the books outside of a commit being built.
shard_detail shard::detail_now() const {
  shard_detail d;
  d.outbox_messages = books_.sends.waiting();
  std::vector<std::pair<const message*, shard_id>> first;  // of each receiver
  for (const auto& [to, p] : books_.sends.pairs())
    if (const auto* m = outbox::first_waiting(p)) first.emplace_back(m, to);
  d.receivers_waited_for = first.size();
  const auto shown = first.begin() + static_cast<std::ptrdiff_t>(std::min(first.size(), limits::receivers_shown));
  std::partial_sort(first.begin(), shown, first.end(), [](const auto& a, const auto& b) {
    return std::pair{a.first->sent_at, a.second} < std::pair{b.first->sent_at, b.second};
  });
  for (auto at = first.begin(); at != shown; ++at) {
    const auto& [m, to] = *at;
    d.receivers.push_back({to,
                           books_.sends.find(to)->waiting(),
                           relay_.stands_still(to),
                           {std::string{m->type}, std::string{m->key}},
                           std::string{m->name},
                           m->sent_at});
  }
  d.sources_known = books_.marks.size();
  for (const bool shards : {false, true})
    books_.marks.each([&](std::string_view source, const source_mark& mark) {
      if (is_shard_source(source) == shards && d.sources.size() < limits::sources_shown)
        d.sources.push_back({std::string{source}, mark.mark().number});
    });
  d.timers = books_.timers.size();
  d.next_timer = books_.timers.next_due();
  d.dead_letters = books_.letters.size();
  return d;
}

// Relay ---------------------------------------------------------------------------------------------------------------

void shard::carry_out(relay_effects r, shard_effects& out) {
  for (auto& f : r.send) {
    f.view = claim_.view_of_placement();
    out.relayed.push_back(std::move(f));
  }
  if (r.prove && relay_proof_ == proof::none) relay_proof_ = proof::wanted;
  if (!r.notes.empty()) metrics_.outbox_stopped.set(relay_.stopped());
  for (const auto& n : r.notes)
    out.notes.push_back({n.stopped ? shard_effects::event::relay_stopped : shard_effects::event::relay_resumed,
                         "to shard " + std::to_string(n.receiver.value) + ": " + n.text});
}

shard_effects shard::on_relayed(shard_id receiver, std::uint64_t number, const std::optional<frame_answer>& answer,
                                instant now) {
  shard_effects out;
  if (memory_ != memory::ready) return out;
  const mark_report* mark = answer && answer->mark ? answer->mark.get() : nullptr;
  const bool all_taken = answer && std::all_of(answer->results.begin(), answer->results.end(),
                                               [](const message_result& r) { return resolved(r.kind); });
  carry_out(relay_.on_answer(books_.sends, receiver, number, mark, all_taken, now), out);
  pump(out, now);
  return out;
}

// Timers --------------------------------------------------------------------------------------------------------------

/// Timers become messages to their entities, in the order in which they were due. One frame of them at a time.
void shard::add_due_timers(instant now) {
  if (std::any_of(frames_.begin(), frames_.end(), [](const queued_frame& f) { return !f.timers.empty(); })) return;
  auto due = books_.timers.due(now.wall, timers_per_frame);
  if (due.empty()) return;
  message_builder b;
  std::vector<timer_book::serial> serials;
  for (const auto& [serial, t] : due) {
    const auto id = "timer/" + t->name + "/" + std::to_string(t->due);
    b.add({.type = t->entity.type,
           .key = t->entity.key,
           .name = t->message,
           .id = id,
           .payload = t->payload,
           .sent_at = t->due,
           .trace = t->trace});
    serials.push_back(serial);
  }
  frames_.emplace_back(catalog_, 0, whole_block(id_, 0, claim_.view_of_placement(), b.finish()), now.steady);
  frames_.back().timers = std::move(serials);
}

void shard::find_next_timer(instant now) {
  next_timer_.reset();
  auto due = books_.timers.next_due();
  const bool firing =
      std::any_of(frames_.begin(), frames_.end(), [](const queued_frame& f) { return !f.timers.empty(); });
  if (!due || firing) return;
  auto in = std::clamp(std::chrono::milliseconds{*due - now.wall}, std::chrono::milliseconds{0}, clock_looked_at);
  next_timer_ = now.steady + in;
}

// Inbox ---------------------------------------------------------------------------------------------------------------

/// What was read and has not begun is forgotten, and read again: from where the commits are (rule A9).
void shard::forget_inbox() {
  const auto first = frames_.begin() + static_cast<std::ptrdiff_t>(batch_ ? batch_->frames() : 0);
  frames_.erase(std::remove_if(first, frames_.end(), [](const queued_frame& f) { return !f.inbox.empty(); }),
                frames_.end());
  inbox_ticket_ = 0;
  inbox_.stop();
}

void shard::ask_inbox(shard_effects& out, instant now) {
  if (auto r = inbox_.next(now)) inbox_ticket_ = ask(out, *r);
}

shard_effects shard::on_inbox(instant now) {
  shard_effects out;
  inbox_.on_hint(now);
  pump(out, now);
  return out;
}

void shard::on_inbox_answer(shard_answer a, shard_effects& out, instant now) {
  if (a.outcome != store_outcome::done) {
    note(inbox_.on_failure(a.outcome == store_outcome::unknown, a.text, now), out);
    return;
  }
  auto found = inbox_.on_answer(std::get<inbox_answer>(std::move(a.body)), now);
  if (found.said) note(*found.said, out);
  metrics_.inbox_stopped.set(inbox_.stopped() ? 1 : 0);
  if (found.watch) out.watch_inbox = found.watch;
  metrics_.inbox_lag_ms.set(static_cast<std::uint64_t>(inbox_.lag(now).count()));
  if (found.entries.empty()) return;
  auto batch = parse_inbox(found.entries, found.first_taken, id_, catalog_.shards, policy_.from_json);
  batch.items.front().given_up = found.first_given_up;
  auto& f = frames_.emplace_back(catalog_, 0, whole_block(id_, 0, claim_.view_of_placement(), std::move(batch.block)),
                                 now.steady);
  for (std::size_t i = 0; i < batch.items.size(); ++i)
    if (!batch.items[i].problem.empty()) f.types[i] = unknown_type;
  f.inbox = std::move(batch.items);
  pump(out, now);
}

void shard::note(const inbox_reader::news& n, shard_effects& out) {
  using kind = inbox_reader::news::kind;
  using event = shard_effects::event;
  auto what = event::inbox_failed;
  switch (n.what) {
  case kind::lost: what = event::inbox_lost; break;
  case kind::stopped: what = event::inbox_stopped; break;
  case kind::resumed: what = event::inbox_resumed; break;
  case kind::failed: break;
  }
  metrics_.inbox_lost.set(inbox_.lost());
  out.notes.push_back({what, n.text});
}

// Dead letters --------------------------------------------------------------------------------------------------------

/// Numbers of the letters that must be read to answer this.
std::vector<std::uint32_t> shard::letters_wanted(const shard_question& about) const {
  std::vector<std::uint32_t> wanted;
  if (const auto* query = std::get_if<letter_query>(&about)) {
    for (auto n = query->from; n < books_.letters.slots() && wanted.size() < limits::letters_per_page; ++n)
      if (books_.letters.holds(n)) wanted.push_back(n);
  } else if (const auto* action = std::get_if<letter_action>(&about)) {
    if (books_.letters.holds(action->number)) wanted.push_back(action->number);
  }
  return wanted;
}

/// Something is under way that may end the letter. Whoever asks again is told what became of it.
bool shard::is_acted_on(const letter_action& action) const {
  const auto number = action.number;
  return std::any_of(frames_.begin(), frames_.end(), [number](const queued_frame& f) { return f.letter == number; }) ||
         std::any_of(discards_.begin(), discards_.end(),
                     [number](const waiting_discard& d) { return d.letter == number; });
}

/// The letter's message is handled once more, by a frame of its own.
void shard::replay(const waiting_read& r, const dead_letter& letter, std::uint32_t number, instant now) {
  message_builder b;
  b.add({.type = letter.entity.type,
         .key = letter.entity.key,
         .name = letter.name,
         .id = letter.id,
         .payload = letter.payload,
         .sent_at = letter.sent_at,
         .seq = letter.seq,
         .trace = letter.trace});
  frames_.emplace_back(catalog_, r.from, whole_block(id_, 0, claim_.view_of_placement(), b.finish()), now.steady);
  frames_.back().letter = number;
  frames_.back().asked_as = r.request.number;
}

void shard::finish_letter(link_number to, std::uint64_t number, entity_answer a, shard_effects& out) {
  a.owner = claim_.self().node;
  if (a.kind == entity_answer::status::unavailable && a.reason.empty()) a.reason = "the shard has moved";
  out.reads.push_back({to, {id_, number, std::move(a), {}}});
}

/// Puts all that wait into the commit being built.
void shard::discard_letters() {
  for (const auto& d : discards_)
    if (books_.letters.holds(d.letter)) books_.letters.discard(d.letter);
  discards_under_way_ = discards_.size();
}

// Trimming ------------------------------------------------------------------------------------------------------------

void shard::trim(shard_effects& out) {
  if (trim_ticket_ != 0 || claim_.token().empty()) return;
  for (std::size_t t = 0; t < processed_.size(); ++t) {
    auto fields = processed_[t].dead_fields(fields_per_trim);
    if (fields.empty()) continue;
    trimming_ = trimming::ids;
    trim_type_ = t;
    trim_ticket_ = ask(out, trim_fields{claim_.token(), std::move(fields)});
    return;
  }
  trimming_ = trimming::books;
  auto fields = books_.dead_fields(fields_per_trim);
  if (fields.empty()) {
    trimming_ = trimming::erased;
    fields = erased_fields();
  }
  if (!fields.empty()) trim_ticket_ = ask(out, trim_fields{claim_.token(), std::move(fields)});
}

/// What is stored of entities that were erased, unless they came back since. Only between commits.
std::vector<std::string> shard::erased_fields() {
  std::vector<std::string> fields;
  while (!room_.erased.empty() && fields.size() < fields_per_trim) {
    const auto& [type, key] = room_.erased.back();
    const auto* r = residents_.find(type, key);
    if (r != nullptr && !r->state && r->last_seq == 0)
      fields.push_back(entity_field(catalog_.types[type]->name(), key));
    room_.erased.pop_back();
  }
  return fields;
}

}  // namespace pawl
