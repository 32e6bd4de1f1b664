#pragma once

#include <cstdint>

namespace pawl::bench {

/// CPU seconds this process has used so far, user and system.
[[nodiscard]] double own_cpu_seconds();

/// Bytes of this process in the machine's memory, and what its allocator has handed out of them.
struct own_memory {
  std::uint64_t resident = 0;
  std::uint64_t allocated = 0;
};
[[nodiscard]] own_memory memory_now();

}  // namespace pawl::bench
