#include "actors/shard_books.hpp"

#include <utility>

namespace pawl {

void shard_books::seal(field_list& out) {
  marks.seal(out);
  sends.seal(out);
  timers.seal(out);
  letters.seal(out);
  suspects.seal(out);
}

std::vector<shard_id> shard_books::confirm() {
  marks.confirm();
  timers.confirm();
  letters.confirm();
  suspects.confirm();
  return sends.confirm();
}

void shard_books::drop() {
  marks.drop();
  sends.drop();
  timers.drop();
  letters.drop();
}

slot_counts shard_books::counts() const noexcept {
  return {marks.slots(), sends.pair_slots(), sends.record_slots(), timers.slots(), letters.slots()};
}

std::vector<std::string> shard_books::reset(const slot_counts& stored) {
  loading_ = stored;
  marks.reset(stored.marks);
  sends.reset(stored.records, stored.pairs);
  timers.reset(stored.timers);
  letters.reset(stored.letters);
  dead_records_.clear();
  dead_timers_.clear();
  dead_letters_.clear();
  std::vector<std::string> fields;
  fields.reserve(stored.marks + stored.pairs + stored.records + stored.timers);
  auto all_of = [&fields](char kind, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) fields.push_back(slot_field(kind, i));
  };
  all_of(source_marks::kind, stored.marks);
  all_of(outbox::pair_kind, stored.pairs);
  all_of(outbox::record_kind, stored.records);
  all_of(timer_book::kind, stored.timers);
  return fields;
}

std::string shard_books::load(const std::vector<std::optional<std::string>>& values, std::size_t first) {
  auto at = first;
  auto next = [&]() -> const std::optional<std::string>& { return values[at++]; };
  if (values.size() - first != loading_.marks + loading_.pairs + loading_.records + loading_.timers)
    return "not all fields were answered";
  for (std::uint32_t i = 0; i < loading_.marks; ++i)
    if (const auto& v = next(); !v) marks.load_nothing(i);
    else if (!marks.load(i, *v)) return "the mark of a source is damaged";
  for (std::uint32_t i = 0; i < loading_.pairs; ++i)
    if (const auto& v = next(); !v) sends.load_no_pair(i);
    else if (!sends.load_pair(i, *v)) return "the outbox of a receiver is damaged";
  for (std::uint32_t i = 0; i < loading_.records; ++i)
    if (const auto& v = next(); !v) sends.load_no_record(i);
    else if (!sends.load_record(i, *v)) return "a message of the outbox is damaged";
  if (!sends.loaded()) return "messages of the outbox are missing";
  for (std::uint32_t i = 0; i < loading_.timers; ++i)
    if (const auto& v = next(); !v) timers.load_nothing(i);
    else if (!timers.load(i, *v)) return "a timer is damaged";
  return {};
}

std::vector<std::string> shard_books::dead_fields(std::size_t most) {
  dead_records_ = sends.stale_records(most);
  dead_timers_ = timers.stale(most - dead_records_.size());
  dead_letters_ = letters.stale(most - dead_records_.size() - dead_timers_.size());
  std::vector<std::string> fields;
  for (auto n : dead_records_) fields.push_back(slot_field(outbox::record_kind, n));
  for (auto n : dead_timers_) fields.push_back(slot_field(timer_book::kind, n));
  for (auto n : dead_letters_) fields.push_back(slot_field(letter_book::kind, n));
  return fields;
}

void shard_books::cleaned() {
  for (auto n : std::exchange(dead_records_, {})) sends.cleaned(n);
  for (auto n : std::exchange(dead_timers_, {})) timers.cleaned(n);
  for (auto n : std::exchange(dead_letters_, {})) letters.cleaned(n);
}

}  // namespace pawl
