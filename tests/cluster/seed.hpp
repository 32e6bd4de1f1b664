#pragma once

namespace pawl::testing {

/// What all dice of this run begin with: PAWL_SEED, or 1. If a test fails, the command that repeats it with the same
/// seed is printed: the same messages and faults, though processes never run twice at the same pace.
[[nodiscard]] unsigned seed();

}  // namespace pawl::testing
