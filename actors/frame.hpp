#pragma once

#include "actors/dead_letter.hpp"
#include "actors/ingress.hpp"
#include "actors/message.hpp"
#include "actors/shard_detail.hpp"
#include "cluster/ids.hpp"
#include "persistence/position.hpp"
#include "persistence/source_marks.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pawl {

/// Bounds of one frame; a lane sends what is more in pieces, the next after the previous is answered (rule B15).
namespace limits {
inline constexpr std::size_t frame_messages = 1'024;
inline constexpr std::size_t frame_bytes = 2 * 1024 * 1024;  ///< of message bytes; a single larger message goes alone
}  // namespace limits

/// Says that the messages of a frame are a source's, in its order. They take effect only if the source's mark at the
/// receiver is the position that the first of them follows, and the receiver is still the one that told it (rule A3).
struct sequence {
  std::string source;
  position follows;
  std::uint64_t word = 0;           ///< of the claim under which the receiver told its mark; 0: not known yet
  std::vector<position> positions;  ///< of each message; none: the frame only asks for the mark
};

/// What the receiver has taken of a source, proven to be so when it was asked.
struct mark_report {
  source_mark taken;
  std::uint64_t word = 0;
};

/// Messages for one shard, from the router of one member to the shard's owner.
struct frame {
  shard_id shard;
  std::uint64_t number = 0;  ///< of the lane that sends it; comes back with the answer
  view_number view;          ///< the sender's
  std::vector<const message*> messages;
  std::vector<std::shared_ptr<const message_block>> blocks;  ///< that the messages are part of
  std::shared_ptr<const sequence> of{};                      ///< null: in the order of arrival
};

/// A frame of all messages of one block.
[[nodiscard]] inline frame whole_block(shard_id shard, std::uint64_t number, view_number view,
                                       std::shared_ptr<const message_block> block) {
  frame f{shard, number, view, {}, {}, {}};
  f.messages.reserve(block->messages.size());
  for (const auto& m : block->messages) f.messages.push_back(&m);
  f.blocks.push_back(std::move(block));
  return f;
}

/// One result for each message of the frame, in order.
struct frame_answer {
  shard_id shard;
  std::uint64_t number = 0;
  view_number view;  ///< the answerer's
  std::vector<message_result> results;
  std::string source{};                       ///< of the frame, if it was a source's
  std::shared_ptr<const mark_report> mark{};  ///< null: the frame was not judged
};

/// For the state of an entity, about dead letters, or what waits in the shard.
using shard_question = std::variant<entity_id, letter_query, letter_action, shard_query>;

/// Asks the owner of `shard`. May be repeated: what is asked for twice is done once.
struct read_request {
  shard_id shard;
  std::uint64_t number = 0;
  shard_question about;
};

struct read_answer {
  shard_id shard;
  std::uint64_t number = 0;
  entity_answer answer;   ///< its kind says of any question whether it was answered, or there is no such thing
  letter_page letters{};  ///< to a query
  std::optional<shard_detail> detail{};
};

/// The former owner gave the shard away; its next owner need not wait for its next look at the record.
struct release_notice {
  shard_id shard;
};

/// The sender has read this view from the store. A member that knows an older one fetches it at once instead of with
/// its next beat; until it does, it holds on to shards that others wait for.
struct view_notice {
  view_number view;
};

/// Where an answer goes: 0 is this node's own lane, others are peer links.
using link_number = std::uint64_t;

}  // namespace pawl
