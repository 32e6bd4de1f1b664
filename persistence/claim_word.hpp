#pragma once

#include "cluster/ids.hpp"

#include <cstdint>

namespace pawl {

/// The word of a claim: 64 bits of hash of its token, as random as that is, and never 0. What is sent under a claim is
/// numbered on the line of its word, and a receiver names its claim by it (rule A3).
[[nodiscard]] std::uint64_t word_of(const fencing_token& token) noexcept;

}  // namespace pawl
