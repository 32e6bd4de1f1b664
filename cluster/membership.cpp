#include "cluster/membership.hpp"

#include <algorithm>
#include <string_view>

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

void membership::ask(effects& out, request r) {
  if (r.what == kind::beat) beating_ = true;
  out.requests.push_back(std::move(r));
}

void membership::start(effects& out) {
  state_ = state::reading;
  rival_.reset();
  wake_.reset();
  if (connected_) ask(out, {kind::read, {}, 0, {}});
}

membership::effects membership::on_connection(bool up, instant now) {
  effects out;
  connected_ = up;
  beating_ = false;
  if (!up) return out;
  // Nobody is judged by a time during which the table could not be read.
  for (auto& [id, seen] : observed_) seen.since = now.steady;
  read_at_ = now.steady;
  publish_next_ = true;
  switch (state_) {
  case state::reading:
  case state::observing:
  case state::joining: start(out); break;
  case state::settling:
  case state::up: ask(out, {kind::beat, self_, 0, {}}); break;
  case state::draining: ask(out, {kind::drain, self_, 0, {}}); break;
  case state::evicted:
  case state::left:
  case state::refused: break;
  }
  return out;
}

void membership::observe(const view& table, instant now) {
  // A time during which this node did not read (the store answered nothing or errors, this process was frozen) says
  // nothing about the others: after it, all of them would look dead at the first glance.
  auto gap = now.steady - read_at_;
  bool watched = gap <= std::max(2 * policy_.beat, policy_.lease / 4);
  read_at_ = now.steady;
  std::map<member_id, observation> next;
  for (const auto& m : table.members) {
    if (m.id == self_) continue;
    auto it = observed_.find(m.id);
    if (it == observed_.end()) next[m.id] = {m.beat, now.steady, false};
    else if (it->second.beat != m.beat) next[m.id] = {m.beat, now.steady, it->second.refused};
    else next[m.id] = {m.beat, watched ? it->second.since : it->second.since + gap, it->second.refused};
  }
  observed_ = std::move(next);
}

void membership::judge(effects& out, instant now) {
  if (state_ != state::up && state_ != state::draining && state_ != state::settling) return;
  for (auto& [id, seen] : observed_) {
    auto bound = seen.refused ? policy_.refused_lease : policy_.lease;
    if (now.steady - seen.since < bound) continue;
    // The store compares incarnation and beat: should it have beaten meanwhile, nothing happens.
    ask(out, {kind::evict, id, seen.beat, {}});
    seen.since = now.steady;
  }
}

void membership::use(view table, effects& out, instant now) {
  observe(table, now);
  bool changed = table.number != view_.number;
  view_ = std::move(table);
  if (state_ != state::up && state_ != state::draining) return;
  if (view_.find(self_) == nullptr) {
    lose_row(out, now);
    return;
  }
  if (changed || publish_next_) out.publish = true;
  publish_next_ = false;
  // A record carries a younger view than the table has: the table's slot was rolled back (rule C23).
  if (wanted_ > view_.number) ask(out, {kind::raise, {}, 0, wanted_});
}

void membership::end(effects& out) {
  state_ = state::left;
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
  if (draining_) return end(out);
  state_ = state::evicted;
  self_ = {};
  publish_next_ = true;
  rejoin_ = std::min(policy_.rejoin_max, rejoin_.count() == 0 ? policy_.rejoin : 2 * rejoin_);
  wake_ = now.steady + rejoin_;
}

