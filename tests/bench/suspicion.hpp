#pragma once

namespace pawl::bench {

/// Whether members under full load take each other for dead. Returns 1 if any was evicted.
[[nodiscard]] int suspicion(int argc, char** argv);

}  // namespace pawl::bench
