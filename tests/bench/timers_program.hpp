#pragma once

namespace pawl::bench {

/// Timers: scheduled, loaded by another node, fired. Returns the exit status.
[[nodiscard]] int timers_program(int argc, char** argv);

}  // namespace pawl::bench
