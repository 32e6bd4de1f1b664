#pragma once

#include <cstdint>

namespace order_workflow {

/// Money, in cents: integers, so that sums are exact.
using cents = std::int64_t;

/// The most one message may move. An account refuses to take in more than `account_cents_max` in all, so that no sum of
/// its members can overflow.
inline constexpr cents amount_cents_max = 100'000'000'000;
inline constexpr cents account_cents_max = 1'000'000'000'000'000;

[[nodiscard]] constexpr bool is_amount(cents c) noexcept { return c > 0 && c <= amount_cents_max; }

}  // namespace order_workflow
