// The part of the world that is about sequenced types: what is early is held, and follows or is passed as in a cluster.
#include "actors/testing/world.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace pawl::testing {

std::optional<message_result> cluster::world::judge_numbered(const parcel& p, const sequencing& how) {
  if (p.seq == 0)
    return message_result{result_kind::refused, reason_code::seq_missing,
                          "messages of '" + p.to.type +
                              "' take effect in the order of their numbers: give each its 'seq'"};
  const auto last = numbers_[p.to];
  const auto entity = "'" + p.to.type + "' '" + p.to.key + "'";
  if (p.seq > last + 1) {
    auto& early = held_[p.to];
    if (early.size() < how.hold) early.emplace(p.seq, early_message{p, now});
    return message_result{result_kind::busy, reason_code::early,
                          entity + " waits for number " + std::to_string(last + 1)};
  }
  auto known = recall(p);
  if (p.seq <= last) {
    if (known) return known;
    return message_result{result_kind::refused, reason_code::seq_passed,
                          entity + " is past number " + std::to_string(p.seq) + ", the last was " +
                              std::to_string(last) + ": it was skipped, or another message had it"};
  }
  auto result = known ? std::move(known) : take_new(p);
  if (!result || !resolved(result->kind)) return result;
  numbers_[p.to] = p.seq;
  follow(p.to);
  return result;
}

/// Its sender does not give it up.
void cluster::world::keep_early(const parcel& p) {
  held_[p.to].try_emplace(p.seq, early_message{p, now}).first->second.by_sender = true;
}

/// What was held for the number that the entity has come to is handled now.
void cluster::world::follow(const entity_id& e) {
  const auto waiting = held_.find(e);
  if (waiting == held_.end()) return;
  auto& early = waiting->second;
  early.erase(early.begin(), early.upper_bound(numbers_[e]));
  for (auto m = early.begin(); m != early.end() && m->first == numbers_[e] + 1; m = early.begin()) {
    const auto what = m->second.what;
    auto result = recall(what);
    if (!result) result = take_new(what);
    if (!result) return;  // a crash: only what its sender keeps is still there, and comes again
    early.erase(what.seq);
    if (!resolved(result->kind)) return bury(what, *result);
    numbers_[e] = what.seq;
  }
  if (early.empty()) held_.erase(waiting);
}

/// The owner of the shard is gone, and with it what it held.
void cluster::world::forget_held(shard_id s) {
  for (auto& [e, early] : held_)
    if (shard(e) == s) std::erase_if(early, [](const auto& m) { return !m.second.by_sender; });
}

std::size_t cluster::world::held(const entity_id& e) const {
  const auto waiting = held_.find(e);
  return waiting == held_.end() ? 0 : waiting->second.size();
}

/// When what is held for the entity is to be looked at. Nothing: its gap is waited for.
std::optional<unix_ms> cluster::world::passes_gap_at(const entity_id& e) const {
  const auto& early = held_.at(e);
  const auto& how = *type(e.type)->ids().by_number;
  if (early.empty()) return std::nullopt;
  auto since = early.begin()->second.since;
  for (const auto& [seq, m] : early) since = std::min(since, m.since);
  // A crash came between it and its turn: its sender is about to send it again.
  const auto last = numbers_.find(e);
  if (early.begin()->first == (last == numbers_.end() ? 0 : last->second) + 1) return since;
  if (how.on_gap == gap::wait) return std::nullopt;
  return since + how.gap_timeout.count();
}

void cluster::world::pass_gap(const entity_id& e) {
  auto& early = held_.at(e);
  const auto on_gap = type(e.type)->ids().by_number->on_gap;
  const auto from = numbers_[e] + 1, first = early.begin()->first;
  if (first == from) return follow(e);
  const auto missing = from == first - 1 ? "number " + std::to_string(from)
                                         : "numbers " + std::to_string(from) + " to " + std::to_string(first - 1);
  if (on_gap == gap::skip) {
    const parcel record{e, {}, {}, "gap/" + std::to_string(from) + "-" + std::to_string(first - 1), now, from, {}};
    bury(record, {result_kind::refused, reason_code::seq_gap, missing + " did not come in time and was passed"});
    numbers_[e] = first - 1;
    return follow(e);
  }
  const message_result given_up{result_kind::refused, reason_code::seq_gap, missing + " did not come in time"};
  for (const auto& [seq, m] : early) {
    bury(m.what, given_up);
    known_.emplace(std::pair{e, m.what.id}, known_id{m.what.name, m.what.payload, given_up});
    numbers_[e] = seq;
  }
  held_.erase(e);
}

}  // namespace pawl::testing
