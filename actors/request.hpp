#pragma once

#include "actors/message.hpp"
#include "cluster/invariant.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace pawl {

/// A batch that a door handed in, waiting for the result of each of its messages. Shards answer their parts from
/// different threads; whoever gives the last result calls `done`.
class pending_request {
public:
  pending_request(std::size_t messages, std::function<void(std::vector<message_result>)> done)
      : results_(messages), open_(messages), done_(std::move(done)) {}

  /// Once for each index. Different indexes may be answered concurrently.
  void answer(std::size_t index, message_result result) {
    // Before the result is written: once all are given, there is no place for it any more.
    PAWL_INVARIANT(open_.load(std::memory_order_relaxed) > 0, "a message was answered twice");
    results_[index] = std::move(result);
    // Releases the result to whoever counts down last, and acquires all others there.
    if (open_.fetch_sub(1, std::memory_order_acq_rel) == 1) done_(std::move(results_));
  }

private:
  std::vector<message_result> results_;
  std::atomic<std::size_t> open_;
  std::function<void(std::vector<message_result>)> done_;
};

/// The place in a request where one message's result belongs.
struct reply_slot {
  std::shared_ptr<pending_request> request;
  std::uint32_t index = 0;
};

}  // namespace pawl
