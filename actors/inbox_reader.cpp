#include "actors/inbox_reader.hpp"

#include <algorithm>
#include <utility>

namespace pawl {

void inbox_reader::start(const inbox_position& taken, instant now) {
  if (!policy_.enabled) return;
  running_ = true;
  asked_ = handed_ = false;
  oldest_.reset();
  look_ = trim_ = true;
  taken_ = taken;
  missing_ = 0;
  // What could not be read may be what breaks connections, and with them claims.
  if (failures_ == 0) next_ = now.steady;
}

void inbox_reader::stop() {
  running_ = asked_ = handed_ = behind_ = false;
  oldest_.reset();
}

std::optional<read_inbox> inbox_reader::next(instant now) {
  if (!running_ || asked_ || handed_ || now.steady < next_) return std::nullopt;
  asked_ = true;
  asked_for_ = count_;
  return read_inbox{taken_.last, count_, trim_, look_};
}

/// A stream that is shorter than what was taken of it has been put back, or made anew. If its next entry may get an id
/// that was passed already, reading on could leave entries out without a word.
std::optional<inbox_reader::news> inbox_reader::judge(const inbox_stream& s, std::size_t entries) {
  const bool none_taken = taken_ == inbox_position{};
  if (s.last < taken_.last || (!s.exists && !none_taken)) {
    if (std::exchange(behind_, true)) return std::nullopt;
    return news{news::kind::stopped,
                s.exists ? "its last entry is " + to_text(s.last) + ", but " + to_text(taken_.last) + " was taken"
                         : "the stream is gone, of which " + to_text(taken_.last) + " was taken"};
  }
  if (std::exchange(behind_, false)) return news{news::kind::resumed, "its last entry is " + to_text(s.last)};
  if (taken_.taken + missing_ > s.added) {
    // How many of the former stream were not read, nobody knows.
    const auto had = std::exchange(taken_.taken, s.added - std::min<std::uint64_t>(s.added, entries));
    missing_ = 0;
    return news{news::kind::lost, "the stream was made anew: of the former one " + std::to_string(had) +
                                      " entries were taken, this one has had " + std::to_string(s.added)};
  }
  const auto seen = taken_.taken + missing_ + entries;
  if (entries < asked_for_ && seen < s.added) {
    missing_ += s.added - seen;
    lost_ += s.added - seen;
    return news{news::kind::lost,
                std::to_string(s.added - seen) + " entries behind " + to_text(taken_.last) + " were removed unread"};
  }
  return std::nullopt;
}

/// How many entries make about as many bytes as are wanted. Grows slowly: entries may become larger.
void inbox_reader::learn(const std::vector<inbox_entry>& entries) {
  std::size_t bytes = 0;
  for (const auto& e : entries)
    for (const auto& [name, value] : e.fields) bytes += name.size() + value.size();
  const auto each = std::max<std::size_t>(1, bytes / entries.size());
  const auto fit = std::max<std::size_t>(1, policy_.bytes_wanted / each);
  count_ = static_cast<std::uint32_t>(std::min<std::size_t>({fit, std::size_t{4} * count_, policy_.entries_max}));
}

inbox_reader::found inbox_reader::on_answer(inbox_answer answer, instant now) {
  found out;
  asked_ = false;
  failures_ = 0;
  trim_ = false;
  if (answer.stream) out.said = judge(*answer.stream, answer.entries.size());
  if (behind_) {
    look_ = true;
    next_ = now.steady + policy_.behind_look;
    return out;
  }
  at_end_ = answer.entries.size() < asked_for_;
  // What is missing is only seen with the stream's own count, and asking for that with each read costs more.
  look_ = at_end_;
  if (answer.entries.empty()) {
    out.watch = taken_.last;
    next_ = now.steady + policy_.slow_look;
    return out;
  }
  learn(answer.entries);
  handed_ = true;
  oldest_ = answer.entries.front().id;
  out.first_taken = taken_.taken + missing_ + 1;
  out.first_given_up = blocked_ && blocked_->first == taken_.last && now.steady - blocked_->second >= policy_.patience;
  out.entries = std::move(answer.entries);
  return out;
}

inbox_reader::news inbox_reader::on_failure(bool unknown, std::string why, instant now) {
  asked_ = false;
  // Too much for one reply, perhaps.
  if (unknown) count_ = 1;
  const auto wait = std::min(policy_.failed_max, policy_.retry * (1u << std::min(failures_, 10u)));
  ++failures_;
  next_ = now.steady + wait;
  return {news::kind::failed, std::move(why)};
}

std::optional<entry_id> inbox_reader::on_taken(const inbox_position& taken, bool all, instant now) {
  handed_ = false;
  if (!running_) return std::nullopt;
  if (taken != taken_) {
    missing_ = 0;
    trim_ = true;
  }
  taken_ = taken;
  if (!all) {
    next_ = now.steady + policy_.retry;
    if (!blocked_ || blocked_->first != taken.last) blocked_.emplace(taken.last, now.steady);
    return std::nullopt;
  }
  blocked_.reset();
  oldest_.reset();
  next_ = now.steady + (at_end_ ? policy_.tidy_after : std::chrono::milliseconds{0});
  return at_end_ ? std::optional{taken_.last} : std::nullopt;
}

void inbox_reader::on_hint(instant now) {
  if (!handed_ && failures_ == 0 && !behind_) next_ = std::min(next_, now.steady);
}

std::optional<steady_time> inbox_reader::wake() const {
  if (!running_ || asked_ || handed_) return std::nullopt;
  return next_;
}

std::chrono::milliseconds inbox_reader::lag(instant now) const noexcept {
  if (!oldest_) return std::chrono::milliseconds{0};
  return std::max(std::chrono::milliseconds{0},
                  std::chrono::milliseconds{now.wall - static_cast<unix_ms>(oldest_->ms)});
}

}  // namespace pawl
