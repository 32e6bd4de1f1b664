#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pawl {

/// A counter with one writer thread at a time and any number of readers: a plain load and store, no locked instruction.
class single_writer_counter {
public:
  void add(std::uint64_t n = 1) noexcept {
    v_.store(v_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void set(std::uint64_t n) noexcept { v_.store(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const noexcept { return v_.load(std::memory_order_relaxed); }

private:
  std::atomic<std::uint64_t> v_{0};
};

/// Counts durations into fixed buckets; single writer. Bounds in seconds, ascending; the last bucket is unbounded.
template <std::size_t N>
class single_writer_histogram {
public:
  explicit constexpr single_writer_histogram(const std::array<double, N>& bounds) : bounds_(&bounds) {}
  void observe(double v, std::uint64_t times = 1) noexcept {
    std::size_t i = 0;
    while (i < N && v > (*bounds_)[i]) ++i;
    counts_[i].add(times);
    // Nanoseconds: a sum of doubles could not be a single relaxed store without losing small terms.
    sum_ns_.add(static_cast<std::uint64_t>(v * 1e9) * times);
  }
  [[nodiscard]] const std::array<double, N>& bounds() const noexcept { return *bounds_; }
  [[nodiscard]] std::uint64_t count(std::size_t bucket) const noexcept { return counts_[bucket].value(); }
  [[nodiscard]] double sum() const noexcept { return static_cast<double>(sum_ns_.value()) * 1e-9; }
  static constexpr std::size_t buckets = N + 1;

private:
  const std::array<double, N>* bounds_;
  std::array<single_writer_counter, N + 1> counts_{};
  single_writer_counter sum_ns_;
};

/// LAT: latencies. The objective (50 ms) is a bucket edge.
inline constexpr std::array<double, 14> latency_bounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                                       0.025,  0.05,    0.1,    0.25,  0.5,    1,     2.5};
/// LONG: pauses.
inline constexpr std::array<double, 11> pause_bounds{0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

enum class message_outcome : std::uint8_t { applied, duplicate, refused, busy, unknown };
inline constexpr std::array<const char*, 5> message_outcome_names{"applied", "duplicate", "refused", "busy", "unknown"};

/// Per shard and entity type.
struct message_metrics {
  std::array<single_writer_counter, message_outcome_names.size()> outcomes;
  single_writer_counter out_of_order;         ///< arrived with a seq below or beyond the next one
  single_writer_counter ids;                  ///< of messages applied or refused for good: remembered now
  single_writer_counter ordering_violations;  ///< applied with a seq not above the last applied one; must stay 0
  single_writer_histogram<latency_bounds.size()> latency{latency_bounds};  ///< accepted at the owner → committed
  // Of sequenced types.
  single_writer_counter held;        ///< early messages in memory now
  single_writer_counter early_held;  ///< early messages that were held, or are: a repetition counts again
  single_writer_counter early_full;  ///< early messages that were not held
  single_writer_counter gaps_opened;
  single_writer_counter gaps_filled;     ///< the missing numbers came
  single_writer_counter gaps_timed_out;  ///< they had not come within the type's gap_timeout
};

enum class handoff_reason : std::uint8_t { start, join, drain, takeover };
inline constexpr std::array<const char*, 4> handoff_reason_names{"start", "join", "drain", "takeover"};

/// Written by one shard's actor alone; read by the exporter at any time.
struct shard_metrics {
  explicit shard_metrics(std::size_t entity_types) : messages(entity_types) {}
  std::vector<message_metrics> messages;  ///< index: entity type, in the order given to `run`
  single_writer_counter owned;            ///< 1 while the claim is held
  single_writer_counter entities;         ///< in memory
  single_writer_counter queued;           ///< messages waiting at this node
  single_writer_counter commits;
  single_writer_counter commits_refused;  ///< error reply of the store: certainly not applied
  single_writer_counter commits_fenced;   ///< written into a dead name
  single_writer_counter commits_unknown;  ///< no conclusive answer
  single_writer_counter committed_messages;
  single_writer_counter forwarded;            ///< messages sent on to another member
  single_writer_counter sequenced_messages;   ///< of sources: taken, applied or refused for good
  single_writer_counter sequence_mismatches;  ///< frames of sources that did not follow what was taken
  single_writer_counter outbox_messages;      ///< sent by entities, not known to be taken
  single_writer_counter outbox_stopped;       ///< receivers to which nothing is sent any more, after a rollback
  single_writer_counter timers;               ///< pending
  single_writer_counter timers_fired;
  single_writer_counter dead_letters;  ///< kept
  single_writer_counter dead_letters_added;
  single_writer_counter inbox_entries;  ///< taken
  single_writer_counter inbox_lost;     ///< removed from the stream before they were read, as far as is known
  single_writer_counter inbox_stopped;  ///< 1 while the stream is behind what was taken
  single_writer_counter inbox_lag_ms;   ///< age of the oldest entry that was read and is not taken
  single_writer_counter claims;
  std::array<single_writer_counter, handoff_reason_names.size()> handoffs;  ///< shard began to be served here
  single_writer_histogram<latency_bounds.size()> commit_latency{latency_bounds};
  /// From "placed here" to "served here": what a message for the shard may have to wait.
  single_writer_histogram<pause_bounds.size()> handoff_pause{pause_bounds};
};

/// For how long this node would still be a member if it did not beat any more. It falls by itself between beats, so it
/// is computed when it is looked at: a gauge that the beating thread sets would stand still exactly when that thread
/// does. One writer, any number of readers.
class lease_margin {
public:
  using clock = std::chrono::steady_clock;

  explicit lease_margin(std::chrono::milliseconds lease = {}) : lease_ms_(lease.count()) {}
  void set_lease(std::chrono::milliseconds lease) noexcept { lease_ms_ = lease.count(); }
  /// @param beat when the last confirmed beat was sent; nothing: this node is no member, or has not beaten yet
  void show(std::optional<clock::time_point> beat) noexcept {
    beat_ns_ = beat ? std::chrono::nanoseconds{beat->time_since_epoch()}.count() : none;
  }
  /// Never below 0.
  [[nodiscard]] std::optional<std::chrono::milliseconds> remaining(clock::time_point now) const noexcept {
    const auto beat = beat_ns_.load();
    if (beat == none) return std::nullopt;
    const auto age = now - clock::time_point{std::chrono::nanoseconds{beat}};
    return std::max(std::chrono::milliseconds{0}, std::chrono::milliseconds{lease_ms_.load()} -
                                                      std::chrono::duration_cast<std::chrono::milliseconds>(age));
  }

private:
  static constexpr std::int64_t none = -1;
  std::atomic<std::int64_t> lease_ms_;
  std::atomic<std::int64_t> beat_ns_{none};
};

/// All instruments of one node. Written by the runtime, read by the exporter; lives as long as the node.
struct node_metrics {
  node_metrics(std::uint32_t shard_count, std::vector<std::string> entity_type_names);

  std::vector<std::string> entity_types;
  std::vector<std::unique_ptr<shard_metrics>> shards;
  std::atomic<std::uint64_t> view{0};
  std::atomic<std::uint64_t> members{0};
  std::atomic<std::uint64_t> store_up{0};
  std::atomic<std::uint64_t> store_reconnects{0};
  std::atomic<std::uint64_t> peer_links{0};
  std::atomic<std::uint64_t> peer_bytes_in{0};
  std::atomic<std::uint64_t> peer_bytes_out{0};
  std::atomic<std::uint64_t> evictions{0};  ///< of this member, by others
  lease_margin lease;
  /// From sending a beat to its confirmation. Written by the member actor alone.
  single_writer_histogram<latency_bounds.size()> lease_renewal{latency_bounds};
  std::atomic<std::uint64_t> shards_stalled{0};
  std::atomic<std::uint64_t> shards_unserved{0};
  std::atomic<std::uint64_t> shard_unserved_max_ms{0};
  std::atomic<std::uint64_t> http_requests_2xx{0};
  std::atomic<std::uint64_t> http_requests_4xx{0};
  std::atomic<std::uint64_t> http_requests_5xx{0};
};

}  // namespace pawl
