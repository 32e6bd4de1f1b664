#pragma once

#include "cluster/clock.hpp"
#include "cluster/ids.hpp"
#include "tests/bench/door_connections.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <queue>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace pawl::bench {

/// What senders saw between `open_window` and `close_window`.
struct traffic_window {
  std::vector<double> serving_ms;  ///< per watched shard: from the fault until a message sent after it was resolved
  std::vector<double> wait_ms;     ///< per key of the watched shards: the longest wait of one message, since it was due
  std::vector<double> gap_ms;      ///< per key of the watched shards: the longest time between two answers
  std::uint64_t resolved = 0;      ///< messages
  std::uint64_t retries = 0;       ///< messages sent again
  double lag_ms = 0;               ///< how late a message that was due was sent, at most: the driver's own part
  double seconds = 0;
};

/// Senders over HTTP that keep the senders' rules: per key one message after the other, and what is not resolved is
/// sent again under the same id before anything later, at once and through the next door. Messages are due at fixed
/// times, whatever becomes of earlier ones, and waits count from then.
///
/// The shards that are watched have a request each of their own every few milliseconds; the others share large ones,
/// for a request is answered when its last shard has answered.
///
/// All senders are one thread, so that they take little from what they measure. Members are for one other thread.
class order_traffic {
public:
  struct shape {
    std::uint32_t shards = 256;
    std::uint32_t keys_per_shard = 2;
    double messages_per_second = 20'000;
    double watched_requests_per_second = 4'000;
  };

  explicit order_traffic(shape s);
  /// Gives up what is under way.
  ~order_traffic();
  order_traffic(const order_traffic&) = delete;
  order_traffic& operator=(const order_traffic&) = delete;

  /// New requests go through these.
  void use_doors(std::vector<std::uint16_t> ports);
  /// Requests still under way through this door are given up and sent through another.
  void abandon_door(std::uint16_t port);

  /// Waits until nothing is under way, and goes on with these watched.
  void watch(std::vector<shard_id> shards);
  /// Instead of a pace: so many requests under way at any time, with so many messages each.
  void flood(std::uint32_t requests, std::uint32_t messages);
  /// Waits until nothing is under way, and sends no more.
  void pause();

  /// The fault was begun at `begun` and was complete by now: what is sent from now on meets its consequences. All
  /// watched shards get a message within 10 ms.
  void open_window(steady_time begun);
  /// Every watched shard has resolved a message sent after the fault.
  [[nodiscard]] bool all_serve();
  /// Every watched key has had a message resolved that was due after this time.
  [[nodiscard]] bool all_moved_on(steady_time since);
  [[nodiscard]] traffic_window close_window();

  [[nodiscard]] std::uint64_t resolved() const noexcept { return resolved_; }
  [[nodiscard]] std::size_t keys() const noexcept { return keys_.size(); }
  /// Asks a door for every order and compares it with what it must be: each message once, in order.
  /// @pre paused
  /// @throws std::runtime_error naming the first few that differ
  void check(std::uint16_t port) const;

private:
  struct key {
    std::string name;
    std::uint64_t resolved = 0;
    std::uint64_t open = 0;  ///< messages under way: those with the next numbers
    std::string chain = "0000000000000000";
    steady_time answered{};      ///< the last time
    steady_time answered_due{};  ///< when the last one answered was due
    steady_time::duration wait{};
    steady_time::duration gap{};
  };
  struct sender {
    std::vector<std::uint32_t> keys;
    std::uint32_t shard = 0;  ///< of a watched one
    bool watched = false;
    std::uint32_t messages_per_key = 1;
    steady_time::duration interval{};
    steady_time due{};   ///< of what is under way, or of what comes next
    steady_time sent{};  ///< the last attempt
    unix_ms stamp = 0;   ///< sent_at of what is under way; the same in every attempt
    bool open = false;   ///< something is not resolved
    std::uint32_t attempt = 0;
    std::uint16_t through = 0;
  };
  struct due_later {
    steady_time at;
    std::uint32_t sender;
    bool operator<(const due_later& o) const { return at > o.at; }  // the earliest on top
  };

  void work();
  void command(const std::function<void()>& what);
  void rest();
  void begin(std::vector<sender> senders);
  [[nodiscard]] sender sender_of(std::vector<std::uint32_t> keys) const;
  void send_due(steady_time now);
  void send(std::uint32_t index, steady_time now);
  void take_answer(const door_connections::answer& a);
  [[nodiscard]] bool settle(sender& s, std::string_view body, steady_time now);
  void settle_one(key& k, const sender& s, steady_time now);
  void fail(std::string why);

  shape shape_;
  std::vector<key> keys_;  ///< those of a shard side by side
  std::vector<sender> senders_;
  std::vector<steady_time::duration> serving_;  ///< per shard; zero: not yet
  std::vector<std::uint16_t> doors_;
  std::priority_queue<due_later> schedule_;
  door_connections connections_;
  std::string body_;
  std::size_t under_way_ = 0;  ///< senders with something open
  bool paused_ = true;
  bool window_open_ = false;
  steady_time fault_{};
  steady_time fault_complete_{};
  traffic_window window_;
  std::atomic<std::uint64_t> resolved_{0};

  std::mutex mutex_;  ///< of the following
  std::vector<std::function<void()>> commands_;
  std::string failure_;
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

}  // namespace pawl::bench
