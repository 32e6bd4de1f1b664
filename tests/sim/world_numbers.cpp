// What must hold of journals, whose messages are numbered: each number once, in order, and none left out unless the
// type passes gaps and a dead letter says so.
#include "actors/letter_book.hpp"
#include "cluster/shard_map.hpp"
#include "persistence/state_blob.hpp"
#include "tests/sim/world.hpp"

#include <algorithm>

namespace pawl::sim {
namespace {

std::uint64_t last_number(std::string_view blob) {
  std::string error;
  if (blob.empty()) return 0;
  const auto stored = decode_state_blob(blob, error);
  if (!stored) throw std::runtime_error("no journal: " + error);
  return stored->last_seq;
}

std::string text_of(const std::vector<std::string>& ids, std::uint64_t last) {
  std::string text = "[";
  for (const auto& id : ids) text += id + " ";
  return text + "| " + std::to_string(last) + "]";
}

}  // namespace

const world::numbered_message& world::register_numbered(const std::string& key, std::uint64_t number, dice& d) {
  auto& known = numbered_[key];
  auto m = known.find(number);
  if (m == known.end())
    m = known
            .emplace(number, numbered_message{key + "." + std::to_string(number), d.chance(8)    ? "Stumble"
                                                                                  : d.chance(10) ? "Amend"
                                                                                                 : "Append"})
            .first;
  return m->second;
}

void world::check_journal(const std::string& name, const std::string& before, std::string_view after) const {
  const auto old = ids_in(before), next = ids_in(after);
  const auto last = last_number(after);
  const auto text = name + " is " + text_of(next, last);
  if (next.size() < old.size() || !std::equal(old.begin(), old.end(), next.begin()) || last < last_number(before))
    fail("effects stay", name + " was " + text_of(old, last_number(before)) + ", and is " + text_of(next, last));
  std::uint64_t highest = 0;
  for (const auto& id : next) {
    if (number_in(id) <= highest) fail("each number once, in order", text);
    highest = number_in(id);
  }
  if (highest > last) fail("each number once, in order", text);
  if (plan.numbers.on_gap != gap::wait) return;
  const auto& sent = numbered_.at(name.substr(entity_field(journal_type, {}).size()));
  for (std::uint64_t n = 1; n <= last; ++n) {
    const auto m = sent.find(n);
    const bool refused = m != sent.end() && m->second.name == "Stumble";
    const bool there = m != sent.end() && std::find(next.begin(), next.end(), m->second.id) != next.end();
    if (there == refused) fail("no number left out", text + ", without " + std::to_string(n));
  }
}

void world::on_numbered_result(const std::string& key, std::uint64_t number, const message_result& r) {
  auto& m = numbered_.at(key).at(number);
  if (verbose) say(m.id + " " + std::string{to_string(r.kind)} + (r.reason.empty() ? "" : ": " + r.reason));
  if (r.code == reason_code::early) ++seen.early;
  if (!resolved(r.kind)) {
    ++seen.unresolved;
    return;
  }
  if (rollbacks != 0) return;
  const auto ids = stored(journal_type, key).ids;
  const bool there = std::find(ids.begin(), ids.end(), m.id) != ids.end();
  if (r.kind != result_kind::refused) {
    if (!there) fail("acknowledged is committed", m.id + " was acknowledged, and is not in the store");
    if (r.kind == result_kind::applied && m.applied) fail("effect once", m.id + " was answered `applied` twice");
    m.applied = m.applied || r.kind == result_kind::applied;
    ++(r.kind == result_kind::applied ? seen.acknowledged : seen.duplicates);
    m.acknowledged = true;
    return;
  }
  ++seen.refused;
  if (r.code == reason_code::too_old) return;  // what became of it is not known any more
  if (there) fail("refused for good", m.id + " was refused, and took effect: " + r.reason);
  if (m.name != "Stumble" && plan.numbers.on_gap == gap::wait)
    fail("no number left out", m.id + " was refused: " + r.reason);
  m.refused = true;
}

/// Nothing vanishes: every number up to the last is there, was refused to its sender, or a letter says what became of
/// it.
void world::check_journals_end() {
  struct passed {
    std::uint64_t from, to;
  };
  std::map<std::string, std::vector<passed>> gaps;          // of letters that record one
  std::map<std::string, std::set<std::uint64_t>> given_up;  // behind one
  for (std::uint32_t s = 0; s < plan.shards; ++s) {
    const auto& d = data.shard({s});
    const auto h = d.hashes.find(d.record.token);
    if (h == d.hashes.end()) continue;
    for (const auto& [name, value] : h->second) {
      if (!name.starts_with(std::string{"\0d", 2}) || value.empty()) continue;
      const auto letter = decode_dead_letter(value);
      if (!letter) fail("dead letters", "a dead letter is damaged");
      if (letter->code != reason_code::seq_gap) continue;
      const auto dash = letter->id.find('-');
      if (!letter->name.empty()) given_up[letter->entity.key].insert(letter->seq);
      else gaps[letter->entity.key].push_back({letter->seq, std::stoull(letter->id.substr(dash + 1))});
    }
  }
  for (const auto& [key, sent] : numbered_) {
    const auto& d = data.shard(shard_of(key, plan.shards));
    const auto h = d.hashes.find(d.record.token);
    if (h == d.hashes.end()) continue;
    const auto e = h->second.find(entity_field(journal_type, key));
    const auto blob = e == h->second.end() ? std::string{} : e->second;
    const auto ids = ids_in(blob);
    const auto last = last_number(blob);
    seen.numbered += ids.size();
    seen.gaps += gaps[key].size() + given_up[key].size();
    if (rollbacks != 0) continue;
    bool behind_is_given_up = false;
    for (auto n = last; n > 0; --n) {
      const auto m = sent.find(n);
      const bool there = m != sent.end() && std::find(ids.begin(), ids.end(), m->second.id) != ids.end();
      if (m != sent.end() && m->second.acknowledged && !there)
        fail("acknowledged is committed", m->second.id + " in " + text_of(ids, last));
      const bool told = m != sent.end() && m->second.name == "Stumble";
      const bool recorded =
          std::any_of(gaps[key].begin(), gaps[key].end(), [n](const passed& p) { return p.from <= n && n <= p.to; });
      const bool letter = given_up[key].contains(n);
      if (!there && !told && !recorded && !letter && !behind_is_given_up)
        fail("nothing vanishes", "number " + std::to_string(n) + " of " + key + ", " + text_of(ids, last));
      if (there || letter) behind_is_given_up = letter;
    }
  }
}

}  // namespace pawl::sim
