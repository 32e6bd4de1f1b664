#include "actors/batch.hpp"

#include "actors/verdicts.hpp"
#include "cluster/invariant.hpp"
#include "cluster/shard_map.hpp"
#include "persistence/state_blob.hpp"

#include <algorithm>
#include <set>

namespace pawl {
namespace {

// States kept to be copied into: of each type in a shard so many, and none that is large.
constexpr std::size_t spare_states_max = 256;
constexpr std::size_t spare_bytes_max = 4 * 1024;

message_result answer_for(processed_set::verdict v, const message& m) {
  switch (v) {
  case processed_set::verdict::duplicate: return {result_kind::duplicate, reason_code::none, {}};
  case processed_set::verdict::refused:
    return refusal(reason_code::handler_refused, "this message id was refused before");
  case processed_set::verdict::reused:
    return refusal(reason_code::id_reused, "message id was used before for '" + std::string{m.type} + "' '" +
                                               std::string{m.key} +
                                               "' with another type or payload: give every message its own id");
  case processed_set::verdict::too_old:
    return refusal(reason_code::too_old, "sent_at " + std::to_string(m.sent_at) +
                                             " lies below what this shard still remembers, so it cannot be told from a "
                                             "duplicate");
  case processed_set::verdict::fresh: break;
  }
  PAWL_INVARIANT(false, "a fresh message has no answer yet");
}

std::string name_of(const message& m) {
  return "message '" + std::string{m.name} + "' of '" + std::string{m.type} + "'";
}

}  // namespace

void message_note::add(const message& m, reason_code why) {
  if (count++ != 0) return;
  what = std::string{m.name} + " of " + std::string{m.type};
  code = why;
  trace = m.trace;
}

std::string entity_catalog::lacks(std::string_view type) const {
  std::string known;
  for (const auto& t : types) known += (known.empty() ? "" : ", ") + t->name();
  return "entity type '" + std::string{type} + "' is not known to the shard's owner (known: " + known + ")";
}

queued_frame::queued_frame(const entity_catalog& catalog, link_number sender, frame f, steady_time now)
    : from(sender), contents(std::move(f)), arrived(now) {
  types.reserve(contents.messages.size());
  results.reserve(contents.messages.size());
  for (const auto* m : contents.messages) {
    // Mostly as the one before.
    const auto known = types.empty() ? unknown_type : types.back();
    const bool same = known != unknown_type && catalog.types[known]->name() == m->type;
    types.push_back(same ? known : catalog.find(m->type).value_or(unknown_type));
  }
}

batch::batch(const entity_catalog& catalog, activation& residents, std::vector<processed_set>& processed,
             shard_books& books, held_messages& held, batch_room& room, std::uint64_t line, sizing how,
             std::size_t messages_max)
    : catalog_(catalog),
      residents_(residents),
      processed_(processed),
      books_(books),
      held_(held),
      room_(room),
      line_(line),
      sizing_(how),
      messages_max_(messages_max) {
  room_.stages.resize(processed.size());
}

batch::~batch() {
  books_.drop();
  for (auto& c : room_.changed) {
    c.of->work = 0;
    if (c.state) keep(c.of->type, std::move(c.state), c.bytes);
  }
  room_.changed.clear();
  room_.starts.clear();
  room_.places.clear();
  room_.replies.clear();
  for (auto& s : room_.stages) {
    s.ids.clear();
    s.seen.clear();
    s.out_of_order = s.violations = 0;
  }
}

bool batch::run(queued_frame& f, std::size_t index, instant now) {
  if (full()) return false;
  // Frames before it may be finished, and only wait for a proof.
  while (room_.starts.size() < index) room_.starts.push_back(batch_room::untouched);
  if (room_.starts.size() == index) room_.starts.push_back(f.results.size());
  const auto& m = f.next();
  if (f.stopped || f.blocked.contains(m.key)) {
    f.results.push_back(behind_unresolved());
    return true;
  }
  if (f.contents.of && !follows(f)) {
    refuse_sequence(f);
    return true;
  }
  bool depends = false;
  auto result = decide(f, f.types[f.results.size()], m, now, depends);
  if (!result) return false;
  if (!resolved(result->kind)) f.leave_unresolved(m, result->code);
  else if (!f.inbox.empty()) inbox_ = f.inbox[f.results.size()].at;
  if (depends) room_.places.push_back({index, f.results.size()});
  f.results.push_back(std::move(*result));
  return true;
}

/// True if the message that is next in `f` is the one that comes after what has been taken of its source (rule A3).
bool batch::follows(const queued_frame& f) const {
  const auto& of = *f.contents.of;
  const auto i = f.results.size();
  if (i == 0 && of.word != line_) return false;
  return books_.marks.of(of.source).mark() == (i == 0 ? of.follows : of.positions[i - 1]);
}

/// The source is told where it stands, once that is proven; it knows what to send then.
void batch::refuse_sequence(queued_frame& f) const {
  f.proven = queued_frame::proof::wanted;
  const auto& taken = books_.marks.confirmed(f.contents.of->source);
  while (!f.finished()) {
    const auto i = f.results.size();
    const bool reused =
        taken.content != 0 && f.contents.of->positions[i] == taken.mark() &&
        catalog_.digester.content_of(f.next().type, f.next().key, f.next().name, f.next().payload) != taken.content;
    if (reused)
      f.results.push_back(refusal(reason_code::position_reused, "another message of this source had this position"));
    else f.results.push_back(not_now(reason_code::out_of_sequence, "the batch does not follow what was taken before"));
  }
}

bool batch::full() const noexcept {
  // With exact sizes the bound is kept, not just noticed: the next message may make a state as large as one may be, and
  // send as much as one may.
  auto next = sizing_ == sizing::exact ? catalog_.state_bytes_max + limits::effect_bytes : 0;
  return messages() >= messages_max_ || (bytes_ != 0 && bytes_ + next >= limits::commit_bytes);
}

std::optional<message_result> batch::decide(queued_frame& f, type_index type, const message& m, instant now,
                                            bool& depends) {
  if (!f.inbox.empty() && !f.inbox[f.results.size()].problem.empty()) return decide_entry(f, type, m, now, depends);
  if (type == unknown_type && f.inbox.empty()) return not_now(reason_code::unknown_entity_type, catalog_.lacks(m.type));
  const bool from_outside = f.contents.of ? !is_shard_source(f.contents.of->source) : f.free_form() || !f.inbox.empty();
  if (from_outside &&
      (books_.sends.waiting() >= limits::outbox_messages || books_.sends.bytes() >= limits::outbox_bytes))
    return not_now(reason_code::outbox_full, "entities of this shard have sent " +
                                                 std::to_string(books_.sends.waiting()) +
                                                 " messages that their receivers have not taken yet");
  if (const auto& of = f.contents.of) {
    if (!books_.marks.admits(of->source))
      return not_now(reason_code::too_many_sources, "the shard knows as many sources as it may");
    auto result = take(f, type, m, now, depends);
    if (depends)
      books_.marks.advance(
          of->source, of->positions[f.results.size()],
          is_shard_source(of->source) ? 0 : catalog_.digester.content_of(m.type, m.key, m.name, m.payload));
    return result;
  }
  if (!f.timers.empty()) {
    const auto serial = f.timers[f.results.size()];
    // Cancelled, or set again, by a message before it.
    if (books_.timers.pending(serial) == nullptr) return message_result{result_kind::duplicate, reason_code::none};
    if (residents_.find(type, m.key) == nullptr) return std::nullopt;
    return take(f, type, m, now, depends);
  }
  if (!f.inbox.empty()) return decide_entry(f, type, m, now, depends);
  const auto& ids = catalog_.types[type]->ids();
  if (f.letter || !ids.tracked) return take(f, type, m, now, depends);
  if (ids.by_number) return decide_numbered(f, type, m, now, depends);
  return decide_tracked(f, type, m, now, depends);
}

/// An entry of the inbox. Nobody waits to be told, so whatever is refused for good becomes a dead letter; and that it
/// is taken is part of the commit, also of a duplicate (rule A9).
std::optional<message_result> batch::decide_entry(queued_frame& f, type_index type, const message& m, instant now,
                                                  bool& depends) {
  const auto& item = f.inbox[f.results.size()];
  const bool is_message = item.problem.empty();
  const auto buried = books_.letters.added();
  std::optional<message_result> result;
  if (!is_message) result = refusal(reason_code::invalid, item.problem);
  else if (type == unknown_type) result = not_now(reason_code::unknown_entity_type, catalog_.lacks(m.type));
  else if (catalog_.types[type]->ids().tracked) result = decide_tracked(f, type, m, now, depends);
  else result = take(f, type, m, now, depends);
  if (!result) return std::nullopt;
  if (type == unknown_type && item.given_up) result->kind = result_kind::refused;
  // What `take` has given up is buried already; a copy of what was refused before was buried with it.
  const bool known = books_.letters.added() != buried || (is_message && result->code == reason_code::handler_refused);
  if (result->kind == result_kind::refused && !known) result = bury(std::move(*result), m, "inbox", now.wall);
  if (resolved(result->kind)) depends = true;
  return result;
}

/// Makes the message a dead letter, if there is room for one.
message_result batch::bury(message_result why, const message& m, std::string source, unix_ms now) {
  if (books_.letters.full())
    return not_now(reason_code::dead_letters_full,
                   "the message would become a dead letter, and the shard keeps as many as it may: " + why.reason);
  books_.letters.add({{std::string{m.type}, std::string{m.key}},
                      std::string{m.name},
                      std::string{m.id},
                      std::string{m.payload},
                      std::move(source),
                      m.sent_at,
                      m.seq,
                      why.code,
                      why.reason,
                      now,
                      std::string{m.trace}});
  buried_.add(m, why.code);
  bytes_ += m.payload.size() + 512;
  return why;
}

/// A message of a type whose ids are kept. In one piece, since nearly all messages go through it.
std::optional<message_result> batch::decide_tracked(queued_frame& f, type_index type, const message& m, instant now,
                                                    bool& depends, standing number) {
  auto& stage = room_.stages[type];
  if (stage.name != m.name) {
    stage.content = catalog_.digester.key_of(m.name);
    stage.name = m.name;
  }
  auto digest = catalog_.digester.digest(m.type, m.key, m.id, stage.content, m.payload);
  if (const auto* staged = stage.seen.find(digest)) {
    // Earlier in this very batch: it shares the fate of that one.
    depends = true;
    if (staged->fingerprint() != digest.fingerprint()) return answer_for(processed_set::verdict::reused, m);
    auto r = answer_for(staged->refused() ? processed_set::verdict::refused : processed_set::verdict::duplicate, m);
    if (staged->replied()) r.reply = room_.replies.at(std::string{digest.id_part()});
    return r;
  }
  message_digest known;
  if (auto v = processed_[type].judge(digest, m.sent_at, known); v != processed_set::verdict::fresh) {
    // However old it is: if it has the next number, no message has had that before.
    if (v != processed_set::verdict::too_old || number != standing::next) return with_reply(answer_for(v, m), known, f);
  }
  if (number == standing::passed) return passed(m);
  bool from_the_future = m.sent_at > now.wall + limits::future_ms;
  // A refused message must not lift the window with a date of its own choosing.
  auto high = from_the_future ? 0 : m.sent_at;
  if (processed_[type].full(stage.ids.ids.size() + 1, std::max(stage.ids.high, high)))
    return not_now(reason_code::ids_full, "the shard remembers as many ids of '" + std::string{m.type} +
                                              "' as it may, all younger than the retention window");
  auto result = take(f, type, m, now, depends);
  if (depends) stage_id(type, digest, *result, std::min(m.sent_at, now.wall + limits::future_ms), high);
  return result;
}

/// A duplicate gets the reply that its message got, loaded if need be.
std::optional<message_result> batch::with_reply(message_result r, const message_digest& known, const queued_frame& f) {
  if (r.kind != result_kind::duplicate || !known.replied() || !f.has_sender()) return r;
  auto loaded = room_.loaded_replies.find(std::string{known.id_part()});
  if (loaded == room_.loaded_replies.end()) {
    want_replies(f);
    return std::nullopt;
  }
  r.reply = loaded->second;
  return r;
}

/// All replies that what is left of the frame will ask for: one load for a repeated batch, not one for each message.
void batch::want_replies(const queued_frame& f) {
  for (auto i = f.results.size(); i < f.contents.messages.size(); ++i) {
    const auto& m = *f.contents.messages[i];
    const auto type = f.types[i];
    if (type == unknown_type || !catalog_.types[type]->ids().tracked) continue;
    message_digest known;
    const auto digest = catalog_.digester.digest(m.type, m.key, m.id, m.name, m.payload);
    if (processed_[type].judge(digest, m.sent_at, known) != processed_set::verdict::duplicate || !known.replied())
      continue;
    std::string id{known.id_part()};
    if (!room_.loaded_replies.contains(id)) room_.wanted_replies.push_back(std::move(id));
  }
}

/// Lets the message take effect, or gives it up for good: then `depends` is set, and what becomes of it is part of the
/// commit.
std::optional<message_result> batch::take(const queued_frame& f, type_index type, const message& m, instant now,
                                          bool& depends) {
  auto* r = residents_.find(type, m.key);
  if (r == nullptr) return std::nullopt;
  if (!r->damage.empty())
    return not_now(reason_code::undecodable, "the stored state cannot be decoded and is left alone: " + r->damage);
  r->touched = now.steady;

  const bool free_form = f.free_form();
  message_result result;
  if ((free_form || !f.inbox.empty()) && m.sent_at > now.wall + limits::future_ms) {
    result = refusal(reason_code::from_the_future,
                     "sent_at is more than 5 minutes ahead of the owner's clock: set the sender's clock");
  } else if (books_.suspects.size() != 0 &&
             books_.suspects.fatal(catalog_.digester.digest(m.type, m.key, m.id, m.name, m.payload))) {
    if (!f.timers.empty()) books_.timers.fired(f.timers[f.results.size()]);
    result =
        refusal(reason_code::handler_error, "handler of " + name_of(m) + " ended its process, or did not return, on " +
                                                std::to_string(books_.suspects.fatal_ends()) + " owners");
  } else {
    if (!f.timers.empty()) books_.timers.fired(f.timers[f.results.size()]);
    // What has an order of its own leaves the number of a sequenced entity as it is.
    const auto seq = free_form || !catalog_.types[type]->ids().by_number ? m.seq : 0;
    result = apply(*r, m, seq, now.wall);
  }
  // During a rolling upgrade another owner may know it; but a misspelt name must not hold up an inbox for ever.
  if (result.code == reason_code::unknown_message_type && !f.inbox.empty() && f.inbox[f.results.size()].given_up)
    result.kind = result_kind::refused;
  if (!resolved(result.kind)) {
    if (!f.timers.empty()) books_.timers.unfired(f.timers[f.results.size()]);
    return result;
  }
  if (f.letter) {
    if (result.kind == result_kind::refused) return result;  // the letter stays as it is
    books_.letters.discard(*f.letter);
  }
  // Who sends freely is told of a refusal, and can act on it; an error of ours, or a message that has nobody to be
  // told, is kept for people.
  const bool ours = result.code == reason_code::handler_error || result.code == reason_code::undecodable ||
                    result.code == reason_code::outbox_full;
  if (result.kind == result_kind::refused && (!free_form || ours)) {
    std::string source = f.contents.of ? f.contents.of->source : !f.inbox.empty() ? "inbox" : free_form ? "" : "timer";
    result = bury(std::move(result), m, std::move(source), now.wall);
    if (!resolved(result.kind)) {
      if (!f.timers.empty()) books_.timers.unfired(f.timers[f.results.size()]);
      return result;
    }
  } else if (result.kind == result_kind::refused && !m.trace.empty()) {
    refused_.add(m, result.code);
  }
  depends = true;
  return result;
}

/// @param number that the entity comes to with it; 0: none
message_result batch::apply(resident& r, const message& m, std::uint64_t number, unix_ms now) {
  const auto& behavior = *catalog_.types[r.type];
  const auto* so_far = r.work != 0 ? &room_.changed[r.work - 1] : nullptr;
  auto next = spare_state(r.type);
  auto done = behavior.apply(so_far != nullptr ? so_far->now() : r.state.get(), *next, m, now);
  auto size = so_far != nullptr ? so_far->bytes : r.bytes;
  auto seq = std::max(number, so_far != nullptr ? so_far->last_seq : r.last_seq);
  auto result = [&]() -> message_result {
    switch (done.what) {
    case handled::kind::applied: break;
    case handled::kind::unknown_message:
      return not_now(reason_code::unknown_message_type,
                     name_of(m) + " is not known to the shard's owner (known: " + behavior.messages() + ")");
    case handled::kind::undecodable:
      return refusal(reason_code::undecodable, name_of(m) + " cannot be decoded: " + done.text);
    case handled::kind::failed:
      return refusal(reason_code::handler_error, "handler of " + name_of(m) + " threw: " + done.text);
    case handled::kind::refused: return refusal(reason_code::handler_refused, std::move(done.text));
    case handled::kind::exhausted: return not_now(reason_code::handler_error, "the owner is out of memory");
    }
    const bool sends = done.effects && !done.effects->sends.empty();
    if (sends && (books_.sends.waiting() >= limits::outbox_hard * limits::outbox_messages ||
                  books_.sends.bytes() >= limits::outbox_hard * limits::outbox_bytes))
      return refusal(reason_code::outbox_full, name_of(m) + " would send more, and entities of this shard have sent " +
                                                   std::to_string(books_.sends.waiting()) +
                                                   " messages that their receivers have not taken yet");
    if (sizing_ == sizing::exact) {
      room_.blob.clear();
      begin_state_blob(room_.blob, seq);
      behavior.encode(*next, room_.blob);
      size = room_.blob.size();
      if (size > catalog_.state_bytes_max)
        return refusal(reason_code::state_too_large, name_of(m) + " would grow the state to " + std::to_string(size) +
                                                         " bytes; at most " + std::to_string(catalog_.state_bytes_max) +
                                                         " are allowed (entities.state_bytes)");
    }
    return {result_kind::applied, reason_code::none, {}};
  }();
  if (result.kind != result_kind::applied) {
    keep(r.type, std::move(next), size);
    return result;
  }
  auto& c = change(r);
  c.state.swap(next);
  c.as_it_was = false;
  c.applied[c.applied_count++ % c.applied.size()] = &m;
  if (next) keep(r.type, std::move(next), size);
  if (number != 0) {
    auto& stage = room_.stages[r.type];
    if (number != c.last_seq + 1) ++stage.out_of_order;
    if (number <= c.last_seq) ++stage.violations;
    c.last_seq = seq;
  }
  if (sizing_ == sizing::exact) bytes_ = bytes_ - std::exchange(c.bytes, size) + size;
  else bytes_ += 2 * m.payload.size() + 64;
  if (done.effects) carry_out(r, std::move(*done.effects), result, now);
  return result;
}

/// What the handler did besides changing its state becomes part of the commit.
void batch::carry_out(const resident& r, handler_effects&& e, message_result& result, unix_ms now) {
  const entity_id self{catalog_.types[r.type]->name(), r.key};
  for (const auto& m : e.sends) {
    bytes_ += m.payload.size() + m.key.size() + 256;
    books_.sends.stage(shard_of(m.key, catalog_.shards), m, now, line_);
  }
  if (e.erased) {
    auto& c = room_.changed[r.work - 1];
    if (c.state) keep(r.type, std::move(c.state), c.bytes);
    c.state.reset();
    books_.timers.cancel_all(self);
  } else {
    for (auto& t : e.timers) {
      bytes_ += t.payload.size() + r.key.size() + 256;
      if (t.due) books_.timers.set(self, std::move(t));
      else books_.timers.cancel(self, t.timer);
    }
  }
  if (e.reply) {
    bytes_ += e.reply->size() + 64;
    result.reply = std::make_shared<const std::string>(std::move(*e.reply));
  }
}

/// A state to copy into: one that is of no use any more, if there is one.
std::unique_ptr<entity_state> batch::spare_state(type_index type) {
  auto& spare = room_.stages[type].spare;
  if (spare.empty()) return catalog_.types[type]->fresh();
  auto state = std::move(spare.back());
  spare.pop_back();
  return state;
}

void batch::keep(type_index type, std::unique_ptr<entity_state> state, std::size_t bytes) {
  auto& spare = room_.stages[type].spare;
  if (spare.size() < spare_states_max && bytes <= spare_bytes_max) spare.push_back(std::move(state));
}

/// What the batch has made of the entity; at first nothing.
batch_room::changed_entity& batch::change(resident& r) {
  if (r.work == 0) {
    room_.changed.push_back({&r, nullptr, r.last_seq, r.bytes});
    r.work = static_cast<std::uint32_t>(room_.changed.size());
    bytes_ += r.bytes + r.key.size() + 64;
  }
  return room_.changed[r.work - 1];
}

void batch::stage_id(type_index type, message_digest d, const message_result& r, unix_ms sent_at, unix_ms high) {
  auto& stage = room_.stages[type];
  d.set_refused(r.kind == result_kind::refused);
  if (r.reply) {
    d.set_replied(true);
    room_.replies.emplace(d.id_part(), r.reply);
  }
  stage.ids.greatest_sent_at = stage.ids.ids.empty() ? sent_at : std::max(stage.ids.greatest_sent_at, sent_at);
  stage.ids.high = std::max(stage.ids.high, high);
  stage.seen.insert(d);
  stage.ids.ids.push_back(d);
  bytes_ += sizeof d;
}

std::vector<missing_entity> missing_entities(activation& residents, const std::deque<queued_frame>& frames,
                                             std::size_t most) {
  std::vector<missing_entity> out;
  std::set<std::pair<type_index, std::string_view>> seen;
  for (const auto& f : frames) {
    for (auto i = f.results.size(); i < f.contents.messages.size(); ++i) {
      const auto& m = *f.contents.messages[i];
      const auto type = f.types[i];
      if (type == unknown_type || residents.find(type, m.key) != nullptr || !seen.insert({type, m.key}).second)
        continue;
      if (out.size() == most) return out;
      out.push_back({type, std::string{m.key}});
    }
  }
  return out;
}

}  // namespace pawl
