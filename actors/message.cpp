#include "actors/message.hpp"

#include <utility>

namespace pawl {

std::string_view to_string(result_kind k) noexcept {
  switch (k) {
  case result_kind::applied: return "applied";
  case result_kind::duplicate: return "duplicate";
  case result_kind::refused: return "refused";
  case result_kind::blocked: return "blocked";
  case result_kind::busy: return "busy";
  case result_kind::unknown: return "unknown";
  }
  return "unknown";
}

std::string_view to_string(reason_code c) noexcept {
  switch (c) {
  case reason_code::none: return "none";
  case reason_code::unknown_entity_type: return "unknown_entity_type";
  case reason_code::unknown_message_type: return "unknown_message_type";
  case reason_code::undecodable: return "undecodable";
  case reason_code::handler_error: return "handler_error";
  case reason_code::handler_refused: return "handler_refused";
  case reason_code::id_reused: return "id_reused";
  case reason_code::too_old: return "too_old";
  case reason_code::from_the_future: return "from_the_future";
  case reason_code::invalid: return "invalid";
  case reason_code::state_too_large: return "state_too_large";
  case reason_code::store_full: return "store_full";
  case reason_code::store_down: return "store_down";
  case reason_code::ids_full: return "ids_full";
  case reason_code::queue_full: return "queue_full";
  case reason_code::no_owner: return "no_owner";
  case reason_code::moved: return "moved";
  case reason_code::timed_out: return "timed_out";
  case reason_code::earlier_unresolved: return "earlier_unresolved";
  case reason_code::out_of_sequence: return "out_of_sequence";
  case reason_code::position_reused: return "position_reused";
  case reason_code::too_many_sources: return "too_many_sources";
  case reason_code::outbox_full: return "outbox_full";
  case reason_code::dead_letters_full: return "dead_letters_full";
  case reason_code::early: return "early";
  case reason_code::seq_missing: return "seq_missing";
  case reason_code::seq_passed: return "seq_passed";
  case reason_code::seq_gap: return "seq_gap";
  case reason_code::node_full: return "node_full";
  }
  return "none";
}

std::string_view message_result::why() const noexcept {
  if (!reason.empty()) return reason;
  switch (code) {
  case reason_code::queue_full:
    return "too many messages wait for this shard at this node: send it again a little later";
  case reason_code::node_full:
    return "too many messages wait at this node: send it again a little later, or to another node";
  case reason_code::earlier_unresolved: return "an earlier message for this key is not resolved";
  default: return {};
  }
}

namespace {

/// The views of a message in the order in which a block holds their bytes.
template <class Message, class Use>
void each_view(Message& m, Use use) {
  use(m.type);
  use(m.key);
  use(m.name);
  use(m.id);
  use(m.payload);
  use(m.trace);
}

}  // namespace

void message_builder::add(const message& m) {
  each_view(m, [this](std::string_view text) { bytes_.append(text); });
  messages_.push_back(m);
}

std::shared_ptr<const message_block> message_builder::finish() {
  auto block = std::make_shared<message_block>();
  block->bytes = std::exchange(bytes_, {});
  block->messages = std::exchange(messages_, {});
  const char* at = block->bytes.data();
  for (auto& m : block->messages) {
    each_view(m, [&at](std::string_view& text) {
      text = {at, text.size()};
      at += text.size();
    });
  }
  return block;
}

}  // namespace pawl
