#pragma once

#include "actors/courier.hpp"
#include "actors/frame.hpp"
#include "actors/peer_protocol.hpp"
#include "actors/reader.hpp"
#include "cluster/placement.hpp"
#include "persistence/member_store.hpp"
#include "persistence/shard_store.hpp"

#include <caf/all.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

// What the actors of one process send each other. None of it leaves the process, so nothing is serialised.

namespace pawl {

/// There is something in the shard's `submission_box`.
struct submitted_msg {};
struct read_msg {
  shard_question about;
  reader::callback done;
};
/// A sequenced frame for the shard's owner.
struct carry_msg {
  frame contents;
  courier::callback done;
};
/// The answer to one that this shard relayed.
struct relayed_msg {
  shard_id receiver;
  std::uint64_t number = 0;
  std::optional<frame_answer> answer;
};
struct placement_msg {
  std::shared_ptr<const placement> table;
  member_id self;
};
struct evicted_msg {};
struct inbox_msg {};  ///< something new is in the inbox
struct store_connection_msg {
  store_connection connection;
};
struct shard_answers_msg {
  std::vector<shard_answer> answers;
};
/// A decoded message from a link, for a shard.
struct from_peer_msg {
  link_number link = 0;
  peer_message message;
};
struct link_up_msg {
  member_id peer;
  link_number link = 0;
};
struct link_down_msg {
  link_number link = 0;
};
struct wake_msg {
  std::uint64_t generation = 0;
};
/// The node has left: answer all that waits, and all that still comes, so that senders go elsewhere at once.
struct left_msg {};
/// It is this shard's turn to be handed over.
struct turn_msg {};
struct close_msg {};

// To the member actor.
struct member_answer_msg {
  member_answer answer;
};
struct view_change_msg {
  view_change change;
};
struct member_connection_msg {
  bool up = false;
};
struct view_wanted_msg {
  view_number at_least;
};
struct view_notice_msg {
  view_number view;
};
struct drain_msg {};
struct dialled_msg {
  member_id peer;
  int socket = -1;  ///< connected, or -1
  bool refused = false;
  std::string error;
};
struct peer_closed_msg {
  member_id peer;
  std::string why;
  bool gone = false;  ///< somebody else answered at its address
};

// To a link.
struct to_peer_msg {
  peer_message message;
};

}  // namespace pawl

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::submitted_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::read_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::carry_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::relayed_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::placement_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::evicted_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::inbox_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::store_connection_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::shard_answers_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::from_peer_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::link_up_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::link_down_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::wake_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::left_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::turn_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::close_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::member_answer_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::view_change_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::member_connection_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::view_wanted_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::view_notice_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::drain_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::dialled_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::peer_closed_msg)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(pawl::to_peer_msg)
