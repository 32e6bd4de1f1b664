#include "cluster/membership.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace pawl {

using kind = membership::request::kind;

std::string_view to_string(membership::state s) noexcept {
  switch (s) {
  case membership::state::reading:
  case membership::state::observing:
  case membership::state::joining:
  case membership::state::settling: return "joining";
  case membership::state::up: return "up";
  case membership::state::draining: return "draining";
  case membership::state::evicted: return "evicted";
  case membership::state::left: return "left";
  case membership::state::refused: return "refused";
  }
  return "joining";
}

membership::membership(std::string node, membership_policy policy) : node_(std::move(node)), policy_(policy) {}

void membership::ask(effects& out, request r) { out.requests.push_back(std::move(r)); }

bool membership::member_now() const noexcept {
  return state_ == state::settling || state_ == state::up || state_ == state::draining;
}

/// Each member is watched by those before it in the order of names, and by all that cannot reach it.
std::vector<std::string> membership::watched() const {
  std::vector<std::string> out;
  const auto& all = view_.members;
  auto next = std::find_if(all.begin(), all.end(), [this](const member& m) { return m.id > self_; });
  for (std::size_t i = 0; i < all.size() && out.size() < policy_.watched_max; ++i, ++next) {
    if (next == all.end()) next = all.begin();
    if (next->id != self_) out.push_back(next->id.node);
  }
  for (const auto& [id, s] : suspicions_)
    if (s.unreachable && std::find(out.begin(), out.end(), id.node) == out.end()) out.push_back(id.node);
  return out;
}

void membership::beat(effects& out, instant now) {
  if (!progressing_) return;
  beating_ = true;
  beat_again_ = false;
  overtaken_ = false;
  last_beat_ = now.steady;
  // After a rollback another view may have the number of the one known here.
  ask(out, {kind::beat, self_, 0, unsure_ ? view_number{} : view_.number, watched()});
}

void membership::start(effects& out, instant now) {
  state_ = state::reading;
  rival_.reset();
  wake_.reset();
  if (!progressing_) wake_ = now.steady;  // the first tick with progress goes on from here
  else if (connected_) ask(out, {kind::read, {}, 0, {}, {}});
}

membership::effects membership::on_progress(bool progressing, instant now) {
  effects out;
  if (std::exchange(progressing_, progressing) == progressing || !progressing) return out;
  // Others may have taken everything meanwhile; the beat tells.
  if (member_now() && connected_ && !beating_) beat(out, now);
  return out;
}

membership::effects membership::on_connection(bool up, instant now) {
  effects out;
  connected_ = up;
  beating_ = false;
  if (!up) return out;
  unsure_ = true;
  // Nobody is judged by a time during which nothing could be read.
  for (auto& [id, seen] : observed_) seen.since = now.steady;
  read_at_ = now.steady;
  publish_next_ = true;
  for (auto& [id, s] : suspicions_) s.told = false;
  switch (state_) {
  case state::reading:
  case state::observing:
  case state::joining: start(out, now); break;
  case state::draining: ask(out, {kind::drain, self_, 0, {}, {}}); [[fallthrough]];
  case state::settling:
  case state::up:
    beat(out, now);
    tell_suspicions(out);
    break;
  case state::evicted:
  case state::left:
  case state::refused: break;
  }
  return out;
}

void membership::observe(const std::vector<member>& rows, instant now) {
  // A time during which this node did not read (the store answered nothing or errors, this process was frozen) says
  // nothing about the others: after it, all of them would look dead at the first glance.
  auto gap = now.steady - read_at_;
  bool blind = gap > std::max(2 * policy_.beat, policy_.lease / 4);
  read_at_ = now.steady;
  auto names = watched();
  std::map<member_id, observation> next;
  for (const auto& m : rows) {
    if (m.id == self_ || std::find(names.begin(), names.end(), m.id.node) == names.end()) continue;
    auto it = observed_.find(m.id);
    if (it == observed_.end() || it->second.beat != m.beat) next[m.id] = {m.beat, now.steady};
    else next[m.id] = {m.beat, blind ? it->second.since + gap : it->second.since};
  }
  observed_ = std::move(next);
}

