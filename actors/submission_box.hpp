#pragma once

#include "actors/queue_room.hpp"
#include "actors/request.hpp"

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace pawl {

/// Submissions that a shard's actor has not taken yet. One message to the actor announces all that come until it looks,
/// so a busy shard takes many at once. Bounded: a flood is turned away here, by the thread that brings it, and costs
/// the actors nothing. Thread-safe.
class submission_box {
public:
  enum class outcome : std::uint8_t {
    put,
    first,  ///< put, and the actor must be told
    full,   ///< not put
  };
  /// @param behind messages that the actor has taken from here, and not done with
  /// @param most messages that may wait here and there, and bytes here; one submission always may
  [[nodiscard]] outcome put(submission s, std::size_t behind, queue_load most) {
    const auto& block = *s.request->block();
    const auto share = block.bytes.size() * s.indexes.size() / block.messages.size();
    const std::lock_guard lock{mutex_};
    const auto waiting = behind + load_.messages;
    if (waiting != 0 && (waiting + s.indexes.size() > most.messages || load_.bytes + share > most.bytes))
      return outcome::full;
    load_.messages += s.indexes.size();
    load_.bytes += share;
    waiting_.push_back(std::move(s));
    return std::exchange(announced_, true) ? outcome::put : outcome::first;
  }
  /// Takes all there are; `into` is empty before.
  void take(std::vector<submission>& into) {
    const std::lock_guard lock{mutex_};
    announced_ = false;
    load_ = {};
    into.swap(waiting_);
  }

private:
  std::mutex mutex_;
  std::vector<submission> waiting_;
  queue_load load_;  ///< bytes: about
  bool announced_ = false;
};

}  // namespace pawl
