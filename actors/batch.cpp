#include "actors/batch.hpp"

#include "cluster/invariant.hpp"
#include "persistence/state_blob.hpp"

#include <algorithm>
#include <set>

namespace pawl {
namespace {

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

batch::batch(const entity_catalog& catalog, activation& residents, std::vector<processed_set>& processed, sizing how,
             std::size_t messages_max)
    : catalog_(catalog),
      residents_(residents),
      processed_(processed),
      sizing_(how),
      messages_max_(messages_max),
      stages_(processed.size()) {}

bool batch::run(queued_frame& f, std::size_t index, instant now) {
  if (full()) return false;
  while (starts_.size() <= index) starts_.push_back(f.results.size());
  const auto& m = f.next();
  if (f.blocked.contains(m.key)) {
    f.results.push_back(
        {result_kind::blocked, reason_code::earlier_unresolved, "an earlier message for this key is not resolved"});
    return true;
  }
  bool depends = false;
  auto result = decide(m, now, depends);
  if (!result) return false;
  if (!resolved(result->kind)) f.blocked.insert(m.key);
  if (depends) places_.push_back({index, f.results.size()});
  f.results.push_back(std::move(*result));
  return true;
}

bool batch::full() const noexcept {
  // With exact sizes the bound is kept, not just noticed: the next message may make a state as large as one may be.
  auto next = sizing_ == sizing::exact ? catalog_.state_bytes_max : 0;
  return messages() >= messages_max_ || (bytes_ != 0 && bytes_ + next >= limits::commit_bytes);
}

std::optional<message_result> batch::decide(const message& m, instant now, bool& depends) {
  auto type = catalog_.find(m.type);
  if (!type)
    return not_now(reason_code::unknown_entity_type,
                   "entity type '" + std::string{m.type} + "' is not known to the shard's owner");
  auto& stage = stages_[*type];
  auto digest = catalog_.digester.digest(m.type, m.key, m.id, m.name, m.payload);
  if (const auto* staged = stage.seen.find(digest)) {
    // Earlier in this very batch: it shares the fate of that one.
    depends = true;
    if (staged->fingerprint() != digest.fingerprint()) return answer_for(processed_set::verdict::reused, m);
    return answer_for(staged->refused() ? processed_set::verdict::refused : processed_set::verdict::duplicate, m);
  }
  if (auto v = processed_[*type].judge(digest, m.sent_at); v != processed_set::verdict::fresh) return answer_for(v, m);
  bool from_the_future = m.sent_at > now.wall + limits::future_ms;
  // A refused message must not lift the window with a date of its own choosing.
  auto high = from_the_future ? 0 : m.sent_at;
  if (processed_[*type].full(stage.ids.ids.size() + 1, std::max(stage.ids.high, high)))
    return not_now(reason_code::ids_full, "the shard remembers as many ids of '" + std::string{m.type} +
                                              "' as it may, all younger than the retention window");

  auto* r = residents_.find(*type, m.key);
  if (r == nullptr) return std::nullopt;
  if (!r->damage.empty())
    return not_now(reason_code::undecodable, "the stored state cannot be decoded and is left alone: " + r->damage);
  r->touched = now.steady;

  message_result result;
  if (from_the_future) {
    result = refusal(reason_code::from_the_future,
                     "sent_at is more than 5 minutes ahead of the owner's clock: set the sender's clock");
  } else {
    result = apply(*type, *r, m);
  }
  if (!resolved(result.kind)) return result;
  depends = true;
  bool refused = result.kind == result_kind::refused;
  stage_id(*type, digest, refused, std::min(m.sent_at, now.wall + limits::future_ms), high);
  return result;
}

message_result batch::apply(type_index type, resident& r, const message& m) {
  const auto& behavior = *catalog_.types[type];
  auto& w = work_on(type, m, r);
  auto& stage = stages_[type];
  // In exact sizing the handler works on a copy of ours, so that a state that became too large can be put back.
  std::unique_ptr<entity_state> before;
  if (sizing_ == sizing::exact) before = behavior.copy(*w.state);
  auto done = behavior.apply(*w.state, m);
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
    w.blob.clear();
    begin_state_blob(w.blob, w.last_seq);
    behavior.encode(*w.state, w.blob);
    if (w.blob.size() > catalog_.state_bytes_max) {
      w.state = std::move(before);
      return refusal(reason_code::state_too_large,
                     name_of(m) + " would grow the state to " + std::to_string(w.blob.size()) + " bytes; at most " +
                         std::to_string(catalog_.state_bytes_max) + " are allowed (entities.state_bytes)");
    }
  }
  w.changed = true;
  if (m.seq != 0) {
    if (m.seq != w.last_seq + 1) ++stage.out_of_order;
    if (m.seq <= w.last_seq) ++stage.violations;
    w.last_seq = std::max(w.last_seq, m.seq);
  }
  if (sizing_ == sizing::exact) bytes_ = bytes_ - std::exchange(w.counted, w.blob.size()) + w.blob.size();
  else bytes_ += 2 * m.payload.size() + 64;
  return {result_kind::applied, reason_code::none, {}};
}

batch::working& batch::work_on(type_index type, const message& m, const resident& r) {
  auto [it, fresh] = index_.try_emplace(&r, work_.size());
  if (!fresh) return work_[it->second];
  const auto& behavior = *catalog_.types[type];
  working w;
  w.type = type;
  w.key = m.key;
  w.state = r.state ? behavior.copy(*r.state) : behavior.fresh();
  w.last_seq = r.last_seq;
  w.counted = r.bytes;
  bytes_ += w.counted + m.key.size() + 64;
  work_.push_back(std::move(w));
  return work_.back();
}

void batch::stage_id(type_index type, message_digest d, bool refused, unix_ms sent_at, unix_ms high) {
  auto& stage = stages_[type];
  d.set_refused(refused);
  stage.ids.greatest_sent_at = stage.ids.ids.empty() ? sent_at : std::max(stage.ids.greatest_sent_at, sent_at);
  stage.ids.high = std::max(stage.ids.high, high);
  stage.seen.insert(d);
  stage.ids.ids.push_back(d);
  bytes_ += sizeof d;
}

std::optional<std::vector<std::pair<std::string, std::string>>> batch::seal(const frontier& base) {
  sealed_ = base;
  ++sealed_.seq;
  std::vector<std::pair<std::string, std::string>> fields;
  fields.reserve(work_.size() + stages_.size() + 1);
  fields.emplace_back(std::string{frontier_field}, std::string{});
  std::size_t bytes = 0;
  for (type_index t = 0; t < stages_.size(); ++t) {
    auto& s = stages_[t].ids;
    processed_[t].seal(s);
    if (!s.ids.empty()) fields.emplace_back(id_group_field(catalog_.types[t]->name(), s.group_number), s.group);
    auto known = std::find_if(sealed_.groups.begin(), sealed_.groups.end(),
                              [&s](const id_groups& g) { return g.type == s.after.type; });
    if (known != sealed_.groups.end()) *known = s.after;
    else if (s.after.next > 0) sealed_.groups.push_back(s.after);
  }
  for (auto& w : work_) {
    if (!w.changed) continue;
    w.blob.clear();
    begin_state_blob(w.blob, w.last_seq);
    catalog_.types[w.type]->encode(*w.state, w.blob);
    bytes += w.blob.size();
    // Handlers can make much out of little, so the estimate that ended the batch may have been far too low.
    if (sizing_ == sizing::at_the_end && (w.blob.size() > catalog_.state_bytes_max || bytes > limits::commit_bytes))
      return std::nullopt;
    fields.emplace_back(entity_field(catalog_.types[w.type]->name(), w.key), w.blob);
  }
  fields.front().second = encode(sealed_);
  return fields;
}

frontier batch::confirm(shard_metrics& metrics, instant now) {
  for (auto& w : work_) {
    if (!w.changed) continue;
    auto* r = residents_.find(w.type, w.key);
    PAWL_INVARIANT(r != nullptr, "an entity left memory while a commit that changed it was under way (rule A5)");
    r->state = std::move(w.state);
    r->last_seq = w.last_seq;
    r->bytes = w.blob.size();
    r->touched = now.steady;
  }
  for (type_index t = 0; t < stages_.size(); ++t) {
    processed_[t].confirm(std::move(stages_[t].ids));
    metrics.messages[t].out_of_order.add(stages_[t].out_of_order);
    metrics.messages[t].ordering_violations.add(stages_[t].violations);
  }
  return std::move(sealed_);
}

void batch::undo(std::deque<queued_frame>& frames) const {
  for (std::size_t i = 0; i < starts_.size(); ++i) {
    auto& f = frames[i];
    f.results.resize(starts_[i]);
    f.blocked.clear();
    for (std::size_t j = 0; j < f.results.size(); ++j)
      if (!resolved(f.results[j].kind)) f.blocked.insert(f.contents.messages[j].msg.key);
  }
}

void batch::fail(std::deque<queued_frame>& frames, const message_result& result) const {
  auto dependent = places_.begin();
  for (std::size_t i = 0; i < starts_.size(); ++i) {
    auto& f = frames[i];
    std::unordered_set<std::string_view> failed;
    for (auto j = starts_[i]; j < f.results.size(); ++j) {
      auto key = f.contents.messages[j].msg.key;
      bool hit = dependent != places_.end() && *dependent == place{i, j};
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

std::vector<missing_entity> missing_entities(const entity_catalog& catalog, activation& residents,
                                             const std::deque<queued_frame>& frames, std::size_t most) {
  std::vector<missing_entity> out;
  std::set<std::pair<type_index, std::string_view>> seen;
  for (const auto& f : frames) {
    for (auto i = f.results.size(); i < f.contents.messages.size(); ++i) {
      const auto& m = f.contents.messages[i].msg;
      auto type = catalog.find(m.type);
      if (!type || residents.find(*type, m.key) != nullptr || !seen.insert({*type, m.key}).second) continue;
      if (out.size() == most) return out;
      out.push_back({*type, std::string{m.key}});
    }
  }
  return out;
}

}  // namespace pawl