void membership::judge(effects& out, instant now) {
  for (auto& [id, seen] : observed_) {
    auto s = suspicions_.find(id);
    bool refused = s != suspicions_.end() && s->second.unreachable && s->second.refused;
    if (now.steady - seen.since < (refused ? policy_.refused_lease : policy_.lease)) continue;
    // The store compares incarnation and beat: should it have beaten meanwhile, nothing happens.
    ask(out, {kind::evict, id, seen.beat, {}, {}});
    seen.since = now.steady;
  }
}

/// While a process seems to be gone, its beats are looked at more often: each look missed is time in which nobody
/// serves its shards.
std::chrono::milliseconds membership::pace() const {
  bool hurry = std::any_of(suspicions_.begin(), suspicions_.end(),
                           [](const auto& s) { return s.second.unreachable && s.second.refused; });
  return hurry ? policy_.beat / 4 : policy_.beat;
}

void membership::tell_suspicions(effects& out) {
  if (!connected_ || !member_now()) return;
  for (auto& [id, s] : suspicions_) {
    if (std::exchange(s.told, true)) continue;
    ask(out, {s.unreachable ? kind::accuse : kind::acquit, id, 0, {}, {}});
  }
}

/// A newer view, or the same confirmed.
void membership::use(view table, effects& out, instant now) {
  if (table.number != view_.number) {
    publish_next_ = true;
    // Of fewer members, an accusation that did not suffice may do so now.
    for (auto& [id, s] : suspicions_) s.told = s.told && !s.unreachable;
  }
  view_ = std::move(table);
  std::erase_if(suspicions_, [this](const auto& s) { return view_.find(s.first) == nullptr; });
  if (view_.find(self_) == nullptr && state_ != state::settling) return lose_row(out, now);
  settle_view(out);
}

void membership::settle_view(effects& out) {
  if (state_ != state::up && state_ != state::draining) return;
  if (std::exchange(publish_next_, false)) out.publish = true;
  // A record carries a younger view than the table has: the table's slot was rolled back (rule C23).
  if (wanted_ > view_.number) ask(out, {kind::raise, {}, 0, wanted_, {}});
}

void membership::end(effects& out) {
  state_ = state::left;
  confirmed_beat_.reset();
  out.left = true;
}

/// Nobody else has been a member for longer than the settle time: all nodes are just being started (rule C25).
bool membership::cold_start(const view& table) const {
  return std::all_of(table.members.begin(), table.members.end(), [this](const member& m) {
    return m.id == self_ || m.beat <= static_cast<std::uint64_t>(policy_.settle / policy_.beat);
  });
}

void membership::lose_row(effects& out, instant now) {
  out.evicted = true;
  confirmed_beat_.reset();
  if (draining_) return end(out);
  state_ = state::evicted;
  self_ = {};
  publish_next_ = true;
  suspicions_.clear();
  rejoin_ = std::min(policy_.rejoin_max, rejoin_.count() == 0 ? policy_.rejoin : 2 * rejoin_);
  wake_ = now.steady + rejoin_;
}

