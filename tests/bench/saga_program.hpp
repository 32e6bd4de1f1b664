#pragma once

namespace pawl::bench {

/// Checkouts, from order to final state. Returns the exit status.
[[nodiscard]] int saga_program(int argc, char** argv);

}  // namespace pawl::bench
