#include "actors/shard.hpp"

#include "cluster/invariant.hpp"

#include <algorithm>
#include <utility>

namespace pawl {
namespace {

// So often a batch is sent as it is before it is cut in two (rule C22).
constexpr unsigned tries_per_batch = 3;

message_outcome outcome_of(result_kind k) {
  switch (k) {
  case result_kind::applied: return message_outcome::applied;
  case result_kind::duplicate: return message_outcome::duplicate;
  case result_kind::refused: return message_outcome::refused;
  case result_kind::blocked:
  case result_kind::busy: return message_outcome::busy;
  case result_kind::unknown: return message_outcome::unknown;
  }
  return message_outcome::unknown;
}

std::uint64_t resolved_of(const queued_frame& f) {
  return static_cast<std::uint64_t>(
      std::count_if(f.results.begin(), f.results.end(), [](const auto& r) { return resolved(r.kind); }));
}
/// Of those of its timers that were not cancelled by a message before them.
std::uint64_t fired_of(const queued_frame& f) {
  return resolved_of(f) -
         static_cast<std::uint64_t>(std::count_if(f.results.begin(), f.results.end(),
                                                  [](const auto& r) { return r.kind == result_kind::duplicate; }));
}

/// The answer to a sequenced frame in whose place another has come. It is not judged.
frame_answer replaced(const queued_frame& f) {
  frame_answer a{f.contents.shard, f.contents.number, f.contents.view, {}, f.contents.of->source, {}};
  a.results.assign(f.contents.messages.size(),
                   {result_kind::busy, reason_code::out_of_sequence,
                    "another batch of this source has taken its place; send one at a time"});
  return a;
}

}  // namespace

shard::shard(shard_id id, shard_policy policy, dataset_id dataset, const entity_catalog& catalog,
             shard_metrics& metrics, std::function<fencing_token()> mint)
    : id_(id),
      policy_(policy),
      dataset_(dataset),
      catalog_(catalog),
      metrics_(metrics),
      claim_(id, policy.claim, std::move(mint)),
      books_(id, catalog.shards, policy.suspicion),
      held_(metrics),
      relay_(id, policy.relay),
      inbox_(policy.inbox) {
  for (const auto& t : catalog_.types)
    processed_.emplace_back(t->name(), retention_policy{t->ids().retention, t->ids().ids_per_shard});
}

std::size_t shard::queued() const noexcept {
  std::size_t n = 0;
  for (const auto& f : frames_) n += f.contents.messages.size() - f.results.size();
  return n;
}

std::optional<steady_time> shard::wake() const {
  auto at = claim_.wake();
  auto earlier = [&at](steady_time t) { at = at ? std::min(*at, t) : t; };
  if (!sweeps_.empty()) earlier(sweeps_.front().first);
  if (residents_.size() > 0) earlier(next_passivation_);
  if (memory_ == memory::ready)
    if (auto t = relay_.wake()) earlier(*t);
  if (claim_.current() == shard_claim::state::held)
    if (auto t = inbox_.wake()) earlier(*t);
  // Only if something could be done about it then: else whatever is waited for brings the next input.
  if (claim_.current() == shard_claim::state::held && memory_ == memory::ready && !batch_ && entities_ticket_ == 0 &&
      mark_ticket_ == 0) {
    if (next_timer_) earlier(*next_timer_);
    if (auto t = held_.next_late()) earlier(*t);
    if (books_.sends.trims()) earlier(last_commit_ + policy_.tidy_after);
  }
  return at;
}

std::uint64_t shard::ask(shard_effects& out, shard_operation op) {
  out.commands.push_back({id_, ++last_ticket_, connection_, std::move(op)});
  return last_ticket_;
}

shard_effects shard::on_answer(shard_answer a, instant now) {
  shard_effects out;
  if (a.ticket == claim_ticket_) {
    claim_ticket_ = 0;
    if (auto* r = std::get_if<record_answer>(&a.body); r != nullptr && a.outcome == store_outcome::done) {
      record_ = std::move(r->record);
      auto next = claim_.on_record({record_.token, record_.owner, record_.view, record_.released}, now);
      // Only now is it known that the commit in doubt met a token that was not the shard's any more.
      if (batch_ && !claim_.memory_valid() && next.what != shard_claim::request::kind::release)
        metrics_.commits_fenced.add();
      carry_out(std::move(next), out, now);
    } else if (auto* c = std::get_if<claim_answer>(&a.body); c != nullptr && a.outcome == store_outcome::done) {
      granted(std::move(*c), out, now);
    } else if (a.outcome == store_outcome::done) {
      out.notes.push_back({shard_effects::event::released, {}});
      if (const auto* next = claim_.next_owner(); next != nullptr) out.tell_released = next->id;
      carry_out(claim_.on_released(now), out, now);
    } else if (a.outcome == store_outcome::fenced) {
      auto* refused = std::get_if<claim_answer>(&a.body);
      bool newer = refused != nullptr && refused->record.view > claim_.view_of_placement();
      carry_out(claim_.on_fenced(newer, now), out, now);
    } else if (a.outcome == store_outcome::lost) {
      stop(out, a.text, now);
    } else if (a.outcome == store_outcome::unknown) {
      carry_out(claim_.on_unknown(now), out, now);
    } else {
      carry_out(claim_.on_failed(now), out, now);
    }
  } else if (a.ticket == commit_ticket_) {
    commit_ticket_ = 0;
    if (a.outcome == store_outcome::done) commit_done(out, now);
    else commit_failed(a, out, now);
  } else if (a.ticket == groups_ticket_) {
    groups_ticket_ = 0;
    if (a.outcome == store_outcome::done) on_groups(std::get<load_answer>(std::move(a.body)), out, now);
    else doubt(out, "loading processed ids: " + a.text, now);
  } else if (a.ticket == entities_ticket_) {
    entities_ticket_ = 0;
    if (a.outcome == store_outcome::done) {
      load_confirmed();
      on_entities(std::get<load_answer>(a.body), now);
      pump(out, now);
    } else {
      if (a.outcome == store_outcome::unknown) load_max_ = std::max<std::size_t>(1, entities_asked_.size() / 2);
      doubt(out, "loading entities: " + a.text, now);
    }
  } else if (a.ticket == reads_ticket_) {
    reads_ticket_ = 0;
    on_reads(a, out, now);
  } else if (a.ticket == trim_ticket_) {
    trim_ticket_ = 0;
    if (a.outcome == store_outcome::done && trimming_ == trimming::ids) processed_[trim_type_].removed();
    if (a.outcome == store_outcome::done && trimming_ == trimming::books) books_.cleaned();
    // The rest of it, which no commit may follow.
    if (a.outcome == store_outcome::done && !batch_) trim(out);
  } else if (a.ticket == mark_ticket_) {
    mark_ticket_ = 0;
    // Refused, it is not stored; but then the commit of what is handled will be refused as well.
    if (a.outcome == store_outcome::done || a.outcome == store_outcome::refused) pump(out, now);
    else doubt(out, "storing what is about to be handled: " + a.text, now);
  } else if (a.ticket == inbox_ticket_) {
    inbox_ticket_ = 0;
    on_inbox_answer(std::move(a), out, now);
  }
  return out;
}

// Messages ---------------------------------------------------------------------------------------------------------

shard_effects shard::on_frame(link_number from, frame f, instant now) {
  shard_effects out;
  if (f.messages.empty() && !f.of) return out;
  // A copy of an earlier frame of this link that has not begun is given up by its lane: the new one holds what matters.
  auto first = frames_.begin() + static_cast<std::ptrdiff_t>(batch_ ? batch_->frames() : 0);
  frames_.erase(std::remove_if(first, frames_.end(),
                               [&](const queued_frame& q) {
                                 if (q.from != from || !q.results.empty() || !q.has_sender()) return false;
                                 const auto& of = q.contents.of;
                                 if (!f.of || !of) return !f.of && !of;
                                 if (of->source != f.of->source) return false;
                                 // Two of an outside source at once: whoever waits for the first shall not wait in
                                 // vain.
                                 if (!q.contents.messages.empty()) out.answers.push_back({from, replaced(q)});
                                 return true;
                               }),
                frames_.end());
  bool sender_is_ahead = f.view > claim_.view_of_placement();
  const bool asks_only = f.messages.empty();
  frames_.emplace_back(catalog_, from, std::move(f), now.steady);
  if (asks_only) frames_.back().proven = queued_frame::proof::wanted;
  if (claim_.current() == shard_claim::state::lost) {
    refuse_waiting(out, {result_kind::busy, reason_code::no_owner, "the shard is stopped; see the owner's log"}, now);
  } else if (!claim_.mine() && sender_is_ahead) {
    // The sender may know a view that gives us the shard. The frame waits for ours to catch up.
    // It is a reason to read the table, not to raise it: a peer may say any number.
    out.refresh_view = true;
  } else if (!claim_.mine()) {
    refuse_waiting(out, {result_kind::busy, reason_code::moved, "another member owns the shard"}, now);
  } else {
    pump(out, now);
  }
  return out;
}

shard_effects shard::on_link_down(link_number link, instant) {
  auto first = frames_.begin() + static_cast<std::ptrdiff_t>(batch_ ? batch_->frames() : 0);
  frames_.erase(std::remove_if(first, frames_.end(),
                               [link](const queued_frame& q) {
                                 return q.from == link && q.results.empty() && q.timers.empty() && q.inbox.empty() &&
                                        !q.held;
                               }),
                frames_.end());
  std::erase_if(reads_, [link](const waiting_read& r) { return r.from == link && !r.asked; });
  return {};
}

/// Gives every message that has not begun this result. What is in a commit under way is not touched.
void shard::refuse_waiting(shard_effects& out, const message_result& why, instant now) {
  for (auto& f : frames_) {
    while (!f.finished()) f.results.push_back(why);
    if (f.contents.of) f.proven = queued_frame::proof::withheld;
  }
  for (auto& r : reads_) {
    entity_answer a;
    a.reason = why.reason;
    out.reads.push_back({r.from, {id_, r.request.number, std::move(a), {}}});
  }
  reads_.clear();
  reads_ticket_ = 0;
  while (discards_.size() > discards_under_way_) {
    entity_answer a;
    a.reason = why.reason;
    finish_letter(discards_.back().from, discards_.back().number, std::move(a), out);
    discards_.pop_back();
  }
  unask();
  answer_finished(out, now);
}

void shard::pump(shard_effects& out, instant now) {
  if (claim_.current() != shard_claim::state::held || memory_ != memory::ready) return;
  add_due_timers(now);
  add_late(out, now);
  add_ready(now);
  while (!batch_ && entities_ticket_ == 0 && mark_ticket_ == 0 && (unfinished() || untidy(now))) {
    if (load_missing(out) || mark_next(out, now)) break;
    run_batch(out, now);
  }
  ask_reads(out);
  ask_inbox(out, now);
  find_next_timer(now);
}

/// Some message waits to be handled. Frames that only wait for a proof do not.
bool shard::unfinished() const {
  return std::any_of(frames_.begin(), frames_.end(), [](const queued_frame& f) { return !f.finished(); });
}

/// There is something to be stored without a message: letters are discarded; or messages of the outbox were delivered,
/// and no commit has come since that could have said so.
bool shard::untidy(instant now) const {
  if (!discards_.empty()) return true;
  return books_.sends.trims() && now.steady >= last_commit_ + policy_.tidy_after;
}

/// While the shard is careful, stores which messages are handled next, unless that is done: as many as wait, or one
/// that an owner ended with, alone. True if that is under way.
bool shard::mark_next(shard_effects& out, instant now) {
  if (!books_.suspects.careful(now)) return false;
  std::vector<message_digest> next;
  bool alone = false;
  for (auto f = frames_.begin(); f != frames_.end() && !alone && next.size() < limits::suspects / 2; ++f) {
    if (f->finished()) continue;
    if (f->marked > f->results.size()) return false;
    for (auto i = f->results.size(); i < f->contents.messages.size() && !alone; ++i) {
      const auto& m = *f->contents.messages[i];
      const auto digest = catalog_.digester.digest(m.type, m.key, m.id, m.name, m.payload);
      alone = books_.suspects.suspected(digest) && !books_.suspects.fatal(digest);
      if (alone && !next.empty()) break;
      next.push_back(digest);
      f->marked = i + 1;
    }
  }
  if (next.empty()) return false;
  field_list fields;
  fields.add(suspects::field, books_.suspects.about_to_handle(next));
  mark_ticket_ = ask(out, commit_fields{claim_.token(), std::move(fields)});
  return true;
}

bool shard::may_run(const queued_frame& f, instant now) const {
  return f.marked > f.results.size() || !books_.suspects.careful(now);
}

void shard::run_batch(shard_effects& out, instant now) {
  books_.suspects.tidy(now);
  for (auto sizing : {batch::sizing::at_the_end, batch::sizing::exact}) {
    batch_.emplace(catalog_, residents_, processed_, books_, held_, room_, word_of(claim_.token()), sizing, batch_max_);
    discard_letters();
    for (std::size_t i = 0; i < frames_.size(); ++i) {
      while (!frames_[i].finished() && may_run(frames_[i], now) && batch_->run(frames_[i], i, now)) {
      }
      // What waited for a number of this frame follows it in the same commit.
      if (!held_.empty()) add_ready(now);
    }
    room_.loaded_replies.clear();  // what is still wanted of them is asked for again
    if (!batch_->writes() && !untidy(now)) {
      books_.suspects.handled();
      batch_.reset();
      answer_finished(out, now);
      return;
    }
    if (auto fields = batch_->seal(confirmed_)) {
      fields_ = std::make_shared<const field_list>(std::move(*fields));
      send_commit(out, now);
      return;
    }
    batch_->undo(frames_);
  }
  PAWL_INVARIANT(false, "an exactly sized batch cannot hold a state that is too large");
}

void shard::send_commit(shard_effects& out, instant now) {
  commit_sent_ = last_commit_ = now.steady;
  commit_ticket_ = ask(out, commit_fields{claim_.token(), fields_});
}

/// The batch in doubt was not applied, and what was sent of it before can only meet dead names. A batch that the store
/// never confirms may be what breaks the connection: then parts of it may still pass, and one message that does not is
/// given back to its sender, so that the others can go on.
void shard::commit_again(shard_effects& out, instant now) {
  const auto in_it = frames_.begin() + static_cast<std::ptrdiff_t>(batch_->frames());
  const bool of_inbox = std::any_of(frames_.begin(), in_it, [](const queued_frame& f) { return !f.inbox.empty(); });
  if (unconfirmed_ < tries_per_batch && !of_inbox) return send_commit(out, now);
  // The stream may be another one now: what comes of it is read again, from where the commits are (rule A9).
  const bool read_again = of_inbox && (unconfirmed_ < tries_per_batch || batch_->messages() > 1);
  if (read_again || batch_->messages() > 1) {
    if (unconfirmed_ >= tries_per_batch) batch_max_ = std::max<std::size_t>(1, batch_->messages() / 2);
    batch_->undo(frames_);
  } else {
    batch_->fail(frames_, {result_kind::busy, reason_code::store_down, "the store did not confirm the commit"});
  }
  if (unconfirmed_ >= tries_per_batch) unconfirmed_ = 0;
  batch_.reset();
  fields_.reset();
  if (read_again) {
    forget_inbox();
    inbox_.start(confirmed_.inbox, now);
  }
  answer_finished(out, now);
}

void shard::commit_done(shard_effects& out, instant now) {
  claim_.on_confirmed();
  unconfirmed_ = 0;
  batch_max_ = std::min(limits::batch_messages_max, 2 * batch_max_);
  metrics_.commits.add();
  metrics_.committed_messages.add(batch_->messages());
  metrics_.commit_latency.observe(in_seconds(now.steady - commit_sent_));
  metrics_.dead_letters_added.add(books_.letters.added());
  books_.suspects.handled();
  confirmed_ = batch_->confirm(metrics_, now);
  tell(shard_effects::event::buried, batch_->buried(), buried_told_, out, now);
  tell(shard_effects::event::refused, batch_->refused(), refused_told_, out, now);
  highest_seq_ = std::max(highest_seq_, confirmed_.seq);
  carry_out(relay_.added(books_.sends, batch_->receivers(), now), out);
  for (; discards_under_way_ > 0; --discards_under_way_) {
    entity_answer a;
    a.kind = entity_answer::status::found;
    finish_letter(discards_.front().from, discards_.front().number, std::move(a), out);
    discards_.pop_front();
  }
  batch_.reset();
  fields_.reset();
  answer_finished(out, now);
  trim(out);
  show_books();
  carry_out(claim_.on_idle(now), out, now);
}

void shard::commit_failed(const shard_answer& a, shard_effects& out, instant now) {
  if (a.outcome == store_outcome::refused) {
    // An error reply to the write itself: certainly not applied, and the token is as good as before.
    claim_.on_confirmed();
    unconfirmed_ = 0;
    metrics_.commits_refused.add();
    books_.suspects.handled();
    auto code = a.error == store_error::oom ? reason_code::store_full : reason_code::store_down;
    batch_->fail(frames_, {result_kind::busy, code, "the store refused the commit: " + a.text});
    for (const auto& d : std::exchange(discards_, {})) {
      entity_answer no;
      no.reason = "the store refused the commit: " + a.text;
      finish_letter(d.from, d.number, std::move(no), out);
    }
    discards_under_way_ = 0;
    batch_.reset();
    fields_.reset();
    answer_finished(out, now);
    carry_out(claim_.on_idle(now), out, now);
    return;
  }
  metrics_.commits_unknown.add();
  ++unconfirmed_;
  doubt(out, "commit: " + a.text, now);
}

/// Answers frames that are finished and do not depend on the commit under way.
void shard::answer_finished(shard_effects& out, instant now) {
  auto fixed = batch_ ? batch_->frames() : 0;
  for (auto i = fixed; i < frames_.size();) {
    auto& f = frames_[i];
    const bool to_be_proven =
        f.contents.of && (f.proven == queued_frame::proof::wanted || f.proven == queued_frame::proof::asked);
    if (!f.finished() || to_be_proven) {
      ++i;
      continue;
    }
    auto waited = in_seconds(now.steady - f.arrived);
    if (!f.timers.empty()) metrics_.timers_fired.add(fired_of(f));
    if (f.contents.of) {
      metrics_.sequenced_messages.add(resolved_of(f));
      if (f.proven != queued_frame::proof::by_commit && !f.results.empty()) metrics_.sequence_mismatches.add();
    }
    for (std::size_t m = 0; m < f.results.size(); ++m) {
      // Early messages are counted apart: they are no trouble of ours, and come again.
      if (f.types[m] == unknown_type || f.results[m].code == reason_code::early) continue;
      auto& counters = metrics_.messages[f.types[m]];
      counters.outcomes[static_cast<std::size_t>(outcome_of(f.results[m].kind))].add();
      if (f.results[m].kind == result_kind::applied) counters.latency.observe(waited);
    }
    if (f.letter) {
      entity_answer a;
      const auto& r = f.results.front();
      if (resolved(r.kind)) a.kind = entity_answer::status::found;
      a.reason = r.reason;
      finish_letter(f.from, f.asked_as, std::move(a), out);
    } else if (!f.inbox.empty()) {
      const auto taken = resolved_of(f);
      metrics_.inbox_entries.add(taken);
      if (const auto watch = inbox_.on_taken(confirmed_.inbox, taken == f.results.size(), now)) out.watch_inbox = watch;
      metrics_.inbox_lag_ms.set(static_cast<std::uint64_t>(inbox_.lag(now).count()));
    } else if (f.held) {
      held_.returned(f.types.front(), f.contents.messages.front()->key);
    } else if (f.timers.empty()) {
      frame_answer a{id_, f.contents.number, claim_.view_of_placement(), std::move(f.results), {}, {}};
      if (f.contents.of) {
        a.source = f.contents.of->source;
        if (f.proven != queued_frame::proof::withheld)
          a.mark = std::make_shared<const mark_report>(
              mark_report{books_.marks.confirmed(f.contents.of->source), word_of(claim_.token())});
      }
      out.answers.push_back({f.from, std::move(a)});
    } else {
      for (std::size_t m = 0; m < f.results.size(); ++m)
        if (!resolved(f.results[m].kind)) books_.timers.postpone(f.timers[m], now.wall + policy_.timer_retry.count());
    }
    frames_.erase(frames_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

// Housekeeping -----------------------------------------------------------------------------------------------------

shard_effects shard::tick(instant now) {
  shard_effects out;
  while (connection_ != 0 && !sweeps_.empty() && sweeps_.front().first <= now.steady) {
    // The answer does not matter: a sweep that did not happen is repeated after the next claim.
    (void)ask(out, sweep_token{std::move(sweeps_.front().second)});
    sweeps_.erase(sweeps_.begin());
  }
  if (connection_ == 0) sweeps_.clear();
  if (now.steady >= next_passivation_) {
    next_passivation_ = now.steady + policy_.passivate_after / 4;
    if (!batch_ && entities_ticket_ == 0 && reads_ticket_ == 0 && mark_ticket_ == 0) {
      residents_.passivate(now.steady - policy_.passivate_after, policy_.resident_max);
      metrics_.entities.set(residents_.size());
    }
  }
  if (memory_ == memory::ready) carry_out(relay_.tick(books_.sends, now), out);
  carry_out(claim_.tick(now), out, now);
  show_books();
  return out;
}

}  // namespace pawl