membership::effects membership::on_table(kind answered, view table, std::optional<member_id> joined, instant now) {
  effects out;
  if (answered == kind::beat) beating_ = false;
  switch (state_) {
  case state::reading:
    if (answered != kind::read) break;
    if (const auto* rival = table.find_node(node_)) {
      rival_ = *rival;
      state_ = state::observing;
      wake_ = now.steady + 3 * policy_.beat;
    } else {
      state_ = state::joining;
      ask(out, {kind::join, {}, 0, {}, {}});
    }
    break;
  case state::observing: {
    if (answered != kind::read) break;
    const auto* rival = table.find_node(node_);
    if (rival == nullptr) {
      state_ = state::joining;
      ask(out, {kind::join, {}, 0, {}, {}});
    } else if (rival->id == rival_->id && rival->beat == rival_->beat) {
      state_ = state::joining;
      ask(out, {kind::join, rival->id, rival->beat, {}, {}});
    } else {
      state_ = state::refused;
      out.fatal = "node name '" + node_ + "' is in use by a running member (incarnation " +
                  std::to_string(rival->id.incarnation) + ", peers at " + rival->peer_address +
                  "): give this node another --node, or stop that one";
    }
    break;
  }
  case state::joining: {
    if (answered != kind::join || !joined) break;
    self_ = *joined;
    joined_at_ = now.steady;
    last_beat_ = now.steady;
    read_at_ = now.steady;
    observed_.clear();
    unsure_ = false;
    if (draining_) {  // it owns nothing yet, so it can go at once
      state_ = state::draining;
      return leave(now);
    }
    bool cold = cold_start(table);
    state_ = cold ? state::settling : state::up;
    if (cold) wake_ = now.steady + policy_.settle;
    auto rows = table.members;
    use(std::move(table), out, now);
    observe(rows, now);
    break;
  }
  case state::settling:
  case state::up:
  case state::draining: {
    if (answered != kind::beat) break;
    confirmed_beat_ = last_beat_;
    if (overtaken_ && table.number < view_.number) {  // going back would give shards away and take them again
      beat(out, now);
      break;
    }
    unsure_ = false;
    auto rows = table.members;
    use(std::move(table), out, now);
    if (!member_now()) break;
    observe(rows, now);
    judge(out, now);
    if (beat_again_) beat(out, now);
    break;
  }
  case state::evicted:
  case state::left:
  case state::refused: break;
  }
  return out;
}

membership::effects membership::on_beats(const std::vector<member>& rows, instant now) {
  effects out;
  beating_ = false;
  if (!member_now()) return out;
  confirmed_beat_ = last_beat_;
  observe(rows, now);
  settle_view(out);
  judge(out, now);
  if (beat_again_) beat(out, now);
  return out;
}

membership::effects membership::on_done(kind answered, instant) {
  effects out;
  if (answered == kind::leave && state_ == state::draining) end(out);
  return out;
}

membership::effects membership::on_change(view_number number, const std::string& node, std::optional<member> row,
                                          instant now) {
  effects out;
  // Of a majority that lost one old member and was thrown out by it one by one, all have to be back at the same time to
  // outvote it.
  if (state_ == state::evicted && row && row->state == member_state::up && node != node_) wake_ = now.steady;
  if (!member_now() || number <= view_.number) return out;
  if (unsure_ || node.empty() || number.value != view_.number.value + 1) {
    // Some are missing between, or what it is a change of is not what is known here: only the table tells.
    if (beating_) beat_again_ = true;
    else if (connected_) beat(out, now);
    return out;
  }
  overtaken_ = beating_;
  auto next = view_;
  next.number = number;
  std::erase_if(next.members, [&](const member& m) { return m.id.node == node; });
  if (row) {
    auto at = std::find_if(next.members.begin(), next.members.end(), [&](const member& m) { return m.id > row->id; });
    next.members.insert(at, std::move(*row));
  }
  use(std::move(next), out, now);
  return out;
}

membership::effects membership::on_fenced(kind answered, instant now) {
  effects out;
  switch (answered) {
  case kind::join:
    if (state_ != state::joining) break;
    if (draining_) end(out);
    else start(out, now);  // somebody took the name meanwhile: look again
    break;
  case kind::beat: beating_ = false; [[fallthrough]];
  case kind::drain:
  case kind::leave:
    if (member_now()) lose_row(out, now);
    break;
  case kind::evict:   // it has beaten after all, or is gone
  case kind::accuse:  // one of the two is gone: the next view tells which
  case kind::acquit:
  case kind::read:
  case kind::raise: break;
  }
  return out;
}

