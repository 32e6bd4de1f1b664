#pragma once

#include "actors/message.hpp"

#include <string>
#include <string_view>
#include <utility>

// How a node says no: for good, or not now.

namespace pawl {

inline constexpr std::string_view shard_full_text =
    "too many messages wait for this shard at this node: send it again a little later";
inline constexpr std::string_view node_full_text =
    "too many messages wait at this node: send it again a little later, or to another node";

[[nodiscard]] inline message_result refusal(reason_code code, std::string reason) {
  return {result_kind::refused, code, std::move(reason)};
}
[[nodiscard]] inline message_result not_now(reason_code code, std::string reason) {
  return {result_kind::busy, code, std::move(reason)};
}

}  // namespace pawl
