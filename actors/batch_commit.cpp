// The half of `batch` that is about its commit: the fields it writes, what becomes of them once it is confirmed, and of
// the results if it is taken back or fails.
#include "actors/batch.hpp"
#include "actors/verdicts.hpp"
#include "persistence/state_blob.hpp"

#include <algorithm>
#include <utility>

namespace pawl {

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
  if (inbox_) sealed_.inbox = *inbox_;
  field_list others;
  books_.seal(others);
  sealed_.slots = books_.counts();
  field_list fields;
  fields.reserve(1 + room_.stages.size() + room_.changed.size() + others.size() + room_.replies.size(), bytes_ + 256);
  fields.add(frontier_field, encode(sealed_));
  for (const auto& [name, value] : others) fields.add(name, value);
  for (const auto& [id, reply] : room_.replies) fields.add(reply_field(id), *reply);
  for (type_index t = 0; t < room_.stages.size(); ++t) {
    const auto& s = room_.stages[t].ids;
    if (!s.ids.empty()) fields.add(id_group_field(catalog_.types[t]->name(), s.group_number), s.group);
  }
  std::size_t bytes = others.bytes();
  for (auto& c : room_.changed) {
    auto& out = fields.open();
    append_entity_field(out, catalog_.types[c.of->type]->name(), c.of->key);
    fields.name_ends();
    const auto begin = out.size();
    if (const auto* state = c.now()) {
      begin_state_blob(out, c.last_seq);
      catalog_.types[c.of->type]->encode(*state, out);
    } else {
      append_erased_blob(out, c.last_seq);
    }
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
    if (!c.as_it_was) c.of->state.swap(c.state);  // the former state is room for another
    c.of->last_seq = c.last_seq;
    c.of->bytes = c.bytes;
    c.of->touched = now.steady;
    for (auto i = c.applied_count - std::min(c.applied_count, c.applied.size()); i < c.applied_count; ++i)
      c.of->recent.add(*c.applied[i % c.applied.size()], now.wall);
    if (!c.of->state && c.last_seq == 0) room_.erased.emplace_back(c.of->type, c.of->key);
    if (!held_.empty()) held_.confirmed(c.of->type, c.of->key, c.last_seq, c.passed);
  }
  for (type_index t = 0; t < room_.stages.size(); ++t) {
    auto& s = room_.stages[t];
    processed_[t].confirm(s.ids);
    metrics.messages[t].out_of_order.add(s.out_of_order);
    metrics.messages[t].ordering_violations.add(s.violations);
  }
  receivers_ = books_.confirm();
  return std::move(sealed_);
}

void batch::undo(std::deque<queued_frame>& frames) const {
  for (std::size_t i = 0; i < room_.starts.size(); ++i) {
    if (room_.starts[i] == batch_room::untouched) continue;
    auto& f = frames[i];
    f.results.resize(room_.starts[i]);
    f.stopped = false;
    f.proven = queued_frame::proof::by_commit;
    f.blocked.clear();
    for (std::size_t j = 0; j < f.results.size(); ++j) {
      const auto& r = f.results[j];
      if (!resolved(r.kind)) f.leave_unresolved(*f.contents.messages[j], r.code);
    }
  }
}

void batch::fail(std::deque<queued_frame>& frames, const message_result& result) const {
  auto dependent = room_.places.begin();
  for (std::size_t i = 0; i < room_.starts.size(); ++i) {
    if (room_.starts[i] == batch_room::untouched) continue;
    auto& f = frames[i];
    std::unordered_set<std::string_view> failed;
    for (auto j = room_.starts[i]; j < f.results.size(); ++j) {
      const auto& m = *f.contents.messages[j];
      auto key = m.key;
      bool hit = dependent != room_.places.end() && *dependent == batch_room::place{i, j};
      if (hit) ++dependent;
      if (failed.contains(key) || (f.in_one_order() && !failed.empty())) {
        f.results[j] = behind_unresolved();
      } else if (hit) {
        f.results[j] = result;
        failed.insert(key);
        f.leave_unresolved(m, result.code);
      }
    }
  }
}

}  // namespace pawl
