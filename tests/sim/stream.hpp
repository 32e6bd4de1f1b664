#pragma once

#include "persistence/shard_store.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace pawl::sim {

/// A stream as Redis has it, as far as an inbox needs one. Ids rise, whatever the clock does.
class stream {
public:
  using fields = std::vector<std::pair<std::string, std::string>>;

  entry_id add(unix_ms now, fields f) {
    exists_ = true;
    const entry_id by_clock{static_cast<std::uint64_t>(now), 0};
    last_ = std::max(by_clock, last_.next());
    entries_.push_back({last_, std::move(f)});
    ++added_;
    return last_;
  }
  /// Removes entries up to and with `through`.
  void trim(const entry_id& through) {
    std::erase_if(entries_, [&](const inbox_entry& e) { return e.id <= through; });
  }
  [[nodiscard]] std::vector<inbox_entry> read(const entry_id& after, std::size_t count) const {
    std::vector<inbox_entry> out;
    for (const auto& e : entries_)
      if (e.id > after && out.size() < count) out.push_back(e);
    return out;
  }
  [[nodiscard]] inbox_stream state() const { return {exists_, last_, added_}; }
  [[nodiscard]] const std::vector<inbox_entry>& entries() const noexcept { return entries_; }
  /// `XSETID`: what comes next gets a greater id.
  void set_last(const entry_id& id) { last_ = id; }

  [[nodiscard]] inbox_answer answer(const read_inbox& op) {
    inbox_answer a;
    if (op.trim) trim(op.taken);
    if (op.look) a.stream = state();
    a.entries = read(op.taken, op.count);
    return a;
  }

private:
  std::vector<inbox_entry> entries_;
  entry_id last_;
  std::uint64_t added_ = 0;
  bool exists_ = false;
};

}  // namespace pawl::sim
