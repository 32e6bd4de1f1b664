#pragma once

#include <chrono>
#include <string>

namespace pawl::testing {

/// What any single condition may take. Generous: tests say what becomes true, not how fast.
inline constexpr std::chrono::seconds patience{30};

/// Throws that `what` did not happen in time.
[[noreturn]] void gave_up(const std::string& what, std::chrono::steady_clock::duration after);
/// The interval between two looks at a condition of another process, which gives no sign when it changes.
void look_again_soon();

/// Returns once `condition()` is true.
/// @throws std::runtime_error naming `what` if that takes longer than `deadline`
template <class Condition>
void until(const std::string& what, Condition condition, std::chrono::steady_clock::duration deadline = patience) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) gave_up(what, deadline);
    look_again_soon();
  }
}

/// Looks for so long; false at once if `condition()` is not true. For what must not happen, which nothing announces.
template <class Condition>
[[nodiscard]] bool stays(Condition condition, std::chrono::steady_clock::duration length) {
  const auto end = std::chrono::steady_clock::now() + length;
  for (; std::chrono::steady_clock::now() < end; look_again_soon())
    if (!condition()) return false;
  return true;
}

}  // namespace pawl::testing
