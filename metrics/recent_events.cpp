#include "metrics/recent_events.hpp"

#include <algorithm>
#include <charconv>

namespace pawl {
namespace {

// The events of a handover interleave: claims, releases, links. Looking further back than this finds other bursts.
constexpr std::size_t merge_candidates = 8;

bool is_kept(log::level level, std::string_view name) {
  return level >= log::level::info || name == "shard claimed" || name == "shard released";
}

bool merges(std::string_view key) { return key == "shard" || key == "pause_ms"; }

std::uint64_t number(std::string_view text) {
  std::uint64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

bool same_but_for_what_merges(const recent_event& e, std::span<const log::field> fields) {
  return std::equal(e.fields.begin(), e.fields.end(), fields.begin(), fields.end(), [](const auto& a, const auto& b) {
    return a.first == b.first && (merges(a.first) || a.second == b.second);
  });
}

void merge(std::string_view key, std::string& into, const std::string& value) {
  constexpr std::string_view cut = ",...";
  if (key == "pause_ms") {
    if (number(value) > number(into)) into = value;
  } else if (key == "shard" && !into.ends_with(cut)) {
    if (into.size() + value.size() + 1 + cut.size() > recent_events::value_bytes_max) into += cut;
    else into.append(",").append(value);
  }
}

}  // namespace

void recent_events::add(log::level level, std::string_view name, std::span<const log::field> fields) {
  if (!is_kept(level, name)) return;
  std::lock_guard lock{mutex_};
  const auto at = now_();
  const auto last = std::min(ring_.size(), merge_candidates);
  for (auto it = ring_.rbegin(); it != ring_.rbegin() + static_cast<std::ptrdiff_t>(last); ++it) {
    if (it->name != name || at - it->until > merged_within_ms || !same_but_for_what_merges(*it, fields)) continue;
    it->until = at;
    ++it->count;
    for (std::size_t i = 0; i < fields.size(); ++i) merge(fields[i].first, it->fields[i].second, fields[i].second);
    return;
  }
  recent_event e{at, at, 1, level, std::string{name}, {}};
  for (const auto& [key, value] : fields) e.fields.emplace_back(key, value.substr(0, value_bytes_max));
  ring_.push_back(std::move(e));
  if (ring_.size() > events_max) ring_.pop_front();
}

std::vector<recent_event> recent_events::get() const {
  std::lock_guard lock{mutex_};
  return {ring_.begin(), ring_.end()};
}

}  // namespace pawl
