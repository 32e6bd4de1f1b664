#pragma once

#include "actors/frame.hpp"
#include "cluster/clock.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace pawl {

struct courier_policy {
  std::chrono::milliseconds timeout{5'000};
  std::size_t frames_max = 4'096;
};

/// The router's side of sequenced frames for one shard: takes each to the shard's owner once it is known, and the
/// answer back. It keeps nothing beyond that: a frame whose answer may not come any more is given back without one, and
/// its source, which has stored the messages, sends them again. Performs no I/O; not thread-safe.
class courier {
public:
  /// Without an answer the frame may have been taken, or not.
  using callback = std::function<void(std::optional<frame_answer>)>;
  struct effects {
    std::vector<frame> send;  ///< to the owner, as the route names it
    std::vector<std::pair<callback, std::optional<frame_answer>>> done;
  };

  explicit courier(courier_policy policy) : policy_(policy) {}

  effects submit(frame f, callback done, instant now);
  effects on_route(std::optional<link_number> route, view_number view);
  effects on_answer(link_number from, frame_answer a);
  effects tick(instant now);
  /// Gives back all, and whatever is submitted from now on: the node stops.
  effects close();
  [[nodiscard]] std::optional<steady_time> wake() const;

private:
  struct pending {
    frame waiting;  ///< for a route; without messages once it was sent
    callback done;
    steady_time deadline;
    bool sent = false;
  };
  void give_back(effects& out, pending& p) { out.done.emplace_back(std::move(p.done), std::nullopt); }

  courier_policy policy_;
  std::optional<link_number> route_;
  view_number view_{};
  std::uint64_t number_ = 0;
  bool closed_ = false;
  std::map<std::uint64_t, pending> pending_;
};

}  // namespace pawl
