#pragma once

#include "actors/courier.hpp"
#include "actors/frame.hpp"
#include "actors/ingress.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace pawl {

/// One batch of a numbering source on its way: a frame that names the receiver's claim as it was last heard of, and
/// once more if that was another one by then. Keeps itself alive until it is answered. Its callbacks may come from any
/// thread, one after the other.
class sequenced_call : public std::enable_shared_from_this<sequenced_call> {
public:
  /// Takes a frame to the seat of the shard it names.
  using carrier = std::function<void(frame, courier::callback)>;
  /// Told what the receiver's claim is, for the next batch.
  using listener = std::function<void(std::uint64_t word)>;

  sequenced_call(shard_id shard, sequenced_batch batch, carrier carry, listener heard,
                 std::function<void(sequenced_answer)> done);
  /// @param word of the receiver's claim; 0: not known
  void start(std::uint64_t word);

private:
  void on_answer(std::uint64_t word, std::optional<frame_answer> answer);

  shard_id shard_;
  sequenced_batch batch_;
  carrier carry_;
  listener heard_;
  std::function<void(sequenced_answer)> done_;
  bool again_ = false;
};

}  // namespace pawl