membership::effects membership::on_failed(kind answered, instant now) {
  effects out;
  if (answered == kind::beat) beating_ = false;
  if (answered == kind::accuse || answered == kind::acquit)
    for (auto& [id, s] : suspicions_) s.told = false;
  switch (state_) {
  case state::reading:
  case state::observing:
  case state::joining:
    if (draining_) {
      end(out);
      break;
    }
    // An unknown join may have made a row of ours; reading and observing again finds and replaces it.
    state_ = state::reading;
    wake_ = now.steady + policy_.beat;
    break;
  case state::draining:
    // Others evict the row; until then it is one that owns nothing.
    if (answered == kind::leave) end(out);
    break;
  case state::settling:
  case state::up:
  case state::evicted:
  case state::left:
  case state::refused: break;  // ticks repeat what matters
  }
  return out;
}

membership::effects membership::on_unreachable(const member_id& id, bool refused, instant) {
  effects out;
  if (!member_now() || id == self_ || view_.find(id) == nullptr) return out;
  auto& s = suspicions_[id];
  if (!s.unreachable) s = {};
  s.refused = refused;
  tell_suspicions(out);
  return out;
}

membership::effects membership::on_reached(const member_id& id, instant) {
  effects out;
  auto it = suspicions_.find(id);
  if (it == suspicions_.end() || !it->second.unreachable) return out;
  it->second = {false, false, false};
  tell_suspicions(out);
  return out;
}

membership::effects membership::on_view_wanted(view_number at_least, instant now) {
  effects out;
  wanted_ = std::max(wanted_, at_least);
  publish_next_ = true;
  if (state_ != state::up && state_ != state::draining) return out;
  if (beating_) beat_again_ = true;  // its answer may be older than the reason to ask
  else if (connected_) beat(out, now);
  return out;
}

membership::effects membership::drain(instant) {
  effects out;
  draining_ = true;
  if (state_ == state::up || state_ == state::settling) {
    state_ = state::draining;
    if (connected_) ask(out, {kind::drain, self_, 0, {}, {}});
  } else if (state_ != state::draining && state_ != state::joining) {
    end(out);
  }
  return out;
}

membership::effects membership::leave(instant) {
  effects out;
  draining_ = true;
  if (state_ == state::joining) return out;  // there may be a row: the answer to the join tells which
  if (!member_now() || !connected_) {
    end(out);
    return out;
  }
  state_ = state::draining;
  ask(out, {kind::leave, self_, 0, {}, {}});
  return out;
}

membership::effects membership::tick(instant now) {
  effects out;
  if (progressing_ && wake_ && now.steady >= *wake_) {
    wake_.reset();
    switch (state_) {
    case state::reading:
    case state::evicted: start(out, now); break;
    case state::observing:
      if (connected_) ask(out, {kind::read, {}, 0, {}, {}});
      break;
    case state::settling:
      state_ = state::up;
      publish_next_ = true;
      last_beat_ = {};
      break;
    case state::joining:
    case state::up:
    case state::draining:
    case state::left:
    case state::refused: break;
    }
  }
  if (progressing_ && member_now() && connected_ && !beating_ && now.steady - last_beat_ >= pace()) {
    // A drain that was not answered is repeated with the beat: it is idempotent.
    const auto* row = view_.find(self_);
    if (state_ == state::draining && (row == nullptr || row->state != member_state::draining))
      ask(out, {kind::drain, self_, 0, {}, {}});
    beat(out, now);
    tell_suspicions(out);
  }
  // A member that stayed for a while was not thrown out by mistake in a loop; the next eviction starts afresh.
  if (state_ == state::up && now.steady - joined_at_ > 2 * policy_.rejoin_max) rejoin_ = {};
  return out;
}

}  // namespace pawl
