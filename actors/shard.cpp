#include "actors/shard.hpp"

#include "cluster/invariant.hpp"

#include <algorithm>
#include <utility>

namespace pawl {
namespace {

constexpr std::size_t fields_per_trim = 256;
constexpr std::size_t sweeps_max = 64;
constexpr std::size_t timers_per_frame = 256;
// The clock may be set: at least this often it is looked at again.
constexpr std::chrono::milliseconds clock_looked_at{10'000};
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

}  // namespace

shard::shard(shard_id id, shard_policy policy, dataset_id dataset, const entity_catalog& catalog,
             shard_metrics& metrics, std::function<fencing_token()> mint)
    : id_(id),
      policy_(policy),
      dataset_(dataset),
      catalog_(catalog),
      metrics_(metrics),
      claim_(id, policy.claim, std::move(mint)),
      books_(id, catalog.shards),
      relay_(id, policy.relay) {
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
  // Only if something could be done about it then: else whatever is waited for brings the next input.
  if (claim_.current() == shard_claim::state::held && memory_ == memory::ready && !batch_ && entities_ticket_ == 0) {
    if (next_timer_) earlier(std::max(*next_timer_, timers_not_before_));
    if (books_.sends.trims()) earlier(last_commit_ + policy_.tidy_after);
  }
  return at;
}

std::uint64_t shard::ask(shard_effects& out, shard_operation op) {
  out.commands.push_back({id_, ++last_ticket_, connection_, std::move(op)});
  return last_ticket_;
}

// Claim ------------------------------------------------------------------------------------------------------------

shard_effects shard::on_placement(std::shared_ptr<const placement> p, const member_id& self, instant now) {
  shard_effects out;
  carry_out(claim_.on_placement(std::move(p), self, idle(), now), out, now);
  return out;
}

shard_effects shard::on_evicted(instant now) {
  shard_effects out;
  carry_out(claim_.on_evicted(idle(), now), out, now);
  return out;
}

shard_effects shard::on_connection(std::uint64_t number, instant now) {
  shard_effects out;
  connection_ = number;
  // Whatever was asked on the former connection is not listened to any more; its commit, if any, is in doubt.
  claim_ticket_ = groups_ticket_ = entities_ticket_ = commit_ticket_ = reads_ticket_ = trim_ticket_ = 0;
  unask();
  carry_out(claim_.on_connection(number != 0, now), out, now);
  return out;
}

shard_effects shard::on_release_notice(instant now) {
  shard_effects out;
  carry_out(claim_.on_release_notice(now), out, now);
  return out;
}

void shard::carry_out(shard_claim::request r, shard_effects& out, instant now) {
  using kind = shard_claim::request::kind;
  switch (r.what) {
  case kind::none: break;
  case kind::read: claim_ticket_ = ask(out, read_record{}); break;
  case kind::claim:
    claim_ticket_ =
        ask(out, claim_shard{std::move(r.held), std::move(r.fresh), claim_.self(), claim_.view_of_placement()});
    break;
  case kind::release: claim_ticket_ = ask(out, release_shard{std::move(r.held)}); break;
  }
  settle(out, now);
}

/// Brings everything else in line with what the claim has become.
void shard::settle(shard_effects& out, instant now) {
  if (!claim_.memory_valid()) drop_memory(out, now);
  if (!claim_.mine()) {
    refuse_waiting(out, {result_kind::busy, reason_code::moved, "another member owns the shard"}, now);
  }
  if (claim_.needs_view() && claim_.mine()) {
    out.refresh_view = true;
    out.seen_view = claim_.seen();
  }
  metrics_.owned.set(claim_.may_commit() && memory_ == memory::ready ? 1 : 0);
  show_books();
  pump(out, now);
}

/// For those who watch: what waits in the books.
void shard::show_books() {
  metrics_.outbox_messages.set(books_.sends.waiting());
  metrics_.outbox_stopped.set(relay_.stopped());
  metrics_.timers.set(books_.timers.size());
  metrics_.dead_letters.set(books_.letters.size());
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
  }
  return out;
}

void shard::granted(claim_answer a, shard_effects& out, instant now) {
  auto stored = decode_frontier(a.frontier);
  if (!stored) return stop(out, "the frontier of the shard cannot be decoded", now);
  if (stored->dataset != dataset_) return stop(out, "the shard belongs to another dataset", now);
  bool keep = claim_.memory_valid() && memory_ == memory::ready;
  auto next = claim_.on_granted(now);
  metrics_.claims.add();
  note_dead_tokens(now);
  if (!a.former_run_id.empty() && a.store_run_id != a.former_run_id)
    out.notes.push_back({shard_effects::event::other_server, a.store_run_id});
  if (next.what != shard_claim::request::kind::none) return carry_out(std::move(next), out, now);

  if (!keep) {
    if (stored->seq < highest_seq_)
      out.notes.push_back({shard_effects::event::rolled_back, "commit " + std::to_string(highest_seq_) +
                                                                  " was confirmed here, the store has " +
                                                                  std::to_string(stored->seq)});
    drop_memory(out, now);
    confirmed_ = std::move(*stored);
    return load_groups(out, now);
  }
  // The record still held a token of ours: nobody wrote in between, and memory is right but for the commit in doubt.
  out.notes.push_back({shard_effects::event::kept, {}});
  if (batch_ && stored->seq == confirmed_.seq + 1 && a.frontier == (*fields_)[0].second) return commit_done(out, now);
  if (stored->seq != confirmed_.seq)
    return stop(out,
                "the store was rolled back: commit " + std::to_string(confirmed_.seq) +
                    " was confirmed, the store has " + std::to_string(stored->seq) +
                    "; restart this node to go on from there",
                now);
  if (batch_) commit_again(out, now);
  settle(out, now);
}

void shard::note_dead_tokens(instant now) {
  auto add = [&](steady_time at, const fencing_token& t) {
    if (sweeps_.size() < sweeps_max) sweeps_.emplace_back(at, t);
  };
  for (const auto& t : record_.dead) add(now.steady, t);
  // A command of the former owner may still be on its way and make the name again (rule C26).
  add(now.steady + policy_.first_sweep, record_.token);
  add(now.steady + policy_.second_sweep, record_.token);
  std::stable_sort(sweeps_.begin(), sweeps_.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
}

void shard::stop(shard_effects& out, const std::string& why, instant now) {
  out.notes.push_back({shard_effects::event::lost, why});
  (void)claim_.on_lost();
  drop_memory(out, now);
  refuse_waiting(out, {result_kind::busy, reason_code::no_owner, "the shard is stopped: " + why}, now);
  metrics_.owned.set(0);
}

void shard::doubt(shard_effects& out, const std::string& why, instant now) {
  out.notes.push_back({shard_effects::event::doubt, why});
  groups_ticket_ = entities_ticket_ = reads_ticket_ = trim_ticket_ = 0;
  unask();
  carry_out(claim_.on_doubt(now), out, now);
}

/// No answer will come to what was asked of the store for these.
void shard::unask() {
  for (auto& r : reads_) r.asked = false;
  for (auto& f : frames_)
    if (f.proven == queued_frame::proof::asked) f.proven = queued_frame::proof::wanted;
  if (relay_proof_ == proof::asked) relay_proof_ = proof::wanted;
}

void shard::drop_memory(shard_effects& out, instant now) {
  if (batch_) {
    // Somebody else may have applied it, or nobody: only a retry with the same ids finds out (rule A8).
    batch_->fail(frames_, {result_kind::unknown, reason_code::moved, "the shard moved while the commit was under way"});
    batch_.reset();
    fields_.reset();
    commit_ticket_ = 0;
    unconfirmed_ = 0;
  }
  memory_ = memory::none;
  residents_.clear();
  metrics_.entities.set(0);
  groups_ticket_ = entities_ticket_ = reads_ticket_ = trim_ticket_ = 0;
  unask();
  (void)books_.reset({});
  relay_.stop();
  relay_proof_ = proof::none;
  room_.loaded_replies.clear();
  room_.wanted_replies.clear();
  room_.erased.clear();
  next_timer_.reset();
  // Due timers are taken from what is stored, whoever owns the shard then.
  // So are letters that are replayed.
  for (const auto& f : frames_)
    if (f.letter) finish_letter(f.from, f.asked_as, {}, out);
  for (const auto& d : std::exchange(discards_, {})) finish_letter(d.from, d.number, {}, out);
  discards_under_way_ = 0;
  std::erase_if(frames_, [](const queued_frame& f) { return !f.has_sender(); });
  for (auto& f : frames_)
    if (f.finished()) f.proven = queued_frame::proof::withheld;
  answer_finished(out, now);
}

// Messages ---------------------------------------------------------------------------------------------------------

shard_effects shard::on_frame(link_number from, frame f, instant now) {
  shard_effects out;
  if (f.messages.empty() && !f.of) return out;
  // A copy of an earlier frame of this link that has not begun is given up by its lane: the new one holds what matters.
  auto first = frames_.begin() + static_cast<std::ptrdiff_t>(batch_ ? batch_->frames() : 0);
  frames_.erase(std::remove_if(first, frames_.end(),
                               [from, &f](const queued_frame& q) {
                                 if (q.from != from || !q.results.empty() || !q.has_sender()) return false;
                                 const auto& of = q.contents.of;
                                 return f.of && of ? of->source == f.of->source : !f.of && !of;
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
  frames_.erase(
      std::remove_if(first, frames_.end(),
                     [link](const queued_frame& q) { return q.from == link && q.results.empty() && q.timers.empty(); }),
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
  unask();
  answer_finished(out, now);
}

void shard::pump(shard_effects& out, instant now) {
  if (claim_.current() != shard_claim::state::held || memory_ != memory::ready) return;
  add_due_timers(now);
  while (!batch_ && entities_ticket_ == 0 && (unfinished() || untidy(now))) {
    if (load_missing(out)) break;
    run_batch(out, now);
  }
  ask_reads(out);
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

/// Timers become messages to their entities, those that were due first first. One frame of them at a time.
void shard::add_due_timers(instant now) {
  if (now.steady < timers_not_before_) return;
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
           .sent_at = t->due});
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

void shard::run_batch(shard_effects& out, instant now) {
  for (auto sizing : {batch::sizing::at_the_end, batch::sizing::exact}) {
    batch_.emplace(catalog_, residents_, processed_, books_, room_, word_of(claim_.token()), sizing, batch_max_);
    discard_letters();
    for (std::size_t i = 0; i < frames_.size(); ++i)
      while (!frames_[i].finished() && batch_->run(frames_[i], i, now)) {
      }
    if (!batch_->writes() && !untidy(now)) {
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
  if (unconfirmed_ < tries_per_batch) return send_commit(out, now);
  unconfirmed_ = 0;
  if (batch_->messages() > 1) {
    batch_max_ = batch_->messages() / 2;
    batch_->undo(frames_);
  } else {
    batch_->fail(frames_, {result_kind::busy, reason_code::store_down, "the store did not confirm the commit"});
  }
  batch_.reset();
  fields_.reset();
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
  confirmed_ = batch_->confirm(metrics_, now);
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
    if (!f.timers.empty()) metrics_.timers_fired.add(f.results.size());
    if (f.contents.of) {
      const auto taken =
          std::count_if(f.results.begin(), f.results.end(), [](const message_result& r) { return resolved(r.kind); });
      metrics_.sequenced_messages.add(static_cast<std::uint64_t>(taken));
      if (f.proven != queued_frame::proof::by_commit && !f.results.empty()) metrics_.sequence_mismatches.add();
    }
    for (std::size_t m = 0; m < f.results.size(); ++m) {
      if (f.types[m] == unknown_type) continue;
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
    } else if (f.timers.empty()) {
      frame_answer a{id_, f.contents.number, claim_.view_of_placement(), std::move(f.results), {}, {}};
      if (f.contents.of) {
        a.source = f.contents.of->source;
        if (f.proven != queued_frame::proof::withheld)
          a.mark = std::make_shared<const mark_report>(
              mark_report{books_.marks.confirmed(f.contents.of->source), word_of(claim_.token())});
      }
      out.answers.push_back({f.from, std::move(a)});
    } else if (std::any_of(f.results.begin(), f.results.end(),
                           [](const message_result& r) { return !resolved(r.kind); })) {
      timers_not_before_ = now.steady + policy_.timer_retry;
    }
    frames_.erase(frames_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

// Relay ------------------------------------------------------------------------------------------------------------

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

// Housekeeping -----------------------------------------------------------------------------------------------------

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
    if (!batch_ && entities_ticket_ == 0 && reads_ticket_ == 0) {
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
