#include "tests/sim/store.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace pawl::sim {

std::string_view to_string(flaw f) noexcept {
  switch (f) {
  case flaw::none: return "none";
  case flaw::no_fence: return "no-fence";
  case flaw::unguarded_sweep: return "unguarded-sweep";
  case flaw::release_any: return "release-any";
  case flaw::nil_of_dead_name: return "nil-of-dead-name";
  }
  return "none";
}

store::store(dataset_id dataset, std::uint32_t shards, flaw broken) : broken_(broken) {
  frontier f;
  f.dataset = dataset;
  const fencing_token first{"0-init-0"};
  for (std::uint32_t s = 0; s < shards; ++s) {
    shard_data d;
    d.record.token = first;
    d.record.released = true;
    d.live.insert(first);
    d.hashes[first][std::string{frontier_field}] = encode(f);
    shards_.push_back(std::move(d));
  }
}

bool store::write(shard_id s, const commit_fields& c) {
  if (memory_full) return false;
  auto& d = shards_.at(s.value);
  const auto& name = broken_ == flaw::no_fence ? d.record.token : c.token;
  for (const auto& [field, value] : *c.fields) d.hashes[name][std::string{field}] = value;
  return true;
}

bool store::live(shard_id s, const fencing_token& t) const {
  return broken_ == flaw::no_fence || shard(s).live.contains(t);
}

std::vector<std::optional<std::string>> store::values(shard_id s, const load_fields& l) const {
  std::vector<std::optional<std::string>> out(l.fields.size());
  auto h = shard(s).hashes.find(l.token);
  if (h == shard(s).hashes.end()) return out;
  for (std::size_t i = 0; i < l.fields.size(); ++i)
    if (auto v = h->second.find(l.fields[i]); v != h->second.end()) out[i] = v->second;
  return out;
}

shard_answer store::execute(const shard_command& c) {
  shard_answer a;
  a.shard = c.shard;
  a.ticket = c.ticket;
  a.outcome = store_outcome::done;
  current_ = c.shard;
  std::visit([&](const auto& op) { run(op, shards_.at(c.shard.value), a); }, c.operation);
  return a;
}

void store::run(const read_record&, shard_data& d, shard_answer& a) { a.body = record_answer{d.record}; }

void store::run(const claim_shard& op, shard_data& d, shard_answer& a) {
  claim_answer body;
  if (d.record.token != op.held || d.record.view > op.view) {
    body.record.token = d.record.token;
    body.record.view = d.record.view;
    a.outcome = store_outcome::fenced;
  } else if (auto held = d.hashes.find(op.held);
             held == d.hashes.end() || !held->second.contains(std::string{frontier_field})) {
    a.outcome = store_outcome::lost;
  } else if (d.live.contains(op.fresh) || d.hashes.contains(op.fresh)) {
    a.outcome = store_outcome::refused;
    a.error = store_error::other;
  } else {
    auto data = std::move(held->second);
    d.hashes.erase(held);
    d.record.dead.insert(d.record.dead.begin(), op.held);
    if (d.record.dead.size() > 16) d.record.dead.pop_back();
    d.live.erase(op.held);
    d.live.insert(op.fresh);
    d.record.token = op.fresh;
    d.record.owner = op.self;
    d.record.view = op.view;
    d.record.released = false;
    body.frontier = data.at(std::string{frontier_field});
    body.store_run_id = run_id;
    body.former_run_id = std::exchange(d.run_id, run_id);
    d.hashes[op.fresh] = std::move(data);
  }
  a.body = std::move(body);
}

void store::run(const load_fields& op, shard_data&, shard_answer& a) {
  load_answer body;
  if (live(current_, op.token) || broken_ == flaw::nil_of_dead_name) body.values = values(current_, op);
  else a.outcome = store_outcome::fenced;
  a.body = std::move(body);
}

void store::run(const commit_fields& op, shard_data&, shard_answer& a) {
  a.body = commit_answer{};
  if (!write(current_, op)) {
    a.outcome = store_outcome::refused;
    a.error = store_error::oom;
  } else if (!live(current_, op.token)) {
    a.outcome = store_outcome::unknown;
  }
}

void store::run(const trim_fields& op, shard_data& d, shard_answer&) {
  auto h = d.hashes.find(op.token);
  if (h == d.hashes.end()) return;
  for (const auto& f : op.fields) h->second.erase(f);
  if (h->second.empty()) d.hashes.erase(h);
}

void store::run(const release_shard& op, shard_data& d, shard_answer& a) {
  if (d.record.token == op.token || broken_ == flaw::release_any) d.record.released = true;
  else a.outcome = store_outcome::fenced;
}

void store::run(const sweep_token& op, shard_data& d, shard_answer& a) {
  bool alive = d.record.token == op.dead || d.live.contains(op.dead);
  if (alive && broken_ != flaw::unguarded_sweep) a.outcome = store_outcome::fenced;
  else d.hashes.erase(op.dead);
}

