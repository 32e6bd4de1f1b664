#pragma once

#include "cluster/ids.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::bench {

struct workload_options {
  std::string prefix;  ///< of the orders' keys. Each sender has its own: per key there is one sender
  std::string tag;     ///< of the message ids, so that a second workload over the same orders is new
  std::uint32_t orders = 1'000;
  std::uint64_t messages = 400'000;  ///< duplicates included
  double duplicates = 0.05;          ///< of all messages: the second sending of one, 1 to 200 messages later
  std::size_t payload_bytes = 180;   ///< of a message, encoded; a state is some 20 larger
  std::uint32_t pause_us = 0;        ///< how long the handler of each sleeps
};

/// A message, made up before the clock starts. What it says follows from its number.
struct event {
  std::uint32_t order;
  std::uint32_t number;  ///< of the distinct message; a duplicate has the number of what it repeats
};

/// Order events, round robin over the orders in shuffled rounds, as typical streams interleave; a share of them comes
/// twice with the same id. The sequence depends on the options alone, so that several programs can make up the same.
class workload {
public:
  /// How many different payloads there are.
  static constexpr std::size_t payload_variants = 64;

  explicit workload(workload_options o);

  [[nodiscard]] const workload_options& options() const noexcept { return options_; }
  [[nodiscard]] const std::vector<event>& events() const noexcept { return events_; }
  /// How many messages there are, each repeated one counted once.
  [[nodiscard]] std::uint64_t distinct() const noexcept { return distinct_; }
  /// All numbers are below this.
  [[nodiscard]] std::uint32_t number_end() const noexcept { return number_end_; }
  [[nodiscard]] std::string_view payload(const event& e) const noexcept {
    return payloads_[e.number % payloads_.size()];
  }

  /// Drops the messages of all other keys.
  void keep(const std::function<bool(std::string_view key)>& sent);

  /// As in the payload.
  [[nodiscard]] std::int64_t amount(const event& e) const noexcept;
  [[nodiscard]] static std::string key_of(std::string_view prefix, std::uint64_t order);

  /// All that a message says but its payload, as text that is valid until the next `put`.
  class words {
  public:
    explicit words(const workload& w);
    void put(const event& e);
    [[nodiscard]] std::string_view key() const noexcept { return key_; }
    [[nodiscard]] std::string_view id() const noexcept { return id_; }

  private:
    std::size_t key_prefix_, id_prefix_;
    std::string key_, id_;
  };

private:
  workload_options options_;
  std::uint64_t distinct_ = 0;
  std::uint32_t number_end_ = 0;
  std::vector<event> events_;
  std::array<std::string, payload_variants>
      payloads_;  ///< encoded before the clock starts: by no side, and so by both alike
};

/// For `sent_at`: milliseconds since 1970 by this machine.
[[nodiscard]] unix_ms wall_now();

}  // namespace pawl::bench
