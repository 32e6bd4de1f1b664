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
  return {id.substr(0, dot), number_in(id)};
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
    } else if (name.starts_with(entity_field(ledger_type, {}))) {
      check_ledger(name, field(name), value);
    } else if (name.starts_with(entity_field(echo_type, {}))) {
      check_echo(name, field(name), value);
    } else if (name.starts_with(entity_field(journal_type, {}))) {
      check_journal(name, field(name), value);
    } else if (name.starts_with(entity_field(purse_type, {}))) {
      check_purse(name, field(name), value);
    }
  }
}

void world::check_ledger(const std::string& name, const std::string& before, std::string_view after) const {
  auto old = ledger_in(before);
  auto next = ledger_in(after);
  auto extends = [&name](const std::vector<std::string>& was, const std::vector<std::string>& is, const world& w) {
    if (is.size() < was.size() || !std::equal(was.begin(), was.end(), is.begin()))
      w.fail("effects stay", name + " was [" + text_of(was) + "], and is [" + text_of(is) + "]");
  };
  extends(old.ids, next.ids, *this);
  extends(old.ticks, next.ticks, *this);
  std::map<std::string, std::size_t> highest;
  for (const auto& id : next.ids) {
    auto [from, n] = parts_of(id);
    auto h = highest.find(from);
    if (std::count(next.ids.begin(), next.ids.end(), id) > 1)
      fail("effect once", name + " is [" + text_of(next.ids) + "]");
    // A late copy of a message that a rollback has taken away is a new one.
    if (h != highest.end() && h->second > n && rollbacks == 0) fail("order", name + " is [" + text_of(next.ids) + "]");
    highest[from] = n;
  }
  for (const auto& id : next.ticks) {
    if (std::count(next.ticks.begin(), next.ticks.end(), id) > 1)
      fail("a timer fires once", name + " has fired [" + text_of(next.ticks) + "]");
    if (std::find(next.ids.begin(), next.ids.end(), id) == next.ids.end())
      fail("a timer fires if it was set", name + " is [" + text_of(next.ids) + "], and has fired for " + id);
  }
}

