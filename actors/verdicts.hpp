#pragma once

#include "actors/message.hpp"

#include <string>
#include <utility>

// How a node says no: for good, or not now.

namespace pawl {

[[nodiscard]] inline message_result refusal(reason_code code, std::string reason) {
  return {result_kind::refused, code, std::move(reason)};
}
[[nodiscard]] inline message_result not_now(reason_code code, std::string reason) {
  return {result_kind::busy, code, std::move(reason)};
}
[[nodiscard]] inline message_result shard_full() { return {result_kind::busy, reason_code::queue_full}; }
[[nodiscard]] inline message_result node_full() { return {result_kind::busy, reason_code::node_full}; }
[[nodiscard]] inline message_result behind_unresolved() {
  return {result_kind::blocked, reason_code::earlier_unresolved};
}

}  // namespace pawl
