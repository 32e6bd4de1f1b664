#pragma once

#include "actors/frame.hpp"
#include "actors/outbox.hpp"
#include "cluster/clock.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pawl {

struct relay_policy {
  std::chrono::milliseconds retry{5};  ///< first pause before a frame is sent again; doubles up to `retry_max`
  std::chrono::milliseconds retry_max{200};
};

/// What the relay wants done.
struct relay_effects {
  std::vector<frame> send;  ///< each to the shard it names
  /// It must be proven that this member still owns the shard, by a question asked from now on; then `proven`.
  bool prove = false;
  struct note {
    shard_id receiver;
    bool stopped = false;  ///< else it goes on, past what the receiver lost or this shard has taken back
    std::string text;
  };
  std::vector<note> notes;
};

/// Brings what is in the outbox of one shard to the shards it is for: to each in order, one frame under way, the next
/// after the previous is answered. A slow receiver holds up nobody else.
///
/// The receiver's answer is what it has taken of this shard. If that is a message of this shard's, it and all before it
/// are delivered. Else a store was rolled back: the relay goes on from the latest message both know, or stops the pair
/// if there is none, but only once it is proven that this member still owns the shard; the one who was deposed would
/// stop what its successor does rightly (`tests/models/outbox.pml`).
///
/// Performs no I/O; not thread-safe.
class relay {
public:
  relay(shard_id self, relay_policy policy) : self_(self), policy_(policy) {}

  /// The shard was claimed and the outbox loaded: sends what is stored.
  relay_effects start(const outbox& from, instant now);
  /// There is more for these receivers.
  relay_effects added(const outbox& from, const std::vector<shard_id>& receivers, instant now);
  /// Of the frame with this number; no answer: it may have arrived, or not.
  relay_effects on_answer(outbox& from, shard_id receiver, std::uint64_t number, const mark_report* answer,
                          bool all_taken, instant now);
  /// The question was asked. What is heard from now on needs another one.
  void asked();
  /// It was answered: this member still owned the shard when it was asked.
  relay_effects proven(outbox& from, instant now);
  relay_effects tick(const outbox& from, instant now);
  void stop() {
    flows_.clear();
    stopped_ = 0;
  }

  [[nodiscard]] std::optional<steady_time> wake() const;
  [[nodiscard]] bool stands_still(shard_id receiver) const {
    const auto it = flows_.find(receiver);
    return it != flows_.end() && it->second.stopped;
  }
  /// Receivers to which nothing is sent any more.
  [[nodiscard]] std::size_t stopped() const noexcept { return stopped_; }

private:
  struct flow {
    std::uint64_t under_way = 0;  ///< number of the frame
    position follows;             ///< the receiver's mark, as far as is known
    position delivered;           ///< what the outbox made of it
    std::uint64_t word = 0;       ///< of its claim; 0: to be asked for
    std::optional<mark_report> unproven;
    bool asked = false;  ///< whether it is to be believed
    std::chrono::milliseconds pause{0};
    std::optional<steady_time> not_before;
    bool stopped = false;
  };
  flow& flow_to(const outbox& from, shard_id receiver);
  void send(const outbox& from, shard_id receiver, flow& f, relay_effects& out);
  void pause(flow& f, instant now) const;

  shard_id self_;
  relay_policy policy_;
  std::uint64_t number_ = 0;
  std::map<shard_id, flow> flows_;
  std::size_t stopped_ = 0;
};

}  // namespace pawl
