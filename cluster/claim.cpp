#include "cluster/claim.hpp"

#include "cluster/invariant.hpp"

#include <algorithm>
#include <utility>

namespace pawl {
namespace {

// Each unknown claim may leave one more of our own tokens in the record. Beyond this many in a row, memory is not worth
// the bookkeeping: it is dropped and loaded again.
constexpr std::size_t own_tokens_max = 16;
constexpr std::chrono::milliseconds pause_max{1'000};

}  // namespace

std::string_view to_string(shard_claim::state s) noexcept {
  switch (s) {
  case shard_claim::state::unclaimed: return "unclaimed";
  case shard_claim::state::reading: return "reading";
  case shard_claim::state::waiting: return "waiting";
  case shard_claim::state::claiming: return "claiming";
  case shard_claim::state::held: return "held";
  case shard_claim::state::draining: return "draining";
  case shard_claim::state::releasing: return "releasing";
  case shard_claim::state::lost: return "lost";
  }
  return "unclaimed";
}

shard_claim::shard_claim(shard_id shard, claim_policy policy, std::function<fencing_token()> mint)
    : shard_(shard), policy_(policy), mint_(std::move(mint)) {}

bool shard_claim::is_own(const fencing_token& t) const {
  return std::find(own_tokens_.begin(), own_tokens_.end(), t) != own_tokens_.end();
}

bool shard_claim::live_elsewhere(const record& r) const {
  return !r.released && !r.owner.empty() && r.owner != self_ && placement_ && placement_->members().find(r.owner);
}

shard_claim::request shard_claim::read() {
  PAWL_INVARIANT(!asked_, "one request of a claim at a time");
  state_ = state::reading;
  asked_ = true;
  noticed_ = false;
  wake_.reset();
  return {request::kind::read, {}, {}};
}

/// From `unclaimed`: a read is useful if the shard is ours to claim, or if it is not known what the record says of us.
shard_claim::request shard_claim::read_if_useful() {
  state_ = state::unclaimed;
  wake_.reset();
  if (!connected_) return {};
  if (!own_tokens_.empty() || named_ || (mine_ && !needs_view_)) return read();
  return {};
}

shard_claim::request shard_claim::read_later(std::chrono::milliseconds pause, instant now) {
  state_ = state::waiting;
  wake_ = now.steady + pause;
  return {};
}

shard_claim::request shard_claim::stop_trying() {
  own_tokens_.clear();
  state_ = state::unclaimed;
  wake_.reset();
  return {};
}

shard_claim::request shard_claim::release(fencing_token held) {
  PAWL_INVARIANT(!asked_, "one request of a claim at a time");
  // After a release is sent nothing is committed under its token any more, so memory has no further use.
  own_tokens_.clear();
  token_ = {};
  named_ = true;
  state_ = state::releasing;
  asked_ = true;
  wake_.reset();
  return {request::kind::release, std::move(held), {}};
}

shard_claim::request shard_claim::reassigned(bool mine, bool idle, instant now) {
  if (mine && !mine_) mine_since_ = interrupted_since_ = now.steady;
  mine_ = mine;
  switch (state_) {
  case state::unclaimed: return read_if_useful();
  case state::waiting: return read_if_useful();  // the owner waited for may be gone from this view
  case state::held:
    if (mine_) return {};
    state_ = state::draining;
    return idle ? release(token_) : request{};
  case state::draining:
    // Taken back before it was given away. What was refused meanwhile stays refused (rule C29).
    if (mine_) state_ = state::held;
    return !mine_ && idle ? release(token_) : request{};
  case state::reading:
  case state::claiming:
  case state::releasing:  // the answer under way decides with the new placement
  case state::lost: return {};
  }
  return {};
}

shard_claim::request shard_claim::on_placement(std::shared_ptr<const placement> p, const member_id& self, bool idle,
                                               instant now) {
  self_ = self;
  bool mine = p->owned_by(shard_, self_);
  placement_ = std::move(p);
  needs_view_ = false;
  return reassigned(mine, idle, now);
}

shard_claim::request shard_claim::on_evicted(bool idle, instant now) {
  placement_.reset();
  needs_view_ = true;
  return reassigned(false, idle, now);
}

shard_claim::request shard_claim::on_connection(bool up, instant) {
  connected_ = up;
  if (state_ == state::lost) return {};
  // A request that reached the store's thread after the connection broke is answered later, as unavailable; the shard
  // no longer listens for it. Should it have been a claim, its token may stand in the record all the same.
  if (asked_) note_unknown_claim();
  asked_ = false;
  // Whatever was held is in doubt now: commands sent on the old connection may still run (rule A5).
  token_ = {};
  if (!up) needs_view_ = true;
  return read_if_useful();
}

shard_claim::request shard_claim::on_record(const record& r, instant now) {
  PAWL_INVARIANT(state_ == state::reading && asked_, "a record was read without asking");
  asked_ = false;
  seen_ = std::max(seen_, r.view);
  named_ = r.owner == self_ && !r.released;
  if (!mine_) return named_ || is_own(r.token) ? release(r.token) : stop_trying();
  if (!is_own(r.token)) own_tokens_.clear();
  // With our own token in the record nobody claimed in between, and taking the shard on cannot start a ping-pong.
  bool stale_view = needs_view_ || !placement_ || r.view > placement_->number();
  if (stale_view && own_tokens_.empty()) {
    needs_view_ = true;
    state_ = state::unclaimed;
    return {};
  }
  if (live_elsewhere(r) && now.steady < mine_since_ + policy_.handoff) {
    interrupted_since_ = now.steady;
    return noticed_ ? read() : read_later(policy_.poll, now);  // what was read may be older than the notice
  }
  state_ = state::claiming;
  asked_ = true;
  replaced_ = r.token;
  fresh_ = mint_();
  return {request::kind::claim, replaced_, fresh_};
}

shard_claim::request shard_claim::on_granted(instant) {
  PAWL_INVARIANT(state_ == state::claiming && asked_, "a claim was granted without asking");
  asked_ = false;
  pause_ = {};
  if (!mine_) return release(fresh_);
  state_ = state::held;
  token_ = fresh_;
  own_tokens_.assign(1, fresh_);
  return {};
}

shard_claim::request shard_claim::on_failed(instant now) {
  if (!asked_) return {};
  asked_ = false;
  if (!connected_) return read_if_useful();
  pause_ = std::min(pause_max, pause_.count() == 0 ? policy_.retry : 2 * pause_);
  return read_later(pause_, now);
}

shard_claim::request shard_claim::on_fenced(bool newer_view, instant now) {
  if (!asked_) return {};
  if (state_ == state::releasing) {
    // Somebody claimed over it: what we wanted has happened.
    return on_released(now);
  }
  if (newer_view) {
    asked_ = false;
    needs_view_ = true;
    // Our own memory may still be right; the next read, under a newer view, tells.
    state_ = state::unclaimed;
    return {};
  }
  return on_failed(now);
}

void shard_claim::note_unknown_claim() {
  if (state_ != state::claiming) return;
  named_ = true;
  if (!is_own(replaced_)) return;
  own_tokens_.push_back(fresh_);
  if (own_tokens_.size() > own_tokens_max) own_tokens_.clear();
}

shard_claim::request shard_claim::on_unknown(instant now) {
  note_unknown_claim();
  return on_failed(now);
}

shard_claim::request shard_claim::on_released(instant) {
  PAWL_INVARIANT(state_ == state::releasing && asked_, "a release was answered without asking");
  asked_ = false;
  pause_ = {};
  named_ = false;
  return read_if_useful();
}

shard_claim::request shard_claim::on_doubt(instant now) {
  if (state_ != state::held && state_ != state::draining) return {};
  token_ = {};
  needs_view_ = true;
  // A store that grants claims and then answers nothing else must not be claimed from at the speed of its answers.
  auto pause = doubt_pause_;
  doubt_pause_ = pause ? std::min(pause_max, 2 * *pause) : policy_.retry;
  return pause ? read_later(*pause, now) : read_if_useful();
}

shard_claim::request shard_claim::on_idle(instant) { return state_ == state::draining ? release(token_) : request{}; }

shard_claim::request shard_claim::on_lost() {
  asked_ = false;
  wake_.reset();
  own_tokens_.clear();
  token_ = {};
  state_ = state::lost;
  return {};
}

shard_claim::request shard_claim::on_release_notice(instant) {
  if (state_ == state::reading) noticed_ = true;
  return state_ == state::waiting ? read() : request{};
}

shard_claim::request shard_claim::tick(instant now) {
  if (!wake_ || now.steady < *wake_) return {};
  wake_.reset();
  return state_ == state::waiting ? read_if_useful() : request{};
}

}  // namespace pawl