membership::effects membership::on_table(kind answered, view table, std::optional<member_id> joined, instant now) {
  effects out;
  if (answered == kind::beat) beating_ = false;
  switch (state_) {
  case state::reading: {
    if (answered != kind::read) break;
    const auto* rival = table.find_node(node_);
    observe(table, now);
    if (rival == nullptr) {
      state_ = state::joining;
      ask(out, {kind::join, {}, 0, {}});
      break;
    }
    rival_ = rival->id;
    state_ = state::observing;
    wake_ = now.steady + 3 * policy_.beat;
    break;
  }
  case state::observing: {
    if (answered != kind::read) break;
    auto before = observed_.find(*rival_);
    auto beat = before == observed_.end() ? 0 : before->second.beat;
    observe(table, now);
    const auto* rival = table.find_node(node_);
    if (rival == nullptr) {
      state_ = state::joining;
      ask(out, {kind::join, {}, 0, {}});
    } else if (rival->id == *rival_ && rival->beat == beat) {
      state_ = state::joining;
      ask(out, {kind::join, rival->id, rival->beat, {}});
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
    if (draining_) {  // it owns nothing yet, so it can go at once
      state_ = state::draining;
      return leave(now);
    }
    bool cold = cold_start(table);
    state_ = cold ? state::settling : state::up;
    if (cold) wake_ = now.steady + policy_.settle;
    use(std::move(table), out, now);
    break;
  }
  case state::settling:
  case state::up:
  case state::draining:
    if (answered == kind::leave) {
      end(out);
      break;
    }
    use(std::move(table), out, now);
    judge(out, now);
    break;
  case state::evicted:
  case state::left:
  case state::refused: break;
  }
  return out;
}

membership::effects membership::on_fenced(kind answered, view table, instant now) {
  effects out;
  switch (answered) {
  case kind::join:
    if (state_ != state::joining) break;
    if (draining_) end(out);
    else start(out);  // somebody took the name meanwhile: look again
    break;
  case kind::beat: beating_ = false; [[fallthrough]];
  case kind::drain:
  case kind::leave:
    if (state_ == state::up || state_ == state::settling || state_ == state::draining) lose_row(out, now);
    break;
  case kind::evict:  // it has beaten after all
  case kind::read:
  case kind::raise: return on_table(answered, std::move(table), std::nullopt, now);
  }
  return out;
}

membership::effects membership::on_failed(kind answered, instant now) {
  effects out;
  if (answered == kind::beat) beating_ = false;
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

void membership::on_refused(const member_id& id, instant) {
  if (auto it = observed_.find(id); it != observed_.end()) it->second.refused = true;
}

void membership::on_reached(const member_id& id) {
  if (auto it = observed_.find(id); it != observed_.end()) it->second.refused = false;
}

membership::effects membership::on_view_wanted(view_number at_least, instant) {
  effects out;
  wanted_ = std::max(wanted_, at_least);
  publish_next_ = true;
  if (connected_ && !beating_ && (state_ == state::up || state_ == state::draining))
    ask(out, {kind::beat, self_, 0, {}});
  return out;
}

membership::effects membership::drain(instant) {
  effects out;
  draining_ = true;
  if (state_ == state::up || state_ == state::settling) {
    state_ = state::draining;
    if (connected_) ask(out, {kind::drain, self_, 0, {}});
  } else if (state_ != state::draining && state_ != state::joining) {
    end(out);
  }
  return out;
}

membership::effects membership::leave(instant) {
  effects out;
  draining_ = true;
  if (state_ == state::joining) return out;  // there may be a row: the answer to the join tells which
  bool member = state_ == state::settling || state_ == state::up || state_ == state::draining;
  if (!member || !connected_) {
    end(out);
    return out;
  }
  state_ = state::draining;
  ask(out, {kind::leave, self_, 0, {}});
  return out;
}

membership::effects membership::tick(instant now) {
  effects out;
  if (wake_ && now.steady >= *wake_) {
    wake_.reset();
    switch (state_) {
    case state::reading:
    case state::evicted: start(out); break;
    case state::observing:
      if (connected_) ask(out, {kind::read, {}, 0, {}});
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
  bool member = state_ == state::up || state_ == state::draining || state_ == state::settling;
  if (member && connected_ && !beating_ && now.steady - last_beat_ >= policy_.beat) {
    last_beat_ = now.steady;
    // A drain that was not answered is repeated with the beat: both are idempotent.
    bool told = view_.find(self_) != nullptr && view_.find(self_)->state == member_state::draining;
    ask(out, {state_ == state::draining && !told ? kind::drain : kind::beat, self_, 0, {}});
  }
  // A member that stayed for a while was not thrown out by mistake in a loop; the next eviction starts afresh.
  if (state_ == state::up && now.steady - joined_at_ > 2 * policy_.rejoin_max) rejoin_ = {};
  return out;
}

}  // namespace pawl
