#pragma once

#include "metrics/log.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl {

/// Something that happened on this node, under the name that it has in the log. A burst of one event, such as the
/// claims of a takeover, is one entry.
struct recent_event {
  std::int64_t at = 0;     ///< milliseconds since 1970; of the first, if several were merged
  std::int64_t until = 0;  ///< of the last
  std::uint64_t count = 1;
  log::level level = log::level::info;
  std::string name;
  /// As in the log. Merged ones have in `shard` the shards, separated by commas, and in `pause_ms` the longest.
  std::vector<std::pair<std::string, std::string>> fields;
};

/// The last events of a node, for people who look: a bounded ring that forgets the oldest. Told of every log line,
/// it keeps what is at least an `info`, and the claims and releases of shards, which are `debug` because there are
/// thousands of them. Thread-safe.
class recent_events {
public:
  static constexpr std::size_t events_max = 256;
  static constexpr std::size_t value_bytes_max = 512;
  /// Events with the same name and the same fields, but for shard and pause, no further apart than this are merged.
  static constexpr std::int64_t merged_within_ms = 1'000;

  /// @param now milliseconds since 1970
  explicit recent_events(std::function<std::int64_t()> now) : now_(std::move(now)) {}

  void add(log::level level, std::string_view name, std::span<const log::field> fields);
  /// Oldest first.
  [[nodiscard]] std::vector<recent_event> get() const;

private:
  std::function<std::int64_t()> now_;
  mutable std::mutex mutex_;
  std::deque<recent_event> ring_;
};

}  // namespace pawl