void store::run(const read_inbox& op, shard_data& d, shard_answer& a) { a.body = d.inbox.answer(op); }

// Members ----------------------------------------------------------------------------------------------------------

member* store::row(const member_id& id) {
  for (auto& m : table_.members)
    if (m.id == id) return &m;
  return nullptr;
}

void store::put(member m) {
  std::erase_if(table_.members, [&](const member& x) { return x.id.node == m.id.node; });
  auto at = std::find_if(table_.members.begin(), table_.members.end(), [&](const member& x) { return x.id > m.id; });
  changes_.push_back({{++table_.number.value}, m.id.node, m});
  table_.members.insert(at, std::move(m));
}

void store::remove(std::string_view node) {
  if (auto v = votes_.find(node); v != votes_.end()) votes_.erase(v);
  std::erase_if(table_.members, [&](const member& x) { return x.id.node == node; });
  changes_.push_back({{++table_.number.value}, std::string{node}, std::nullopt});
}

void store::evict(const member_id& id) {
  if (row(id) != nullptr) remove(id.node);
}

std::vector<member_id> store::accusers(const member_id& target, const member_id& but) const {
  std::vector<member_id> out;
  auto v = votes_.find(target.node);
  if (v == votes_.end() || v->second.incarnation != target.incarnation) return out;
  for (const auto& id : v->second.accusers)
    if (id.node != but.node && table_.find(id) != nullptr) out.push_back(id);
  return out;
}

member_answer store::execute(const member_command& c) {
  member_answer a;
  a.ticket = c.ticket;
  a.outcome = store_outcome::done;
  std::visit([&](const auto& op) { run(op, a); }, c.operation);
  a.table.number = table_.number;
  return a;
}

void store::run(const read_members&, member_answer& a) {
  a.table = table_;
  a.whole = true;
}

void store::run(const join_members& op, member_answer& a) {
  const auto* old = table_.find_node(op.node);
  if (old != nullptr &&
      (!op.replaces || op.replaces->first != old->id.incarnation || op.replaces->second != old->beat)) {
    a.outcome = store_outcome::fenced;
    return;
  }
  votes_.erase(op.node);
  member m;
  m.id = {op.node, ++incarnations_};
  m.peer_address = op.peer_address;
  m.http_address = op.http_address;
  put(std::move(m));
  a.self = {op.node, incarnations_};
  a.table = table_;
  a.whole = true;
}

void store::run(const beat_member& op, member_answer& a) {
  auto* m = row(op.self);
  if (m == nullptr) {
    a.outcome = store_outcome::fenced;
    return;
  }
  ++m->beat;
  if (op.known != table_.number) {
    a.table = table_;
    a.whole = true;
    return;
  }
  for (const auto& node : op.watched)
    if (const auto* w = table_.find_node(node)) a.table.members.push_back(*w);
  std::sort(a.table.members.begin(), a.table.members.end(),
            [](const member& x, const member& y) { return x.id < y.id; });
}

void store::run(const drain_member& op, member_answer& a) {
  auto* m = row(op.self);
  if (m == nullptr) {
    a.outcome = store_outcome::fenced;
  } else if (m->state != member_state::draining) {
    auto changed = *m;
    changed.state = member_state::draining;
    put(std::move(changed));
  }
}

void store::run(const leave_members& op, member_answer&) { evict(op.self); }

void store::run(const evict_member& op, member_answer& a) {
  const auto* m = row(op.target);
  if (m == nullptr || m->beat != op.beat) a.outcome = store_outcome::fenced;
  else remove(op.target.node);
}

void store::run(const accuse_member& op, member_answer& a) {
  if (row(op.self) == nullptr || row(op.target) == nullptr) {
    a.outcome = store_outcome::fenced;
    return;
  }
  auto votes = accusers(op.target, op.self);
  votes.push_back(op.self);
  bool two = table_.members.size() == 2;
  if (votes.size() > 1 || (two && op.self.incarnation < op.target.incarnation)) remove(op.target.node);
  else votes_[op.target.node] = {op.target.incarnation, std::move(votes)};
}

void store::run(const acquit_member& op, member_answer& a) {
  if (row(op.self) == nullptr || row(op.target) == nullptr) {
    a.outcome = store_outcome::fenced;
    return;
  }
  auto votes = accusers(op.target, op.self);
  if (votes.empty()) votes_.erase(op.target.node);
  else votes_[op.target.node] = {op.target.incarnation, std::move(votes)};
}

void store::run(const raise_view& op, member_answer&) {
  if (table_.number >= op.at_least) return;
  table_.number = op.at_least;
  changes_.push_back({table_.number, {}, std::nullopt});
}

}  // namespace pawl::sim
