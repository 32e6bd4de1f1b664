#include "persistence/processed_set.hpp"

#include "cluster/bytes.hpp"
#include "cluster/invariant.hpp"

#include <algorithm>
#include <cstring>

namespace pawl {
namespace {

constexpr std::uint8_t format = 1;
// A lookup asks every generation, so there are few; a generation leaves as one, so it must not span the whole window.
constexpr int generations_per_window = 8;
constexpr std::size_t generation_ids = 1'000'000;

}  // namespace

processed_set::processed_set(std::string type, retention_policy policy) : policy_(policy) {
  groups_.type = std::move(type);
}

processed_set::verdict processed_set::judge(const message_digest& d, unix_ms sent_at,
                                            message_digest& known) const noexcept {
  // Newest first: copies mostly follow soon. NOLINTNEXTLINE(modernize-loop-convert): clang 14 cannot reverse a range
  for (auto g = generations_.rbegin(); g != generations_.rend(); ++g) {
    const auto* found = g->ids.find(d);
    if (found == nullptr) continue;
    known = *found;
    if (known.fingerprint() != d.fingerprint()) return verdict::reused;
    return known.refused() ? verdict::refused : verdict::duplicate;
  }
  return sent_at <= groups_.floor ? verdict::too_old : verdict::fresh;
}

bool processed_set::full(std::size_t more, unix_ms high) const noexcept {
  auto kept = count_;
  for (std::size_t i = 0, n = expired(std::max(groups_.high, high)); i < n; ++i) kept -= generations_[i].ids.size();
  return kept + more > policy_.ids_max;
}

/// How many of the oldest generations lie wholly below the window that ends at `high`. If all do, the last group is
/// dead too and is not rewritten any more.
std::size_t processed_set::expired(unix_ms high) const noexcept {
  std::size_t n = 0;
  while (n < generations_.size() && generations_[n].greatest_sent_at <= high - policy_.window.count()) ++n;
  return n;
}

void processed_set::seal(staged& s) const {
  s.after = groups_;
  s.after.high = std::max(groups_.high, s.high);
  auto dead = expired(s.after.high);
  for (std::size_t i = 0; i < dead; ++i) {
    s.after.floor = std::max(s.after.floor, generations_[i].greatest_sent_at);
    s.after.first = generations_[i].end_group;
  }
  if (s.ids.empty()) return;
  s.new_group = tail_.empty() || dead == generations_.size();
  s.group_number = s.new_group ? groups_.next : groups_.next - 1;
  s.after.next = s.group_number + 1;
  auto greatest = s.new_group ? s.greatest_sent_at : std::max(s.greatest_sent_at, tail_greatest_);
  s.group.clear();
  s.group.reserve(9 + (tail_.size() + s.ids.size()) * 16);
  byte_writer w{s.group};
  w.u8(format);
  w.i64(greatest);
  auto put = [&w](const message_digest& d) { w.raw({reinterpret_cast<const char*>(d.bytes.data()), d.bytes.size()}); };
  if (!s.new_group)
    for (const auto& d : tail_) put(d);
  for (const auto& d : s.ids) put(d);
}

void processed_set::add(std::uint64_t group, unix_ms greatest, const std::vector<message_digest>& ids) {
  bool open = generations_.empty();
  // A group belongs to one generation: a rewritten group stays where it is.
  if (!open && generations_.back().end_group <= group) {
    const auto& last = generations_.back();
    // Only time that moves on opens one: old messages that are replayed between new ones would open one at every turn.
    open = greatest - last.opened_at > policy_.window.count() / generations_per_window ||
           last.ids.size() >= generation_ids;
  }
  if (open) {
    generations_.emplace_back();
    generations_.back().opened_at = greatest;
  }
  auto& g = generations_.back();
  g.end_group = group + 1;
  g.greatest_sent_at = std::max(g.greatest_sent_at, greatest);
  for (const auto& d : ids) {
    count_ += g.ids.insert(d) ? 1 : 0;
    g.replied = g.replied || d.replied();
  }
}

void processed_set::confirm(const staged& s) {
  auto dead = expired(s.after.high);
  if (dead == generations_.size()) tail_.clear();
  for (std::size_t i = 0; i < dead; ++i) {
    count_ -= generations_.front().ids.size();
    if (generations_.front().replied) generations_.front().ids.collect_replied(dead_replies_);
    generations_.pop_front();
  }
  // A trim may have been answered since `seal`; forgetting it would ask for the same fields for ever while commits
  // follow each other without a gap.
  const auto trimmed = std::max(s.after.trimmed, groups_.trimmed);
  groups_ = s.after;
  groups_.trimmed = trimmed;
  if (s.ids.empty()) return;
  if (s.new_group) tail_greatest_ = s.greatest_sent_at;
  tail_greatest_ = std::max(tail_greatest_, s.greatest_sent_at);
  add(s.group_number, tail_greatest_, s.ids);
  tail_.insert(tail_.end(), s.ids.begin(), s.ids.end());
  if (tail_.size() >= group_ids) tail_.clear();
}

std::vector<std::string> processed_set::dead_fields(std::size_t most) {
  std::vector<std::string> out;
  asked_replies_ = std::min(most, dead_replies_.size());
  for (std::size_t i = 0; i < asked_replies_; ++i) out.push_back(reply_field(dead_replies_[i]));
  asked_groups_ = asked_replies_ < dead_replies_.size()
                      ? 0
                      : std::min<std::size_t>(most - out.size(), groups_.first - groups_.trimmed);
  for (std::size_t i = 0; i < asked_groups_; ++i) out.push_back(id_group_field(groups_.type, groups_.trimmed + i));
  return out;
}

void processed_set::removed() {
  dead_replies_.erase(dead_replies_.begin(), dead_replies_.begin() + static_cast<std::ptrdiff_t>(asked_replies_));
  groups_.trimmed += asked_groups_;
  asked_replies_ = asked_groups_ = 0;
}

void processed_set::reset(id_groups g) {
  PAWL_INVARIANT(g.type == groups_.type, "id groups of another entity type");
  groups_ = std::move(g);
  generations_.clear();
  tail_.clear();
  tail_greatest_ = 0;
  count_ = 0;
  loaded_ = groups_.first;
  dead_replies_.clear();
  asked_replies_ = asked_groups_ = 0;
}

std::vector<std::string> processed_set::untrimmed_fields() const {
  std::vector<std::string> out;
  for (auto n = groups_.trimmed; n < groups_.first; ++n) out.push_back(id_group_field(groups_.type, n));
  return out;
}

void processed_set::load_dead(std::string_view group) {
  constexpr std::size_t head = 9;
  for (auto at = head; at + 16 <= group.size(); at += 16) {
    message_digest d;
    std::memcpy(d.bytes.data(), group.data() + at, 16);
    if (d.replied()) dead_replies_.emplace_back(d.id_part());
  }
}

std::vector<std::string> processed_set::live_fields() const {
  std::vector<std::string> out;
  out.reserve(groups_.next - groups_.first);
  for (auto n = groups_.first; n < groups_.next; ++n) out.push_back(id_group_field(groups_.type, n));
  return out;
}

bool processed_set::load(std::string_view group) {
  byte_reader r{group};
  if (r.u8() != format) return false;
  auto greatest = r.i64();
  if (r.failed() || greatest < 0 || r.left() % 16 != 0 || r.left() == 0 || loaded_ >= groups_.next) return false;
  std::vector<message_digest> ids(r.left() / 16);
  for (auto& d : ids) std::memcpy(d.bytes.data(), r.raw(16).data(), 16);
  add(loaded_, greatest, ids);
  ++loaded_;
  if (loaded_ == groups_.next && ids.size() < group_ids) {
    tail_greatest_ = greatest;
    tail_ = std::move(ids);
  }
  return true;
}

}  // namespace pawl
