// What must hold in a world, whatever goes wrong.
#include "cluster/shard_map.hpp"
#include "persistence/processed_set.hpp"
#include "tests/sim/world.hpp"

#include <algorithm>

namespace pawl::sim {
namespace {

std::string text_of(const std::vector<std::string>& ids) {
  std::string text;
  for (const auto& id : ids) text += (text.empty() ? "" : " ") + id;
  return text;
}

/// Sender and number of an id.
std::pair<std::string, std::size_t> parts_of(const std::string& id) {
  auto dot = id.find('.');
  return {id.substr(0, dot), std::stoul(id.substr(dot + 1))};
}

}  // namespace

void world::check_commit(shard_id s, const store::hash& before, const commit_fields& c) const {
  auto field = [&](const std::string& name) {
    auto it = before.find(name);
    return it == before.end() ? std::string{} : it->second;
  };
  auto was = decode_frontier(field(std::string{frontier_field}));
  for (const auto& [written, value] : *c.fields) {
    const std::string name{written};
    if (name == frontier_field) {
      auto is = decode_frontier(value);
      if (!is || !was || is->seq != was->seq + 1)
        fail("one committer", "shard " + std::to_string(s.value) + ": commit " + std::to_string(is ? is->seq : 0) +
                                  " landed on commit " + std::to_string(was ? was->seq : 0));
    } else if (name.front() == 'e') {
      auto old = field(name);
      auto ids = old.empty() ? std::vector<std::string>{} : ids_in(old);
      auto next = ids_in(value);
      if (next.size() < ids.size() || !std::equal(ids.begin(), ids.end(), next.begin()))
        fail("effects stay", name + " was [" + text_of(ids) + "], and is [" + text_of(next) + "]");
      std::map<std::string, std::size_t> highest;
      for (const auto& id : next) {
        auto [from, n] = parts_of(id);
        auto h = highest.find(from);
        if (std::count(next.begin(), next.end(), id) > 1) fail("effect once", name + " is [" + text_of(next) + "]");
        // A late copy of a message that a rollback has taken away is a new one.
        if (h != highest.end() && h->second > n && rollbacks == 0) fail("order", name + " is [" + text_of(next) + "]");
        highest[from] = n;
      }
    }
  }
}

const world::sent_message& world::register_message(const std::string& id, const std::string& key, unix_ms sent_at,
                                                   dice& d) {
  auto it = messages_.find(id);
  if (it == messages_.end())
    it = messages_.emplace(id, sent_message{key,
                                            d.chance(8)    ? "Stumble"
                                            : d.chance(10) ? "Amend"
                                                           : "Append",
                                            sent_at})
             .first;
  return it->second;
}

std::vector<std::string> world::stored_ids(const std::string& key) const {
  auto s = shard_of(key, plan.shards);
  const auto& d = data.shard(s);
  auto h = d.hashes.find(d.record.token);
  if (h == d.hashes.end()) return {};
  auto e = h->second.find(entity_field(ledger_type, key));
  return e == h->second.end() ? std::vector<std::string>{} : ids_in(e->second);
}

void world::on_result(const std::string& id, const message_result& r) {
  if (verbose) say(id + " " + std::string{to_string(r.kind)} + (r.reason.empty() ? "" : ": " + r.reason));
  auto& m = messages_.at(id);
  switch (r.kind) {
  case result_kind::applied:
    if (m.applied && rollbacks == 0) fail("effect once", id + " was answered `applied` twice");
    m.applied = true;
    ++seen.acknowledged;
    break;
  case result_kind::duplicate: ++seen.duplicates; break;
  case result_kind::refused: ++seen.refused; return;
  case result_kind::blocked:
  case result_kind::busy:
  case result_kind::unknown: ++seen.unresolved; return;
  }
  bool stored = is_stored(id, m);
  // An owner that has not noticed a rollback yet may still answer for what it remembers.
  m.acknowledged = stored || rollbacks == 0;
  if (m.acknowledged && !stored)
    fail("acknowledged is committed", id + " was acknowledged, the store has [" + text_of(stored_ids(m.key)) + "]");
}

bool world::is_stored(const std::string& id, const sent_message& m) const {
  auto stored = stored_ids(m.key);
  return std::find(stored.begin(), stored.end(), id) != stored.end();
}

std::vector<std::string> world::acknowledged(const std::string& key) const {
  std::vector<std::string> out;
  for (const auto& [id, m] : messages_)
    if (m.key == key && m.acknowledged) out.push_back(id);
  return out;
}

void world::on_read(const std::string& key, const std::vector<std::string>& known, const entity_answer& a) {
  if (a.kind == entity_answer::status::unavailable) return;
  std::string error;
  Ledger l;
  if (a.kind == entity_answer::status::found && !decode_msgpack(a.state, l, error)) fail("D30", "unreadable: " + error);
  for (const auto& id : known)
    if (std::find(l.ids.begin(), l.ids.end(), id) == l.ids.end())
      fail("D30", std::string{"a read of "}
                      .append(key)
                      .append(" shows [")
                      .append(text_of(l.ids))
                      .append("], without ")
                      .append(id)
                      .append(", which was acknowledged before it was asked"));
}

void world::on_stopped(const process& p, shard_id s, const std::string& why) {
  if (rollbacks == 0) fail("no data lost", p.self().node + " stopped shard " + std::to_string(s.value) + ": " + why);
}

/// Ids and effects are the same set, and nothing acknowledged is missing.
void world::check_end() const {
  message_digester digester{{1, 2, 3}};
  for (std::uint32_t s = 0; s < plan.shards; ++s) {
    const auto& d = data.shard({s});
    auto h = d.hashes.find(d.record.token);
    if (h == d.hashes.end()) fail("no data lost", "shard " + std::to_string(s) + " has no data");
    auto f = decode_frontier(h->second.at(std::string{frontier_field}));
    processed_set ids{std::string{ledger_type}, {}};
    for (const auto& g : f->groups)
      if (g.type == ledger_type) ids.reset(g);
    for (const auto& field : ids.live_fields()) {
      auto group = h->second.find(field);
      if (group == h->second.end() || !ids.load(group->second)) fail("ids = effects", "a group of ids is missing");
    }
    for (const auto& [id, m] : messages_) {
      if (shard_of(m.key, plan.shards).value != s) continue;
      auto v = ids.judge(digester.digest(ledger_type, m.key, id, m.name, "\x80"), m.sent_at);
      auto stored = stored_ids(m.key);
      bool effect = std::find(stored.begin(), stored.end(), id) != stored.end();
      bool known = v == processed_set::verdict::duplicate;
      if (v != processed_set::verdict::too_old && known != effect)
        fail("ids = effects", id + (known ? " is known, but has no effect" : " has an effect, but is not known"));
      if (m.acknowledged && !effect && rollbacks == 0) fail("acknowledged is committed", id + " is gone");
    }
  }
}

}  // namespace pawl::sim
