#pragma once

#include "cluster/clock.hpp"
#include "persistence/shard_store.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pawl {

struct inbox_policy {
  bool enabled = false;
  std::uint32_t entries_max = 1'024;           ///< read at a time
  std::size_t bytes_wanted = 1024 * 1024;      ///< about as many are read at a time
  std::chrono::milliseconds retry{1'000};      ///< before an entry that cannot be taken now is tried again
  std::chrono::milliseconds patience{60'000};  ///< with an entry of an unknown type; then it becomes a dead letter
  /// At its end, before what was taken is removed, and once more looked behind.
  std::chrono::milliseconds tidy_after{500};
  std::chrono::milliseconds slow_look{300'000};  ///< then
  std::chrono::milliseconds behind_look{5'000};  ///< at a stream that is behind
  std::chrono::milliseconds failed_max{60'000};  ///< between tries that fail
};

/// Decides when the inbox of a shard is read, from where, and how much at a time; and sees what is missing of it.
///
/// Reads on from what is confirmed, never from what it remembers (rule A9), and only once that has been taken: so at
/// most one answer waits. Performs no I/O. Not thread-safe.
class inbox_reader {
public:
  struct news {
    enum class kind : std::uint8_t {
      lost,     ///< entries were removed from the stream before they were read; it goes on
      stopped,  ///< the stream is behind what was taken: what comes next might be passed over
      resumed,
      failed,  ///< it could not be read; tried again
    };
    kind what;
    std::string text;
  };
  struct found {
    std::vector<inbox_entry> entries;
    std::uint64_t first_taken = 0;  ///< number of the first of them
    bool first_given_up = false;    ///< it could not be taken for longer than patience lasts
    std::optional<entry_id> watch;  ///< from here on, somebody should tell `on_hint`, once
    std::optional<news> said;
  };

  explicit inbox_reader(inbox_policy policy) : policy_(policy), count_(first_count) {}

  /// The shard is held, and this much of its inbox is taken.
  void start(const inbox_position& taken, instant now);
  /// It is not held any more, or that is in doubt. No answer is listened to.
  void stop();

  /// What to ask of the store now, if anything.
  [[nodiscard]] std::optional<read_inbox> next(instant now);
  [[nodiscard]] found on_answer(inbox_answer answer, instant now);
  [[nodiscard]] news on_failure(bool unknown, std::string why, instant now);
  /// What `found` had was handled; as much as `taken` says is confirmed to be taken. `all`: all of it.
  /// Returns from where on somebody should tell `on_hint`: its end has been reached.
  [[nodiscard]] std::optional<entry_id> on_taken(const inbox_position& taken, bool all, instant now);
  void on_hint(instant now);

  [[nodiscard]] std::optional<steady_time> wake() const;
  [[nodiscard]] bool stopped() const noexcept { return behind_; }
  /// Age of the oldest entry that was read and is not taken, by its id and this clock; none: 0.
  [[nodiscard]] std::chrono::milliseconds lag(instant now) const noexcept;
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

private:
  static constexpr std::uint32_t first_count = 64;
  [[nodiscard]] std::optional<news> judge(const inbox_stream& s, std::size_t entries);
  void learn(const std::vector<inbox_entry>& entries);

  inbox_policy policy_;
  bool running_ = false;
  bool asked_ = false;   ///< the store
  bool handed_ = false;  ///< entries, which are not taken yet
  bool look_ = true;     ///< at the stream as well
  bool trim_ = true;     ///< what is taken may still be there
  bool behind_ = false;
  bool at_end_ = false;  ///< the last answer was
  inbox_position taken_;
  std::uint64_t missing_ = 0;  ///< entries behind `taken_` that are known to be gone
  std::uint64_t lost_ = 0;     ///< ever
  std::uint32_t count_;
  std::uint32_t asked_for_ = 0;
  steady_time next_{};
  unsigned failures_ = 0;
  std::optional<entry_id> oldest_;  ///< of what was handed out
  /// Behind this the first entry could not be taken, since then.
  std::optional<std::pair<entry_id, steady_time>> blocked_;
};

}  // namespace pawl