/// What has arrived at an echo is what its ledger has sent, from the beginning on. After a rollback it may also be what
/// the ledger has sent and does not know any more.
void world::check_echo(const std::string& name, const std::string& before, std::string_view after) const {
  auto old = ledger_in(before);
  auto next = ledger_in(after);
  if (next.ids.size() < old.ids.size() || !std::equal(old.ids.begin(), old.ids.end(), next.ids.begin()))
    fail("effects stay", name + " was [" + text_of(old.ids) + "], and is [" + text_of(next.ids) + "]");
  if (rollbacks != 0) return;
  const auto key = name.substr(entity_field(echo_type, echo_key({})).size());
  const auto sent = appended(key);
  if (next.ids.size() > sent.size() || !std::equal(next.ids.begin(), next.ids.end(), sent.begin()))
    fail("sent once, in order", name + " is [" + text_of(next.ids) + "], sent was [" + text_of(sent) + "]");
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

std::string_view world::stored_blob(std::string_view type, const std::string& key) const {
  auto s = shard_of(key, plan.shards);
  const auto& d = data.shard(s);
  auto h = d.hashes.find(d.record.token);
  if (h == d.hashes.end()) return {};
  auto e = h->second.find(entity_field(type, key));
  return e == h->second.end() ? std::string_view{} : e->second;
}

Ledger world::stored(std::string_view type, const std::string& key) const { return ledger_in(stored_blob(type, key)); }

/// Those of a ledger's messages that it has sent on.
std::vector<std::string> world::appended(const std::string& key) const {
  auto ids = stored(ledger_type, key).ids;
  std::erase_if(ids, [this](const std::string& id) { return messages_.at(id).name != "Append"; });
  return ids;
}

std::string world::outstanding() const {
  for (std::uint32_t s = 0; s < plan.shards; ++s) {
    const auto& d = data.shard({s});
    const auto h = d.hashes.find(d.record.token);
    if (h == d.hashes.end() || d.inbox.entries().empty()) continue;
    const auto f = decode_frontier(h->second.at(std::string{frontier_field}));
    if (f->inbox.last < d.inbox.state().last)
      return "the inbox of shard " + std::to_string(s) + " is taken up to " + to_text(f->inbox.last) +
             ", its last entry is " + to_text(d.inbox.state().last);
  }
  for (std::size_t k = 0; k < plan.keys; ++k) {
    const auto key = "k" + std::to_string(k);
    const auto sent = appended(key);
    const auto echoed = stored(echo_type, echo_key(key)).ids;
    if (echoed != sent) return key + " has sent [" + text_of(sent) + "], its echo has [" + text_of(echoed) + "]";
    auto fired = stored(ledger_type, key).ticks;
    for (const auto& id : sent)
      if (sets_timer(id) && std::find(fired.begin(), fired.end(), id) == fired.end())
        return key + " has set a timer for " + id + ", which has not fired";
  }
  return units_outstanding();
}

void world::on_result(const std::string& id, const message_result& r) {
  if (verbose) say(id + " " + std::string{to_string(r.kind)} + (r.why().empty() ? "" : ": " + std::string{r.why()}));
  auto& m = messages_.at(id);
  if (m.name == "Append" && (r.kind == result_kind::applied || r.kind == result_kind::duplicate) && rollbacks == 0) {
    // The same whenever it is asked for: how many had taken effect then.
    const auto ids = stored(ledger_type, m.key).ids;
    const auto count = std::find(ids.begin(), ids.end(), id) - ids.begin() + 1;
    std::string error;
    Place place;
    if (!r.reply || !decode_msgpack(*r.reply, place, error) || place.count != static_cast<std::uint64_t>(count))
      fail("stored replies", id + " is number " + std::to_string(count) + ", its reply says " +
                                 (r.reply ? std::to_string(place.count) : "nothing"));
    if (r.kind == result_kind::duplicate) ++seen.replies_again;
  }
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
  bool kept = is_stored(id, m);
  // An owner that has not noticed a rollback yet may still answer for what it remembers.
  m.acknowledged = kept || rollbacks == 0;
  if (m.acknowledged && !kept)
    fail("acknowledged is committed",
         id + " was acknowledged, the store has [" + text_of(stored(ledger_type, m.key).ids) + "]");
}

bool world::is_stored(const std::string& id, const sent_message& m) const {
  const auto ids = stored(ledger_type, m.key).ids;
  return std::find(ids.begin(), ids.end(), id) != ids.end();
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
void world::check_end() {
  for (std::size_t k = 0; k < plan.keys; ++k) {
    const auto key = "k" + std::to_string(k);
    seen.echoes += stored(echo_type, echo_key(key)).ids.size();
    seen.ticks += stored(ledger_type, key).ticks.size();
  }
  seen.units += all_purses().taken;
  if (rollbacks == 0)
    if (auto missing = outstanding(); !missing.empty()) fail("progress", missing);
  check_journals_end();
  message_digester digester{{1, 2, 3}};
  for (std::uint32_t s = 0; s < plan.shards; ++s) {
    const auto& d = data.shard({s});
    auto h = d.hashes.find(d.record.token);
    if (h == d.hashes.end()) fail("no data lost", "shard " + std::to_string(s) + " has no data");
    auto f = decode_frontier(h->second.at(std::string{frontier_field}));
    if (rollbacks == 0) check_nothing_left({s}, *f, h->second);
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
      auto ids_stored = stored(ledger_type, m.key).ids;
      bool effect = std::find(ids_stored.begin(), ids_stored.end(), id) != ids_stored.end();
      bool known = v == processed_set::verdict::duplicate;
      if (v != processed_set::verdict::too_old && known != effect)
        fail("ids = effects", id + (known ? " is known, but has no effect" : " has an effect, but is not known"));
      if (m.added && m.name != "Stumble" && !effect && v != processed_set::verdict::too_old && rollbacks == 0)
        fail("an inbox loses nothing", id + " was added to an inbox, and is gone");
      if (m.acknowledged && !effect && rollbacks == 0) fail("acknowledged is committed", id + " is gone");
    }
  }
}

}  // namespace pawl::sim
