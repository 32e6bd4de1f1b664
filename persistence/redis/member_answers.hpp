#pragma once

#include "persistence/member_store.hpp"
#include "persistence/redis/reply.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace pawl::redis {

/// A row of the member table as stored: `<incarnation> <beat> <up|draining> <peer address> <http address or ->`.
/// Nothing if it is damaged.
[[nodiscard]] std::optional<member> parse_member(std::string_view node, std::string_view row);

/// Why a join cannot be stored; empty: it can. The row's words are separated by spaces.
[[nodiscard]] std::string malformed(const join_members& join);

/// What the reply of a member script means. `nonsense`: as in `verdict`.
[[nodiscard]] member_answer judge_member(const member_command& command, const reply& r, std::string& nonsense);

}  // namespace pawl::redis
