#pragma once

#include "actors/frame.hpp"
#include "actors/request.hpp"
#include "cluster/clock.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_set>

namespace pawl {

struct lane_policy {
  std::size_t messages_max = 8'192;
  std::size_t bytes_max = 32 * 1024 * 1024;
  std::chrono::milliseconds timeout{5'000};  ///< unresolved after this: given up, and all behind it of the same key
  std::chrono::milliseconds retry{5};        ///< first pause before a frame is sent again; doubles up to `retry_max`
  std::chrono::milliseconds retry_max{200};
};

struct lane_effects {
  std::optional<frame> send;  ///< to the shard's owner, as `route` names it
  answer_list answers;
  view_number seen_view;  ///< above 0: the owner knows a view this new; fetch it
  bool moved = false;     ///< whoever was asked does not own the shard
};

/// The router's side of one shard on one node: keeps messages in the order they came in until each is resolved, and
/// has at most one frame under way to the owner (rule B15). After anything but a plain answer the head is sent again,
/// with the same ids, to whoever the owner is then: processed ids make that harmless.
///
/// For each key results are given in the order of the messages, and once one is given up unresolved, so are all behind
/// it of that key (rule B13).
///
/// Bounded; what does not fit is answered `busy`. Performs no I/O; not thread-safe.
class lane {
public:
  lane(shard_id shard, lane_policy policy);

  lane_effects submit(std::span<submission> parts, instant now);
  /// Where the owner is reached now: nothing if it is unknown or its link is down. Another owner, or another link to
  /// the same, means that an answer to the frame under way may never come.
  lane_effects on_route(std::optional<link_number> route, view_number view);
  lane_effects on_answer(link_number from, frame_answer a, instant now);
  lane_effects tick(instant now);
  /// Gives up everything, and whatever is submitted from now on: the node stops.
  lane_effects close();

  [[nodiscard]] std::optional<link_number> route() const noexcept { return route_; }
  [[nodiscard]] std::optional<steady_time> wake() const;
  [[nodiscard]] std::size_t size() const noexcept { return queue_.size(); }
  /// Since when messages have waited without the owner judging any of them: nothing after it has, and none came since.
  /// That those messages were given up changes nothing about that.
  [[nodiscard]] std::optional<steady_time> waiting_since() const noexcept { return waiting_since_; }
  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }

private:
  /// Messages that were submitted together, while any of them waits.
  struct origin {
    std::shared_ptr<pending_request> request;
    steady_time deadline;
    std::size_t waiting = 0;
  };
  struct waiting {
    const message* msg;
    origin* from;
    std::uint32_t index;  ///< in its request
    bool sent = false;    ///< it may have taken effect
  };
  void answer(lane_effects& out, waiting& w, message_result result);
  void forget_answered();
  void send_if_possible(lane_effects& out);
  void give_up(lane_effects& out, instant now);
  void block_behind(lane_effects& out, std::size_t first, const std::unordered_set<std::string_view>& keys);
  void lose_frame() { under_way_ = 0; }
  void pause(instant now);

  shard_id shard_;
  lane_policy policy_;
  std::deque<waiting> queue_;
  std::deque<origin> origins_;  ///< oldest first; what is in `queue_` points into it
  std::size_t bytes_ = 0;
  std::optional<link_number> route_;
  view_number view_{};
  std::uint64_t number_ = 0;   ///< of the last frame
  std::size_t under_way_ = 0;  ///< messages at the head that are in the frame; 0: none is under way
  link_number under_way_to_ = 0;
  std::uint64_t sent_ = 0;
  bool closed_ = false;
  std::chrono::milliseconds pause_{0};
  std::optional<steady_time> not_before_;
  std::optional<steady_time> waiting_since_;
};

}  // namespace pawl
