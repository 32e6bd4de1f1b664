// The half of `shard` that follows its claim: what it becomes when the shard is placed, claimed, in doubt, given away
// or lost, and what that means for memory and for those who wait.
#include "actors/shard.hpp"

#include <algorithm>
#include <utility>

namespace pawl {
namespace {

constexpr std::size_t sweeps_max = 64;

}  // namespace

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
  claim_ticket_ = groups_ticket_ = entities_ticket_ = commit_ticket_ = reads_ticket_ = trim_ticket_ = mark_ticket_ = 0;
  unask();
  forget_inbox();
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
  if (batch_ && stored->seq == confirmed_.seq + 1 && a.frontier == (*fields_)[0].second) {
    inbox_.start(stored->inbox, now);
    return commit_done(out, now);
  }
  if (stored->seq != confirmed_.seq)
    return stop(out,
                "the store was rolled back: commit " + std::to_string(confirmed_.seq) +
                    " was confirmed, the store has " + std::to_string(stored->seq) +
                    "; restart this node to go on from there",
                now);
  inbox_.start(confirmed_.inbox, now);
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
  groups_ticket_ = entities_ticket_ = reads_ticket_ = trim_ticket_ = mark_ticket_ = 0;
  unask();
  forget_inbox();
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
  if (memory_ == memory::ready) out.unwatch_inbox = true;
  out.watch_inbox.reset();
  memory_ = memory::none;
  forget_inbox();
  residents_.clear();
  metrics_.entities.set(0);
  groups_ticket_ = entities_ticket_ = reads_ticket_ = trim_ticket_ = mark_ticket_ = 0;
  unask();
  (void)books_.reset({});
  books_.suspects.stop();
  for (auto& f : frames_) f.marked = 0;
  held_.clear();
  relay_.stop();
  relay_proof_ = proof::none;
  room_.loaded_replies.clear();
  room_.wanted_replies.clear();
  room_.erased.clear();
  next_timer_.reset();
  // Due timers, and letters that are replayed, are taken from what is stored, whoever owns the shard then.
  for (const auto& f : frames_)
    if (f.letter) finish_letter(f.from, f.asked_as, {}, out);
  for (const auto& d : std::exchange(discards_, {})) finish_letter(d.from, d.number, {}, out);
  discards_under_way_ = 0;
  std::erase_if(frames_, [](const queued_frame& f) { return !f.has_sender(); });
  for (auto& f : frames_)
    if (f.finished()) f.proven = queued_frame::proof::withheld;
  answer_finished(out, now);
}

}  // namespace pawl
