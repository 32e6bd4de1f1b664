#include "actors/batch.hpp"

#include "cluster/invariant.hpp"
#include "persistence/state_blob.hpp"

#include <algorithm>
#include <set>

namespace pawl {
namespace {

// States kept to be copied into: of each type in a shard so many, and none that is large.
constexpr std::size_t spare_states_max = 256;
constexpr std::size_t spare_bytes_max = 4 * 1024;

message_result refusal(reason_code code, std::string reason) { return {result_kind::refused, code, std::move(reason)}; }
message_result not_now(reason_code code, std::string reason) { return {result_kind::busy, code, std::move(reason)}; }

message_result answer_for(processed_set::verdict v, const message& m) {
  switch (v) {
  case processed_set::verdict::duplicate: return {result_kind::duplicate, reason_code::none, {}};
  case processed_set::verdict::refused:
    return refusal(reason_code::handler_refused, "this message id was refused before");
  case processed_set::verdict::reused:
    return refusal(reason_code::id_reused, "message id was used before for '" + std::string{m.type} + "' '" +
                                               std::string{m.key} +
                                               "' with another type or payload: give every message its own id");
  case processed_set::verdict::too_old:
    return refusal(reason_code::too_old, "sent_at " + std::to_string(m.sent_at) +
                                             " lies below what this shard still remembers, so it cannot be told from a "
                                             "duplicate");
  case processed_set::verdict::fresh: break;
  }
  PAWL_INVARIANT(false, "a fresh message has no answer yet");
}

std::string name_of(const message& m) {
  return "message '" + std::string{m.name} + "' of '" + std::string{m.type} + "'";
}

}  // namespace

queued_frame::queued_frame(const entity_catalog& catalog, link_number sender, frame f, steady_time now)
    : from(sender), contents(std::move(f)), arrived(now) {
  types.reserve(contents.messages.size());
  results.reserve(contents.messages.size());
  for (const auto* m : contents.messages) {
    // Mostly as the one before.
    const auto known = types.empty() ? unknown_type : types.back();
    const bool same = known != unknown_type && catalog.types[known]->name() == m->type;
    types.push_back(same ? known : catalog.find(m->type).value_or(unknown_type));
  }
}

batch::batch(const entity_catalog& catalog, activation& residents, std::vector<processed_set>& processed,
             batch_room& room, sizing how, std::size_t messages_max)
    : catalog_(catalog),
      residents_(residents),
      processed_(processed),
      room_(room),
      sizing_(how),
      messages_max_(messages_max) {
  room_.stages.resize(processed.size());
}

batch::~batch() {
  for (auto& c : room_.changed) {
    c.of->work = 0;
    if (c.state) keep(c.of->type, std::move(c.state), c.bytes);
  }
  room_.changed.clear();
  room_.starts.clear();
  room_.places.clear();
  for (auto& s : room_.stages) {
    s.ids.clear();
    s.seen.clear();
    s.out_of_order = s.violations = 0;
  }
}

bool batch::run(queued_frame& f, std::size_t index, instant now) {
  if (full()) return false;
  while (room_.starts.size() <= index) room_.starts.push_back(f.results.size());
  const auto& m = f.next();
  if (f.blocked.contains(m.key)) {
    f.results.push_back(
        {result_kind::blocked, reason_code::earlier_unresolved, "an earlier message for this key is not resolved"});
    return true;
  }
  bool depends = false;
  auto result = decide(f.types[f.results.size()], m, now, depends);
  if (!result) return false;
  if (!resolved(result->kind)) f.blocked.insert(m.key);
  if (depends) room_.places.push_back({index, f.results.size()});
  f.results.push_back(std::move(*result));
  return true;
}

bool batch::full() const noexcept {
  // With exact sizes the bound is kept, not just noticed: the next message may make a state as large as one may be.
  auto next = sizing_ == sizing::exact ? catalog_.state_bytes_max : 0;
  return messages() >= messages_max_ || (bytes_ != 0 && bytes_ + next >= limits::commit_bytes);
}

std::optional<message_result> batch::decide(type_index type, const message& m, instant now, bool& depends) {
  if (type == unknown_type)
    return not_now(reason_code::unknown_entity_type,
                   "entity type '" + std::string{m.type} + "' is not known to the shard's owner");
  auto& stage = room_.stages[type];
  if (stage.name != m.name) {
    stage.content = catalog_.digester.key_of(m.name);
    stage.name = m.name;
  }
  auto digest = catalog_.digester.digest(m.type, m.key, m.id, stage.content, m.payload);
  if (const auto* staged = stage.seen.find(digest)) {
    // Earlier in this very batch: it shares the fate of that one.
    depends = true;
    if (staged->fingerprint() != digest.fingerprint()) return answer_for(processed_set::verdict::reused, m);
    return answer_for(staged->refused() ? processed_set::verdict::refused : processed_set::verdict::duplicate, m);
  }
  if (auto v = processed_[type].judge(digest, m.sent_at); v != processed_set::verdict::fresh) return answer_for(v, m);
  bool from_the_future = m.sent_at > now.wall + limits::future_ms;
  // A refused message must not lift the window with a date of its own choosing.
  auto high = from_the_future ? 0 : m.sent_at;
  if (processed_[type].full(stage.ids.ids.size() + 1, std::max(stage.ids.high, high)))
    return not_now(reason_code::ids_full, "the shard remembers as many ids of '" + std::string{m.type} +
                                              "' as it may, all younger than the retention window");

  auto* r = residents_.find(type, m.key);
  if (r == nullptr) return std::nullopt;
  if (!r->damage.empty())
    return not_now(reason_code::undecodable, "the stored state cannot be decoded and is left alone: " + r->damage);
  r->touched = now.steady;

  message_result result;
  if (from_the_future) {
    result = refusal(reason_code::from_the_future,
                     "sent_at is more than 5 minutes ahead of the owner's clock: set the sender's clock");
  } else {
    result = apply(*r, m);
  }
  if (!resolved(result.kind)) return result;
  depends = true;
  bool refused = result.kind == result_kind::refused;
  stage_id(type, digest, refused, std::min(m.sent_at, now.wall + limits::future_ms), high);
  return result;
}

message_result batch::apply(resident& r, const message& m) {
  const auto& behavior = *catalog_.types[r.type];
  const auto* so_far = r.work != 0 ? &room_.changed[r.work - 1] : nullptr;
  auto next = spare_state(r.type);
  auto done = behavior.apply(so_far != nullptr ? so_far->state.get() : r.state.get(), *next, m);
  auto size = so_far != nullptr ? so_far->bytes : r.bytes;
  auto seq = std::max(m.seq, so_far != nullptr ? so_far->last_seq : r.last_seq);
  auto result = [&]() -> message_result {
    switch (done.what) {
    case handled::kind::applied: break;
    case handled::kind::unknown_message:
      return not_now(reason_code::unknown_message_type,
                     name_of(m) + " is not known to the shard's owner (known: " + behavior.messages() + ")");
    case handled::kind::undecodable:
      return refusal(reason_code::undecodable, name_of(m) + " cannot be decoded: " + done.text);
    case handled::kind::failed:
      return refusal(reason_code::handler_error, "handler of " + name_of(m) + " threw: " + done.text);
    case handled::kind::refused: return refusal(reason_code::handler_refused, std::move(done.text));
    case handled::kind::exhausted: return not_now(reason_code::handler_error, "the owner is out of memory");
    }
    if (sizing_ == sizing::exact) {
      room_.blob.clear();
      begin_state_blob(room_.blob, seq);
      behavior.encode(*next, room_.blob);
      size = room_.blob.size();
      if (size > catalog_.state_bytes_max)
        return refusal(reason_code::state_too_large, name_of(m) + " would grow the state to " + std::to_string(size) +
                                                         " bytes; at most " + std::to_string(catalog_.state_bytes_max) +
                                                         " are allowed (entities.state_bytes)");
    }
    return {result_kind::applied, reason_code::none, {}};
  }();
  if (result.kind != result_kind::applied) {
    keep(r.type, std::move(next), size);
    return result;
  }
  auto& c = change(r);
  c.state.swap(next);
  if (next) keep(r.type, std::move(next), size);
  if (m.seq != 0) {
    auto& stage = room_.stages[r.type];
    if (m.seq != c.last_seq + 1) ++stage.out_of_order;
    if (m.seq <= c.last_seq) ++stage.violations;
    c.last_seq = seq;
  }
  if (sizing_ == sizing::exact) bytes_ = bytes_ - std::exchange(c.bytes, size) + size;
  else bytes_ += 2 * m.payload.size() + 64;
  return result;
}

/// A state to copy into: one that is of no use any more, if there is one.
std::unique_ptr<entity_state> batch::spare_state(type_index type) {
  auto& spare = room_.stages[type].spare;
  if (spare.empty()) return catalog_.types[type]->fresh();
  auto state = std::move(spare.back());
  spare.pop_back();
  return state;
}

void batch::keep(type_index type, std::unique_ptr<entity_state> state, std::size_t bytes) {
  auto& spare = room_.stages[type].spare;
  if (spare.size() < spare_states_max && bytes <= spare_bytes_max) spare.push_back(std::move(state));
}

/// What the batch has made of the entity; at first nothing.
batch_room::changed_entity& batch::change(resident& r) {
  if (r.work == 0) {
    room_.changed.push_back({&r, nullptr, r.last_seq, r.bytes});
    r.work = static_cast<std::uint32_t>(room_.changed.size());
    bytes_ += r.bytes + r.key.size() + 64;
  }
  return room_.changed[r.work - 1];
}

void batch::stage_id(type_index type, message_digest d, bool refused, unix_ms sent_at, unix_ms high) {
  auto& stage = room_.stages[type];
  d.set_refused(refused);
  stage.ids.greatest_sent_at = stage.ids.ids.empty() ? sent_at : std::max(stage.ids.greatest_sent_at, sent_at);
  stage.ids.high = std::max(stage.ids.high, high);
  stage.seen.insert(d);
  stage.ids.ids.push_back(d);
  bytes_ += sizeof d;
}

std::optional<field_list> batch::seal(const frontier& base) {
  sealed_ = base;
  ++sealed_.seq;
  for (type_index t = 0; t < room_.stages.size(); ++t) {
    auto& s = room_.stages[t].ids;
    processed_[t].seal(s);
    auto known = std::find_if(sealed_.groups.begin(), sealed_.groups.end(),
                              [&s](const id_groups& g) { return g.type == s.after.type; });
    if (known != sealed_.groups.end()) *known = s.after;
    else if (s.after.next > 0) sealed_.groups.push_back(s.after);
  }
  field_list fields;
  fields.reserve(1 + room_.stages.size() + room_.changed.size(), bytes_ + 256);
  fields.add(frontier_field, encode(sealed_));
  for (type_index t = 0; t < room_.stages.size(); ++t) {
    const auto& s = room_.stages[t].ids;
    if (!s.ids.empty()) fields.add(id_group_field(catalog_.types[t]->name(), s.group_number), s.group);
  }
  std::size_t bytes = 0;
  for (auto& c : room_.changed) {
    auto& out = fields.open();
    append_entity_field(out, catalog_.types[c.of->type]->name(), c.of->key);
    fields.name_ends();
    const auto begin = out.size();
    begin_state_blob(out, c.last_seq);
    catalog_.types[c.of->type]->encode(*c.state, out);
    c.bytes = out.size() - begin;
    fields.close();
    bytes += c.bytes;
    // Handlers can make much out of little, so the estimate that ended the batch may have been far too low.
    if (sizing_ == sizing::at_the_end && (c.bytes > catalog_.state_bytes_max || bytes > limits::commit_bytes))
      return std::nullopt;
  }
  return fields;
}

frontier batch::confirm(shard_metrics& metrics, instant now) {
  for (auto& c : room_.changed) {
    c.of->state.swap(c.state);  // the former state is room for another
    c.of->last_seq = c.last_seq;
    c.of->bytes = c.bytes;
    c.of->touched = now.steady;
  }
  for (type_index t = 0; t < room_.stages.size(); ++t) {
    auto& s = room_.stages[t];
    processed_[t].confirm(s.ids);
    metrics.messages[t].out_of_order.add(s.out_of_order);
    metrics.messages[t].ordering_violations.add(s.violations);
  }
  return std::move(sealed_);
}

void batch::undo(std::deque<queued_frame>& frames) const {
  for (std::size_t i = 0; i < room_.starts.size(); ++i) {
    auto& f = frames[i];
    f.results.resize(room_.starts[i]);
    f.blocked.clear();
    for (std::size_t j = 0; j < f.results.size(); ++j)
      if (!resolved(f.results[j].kind)) f.blocked.insert(f.contents.messages[j]->key);
  }
}

void batch::fail(std::deque<queued_frame>& frames, const message_result& result) const {
  auto dependent = room_.places.begin();
  for (std::size_t i = 0; i < room_.starts.size(); ++i) {
    auto& f = frames[i];
    std::unordered_set<std::string_view> failed;
    for (auto j = room_.starts[i]; j < f.results.size(); ++j) {
      auto key = f.contents.messages[j]->key;
      bool hit = dependent != room_.places.end() && *dependent == batch_room::place{i, j};
      if (hit) ++dependent;
      if (failed.contains(key)) {
        f.results[j] = {result_kind::blocked, reason_code::earlier_unresolved,
                        "an earlier message for this key is not resolved"};
      } else if (hit) {
        f.results[j] = result;
        failed.insert(key);
        f.blocked.insert(key);
      }
    }
  }
}

std::vector<missing_entity> missing_entities(activation& residents, const std::deque<queued_frame>& frames,
                                             std::size_t most) {
  std::vector<missing_entity> out;
  std::set<std::pair<type_index, std::string_view>> seen;
  for (const auto& f : frames) {
    for (auto i = f.results.size(); i < f.contents.messages.size(); ++i) {
      const auto& m = *f.contents.messages[i];
      const auto type = f.types[i];
      if (type == unknown_type || residents.find(type, m.key) != nullptr || !seen.insert({type, m.key}).second)
        continue;
      if (out.size() == most) return out;
      out.push_back({type, std::string{m.key}});
    }
  }
  return out;
}

}  // namespace pawl
