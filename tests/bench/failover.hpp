#pragma once

namespace pawl::bench {

/// How long messages wait when nodes die, freeze, come and go, under load. Prints a table; returns the exit status.
[[nodiscard]] int failover(int argc, char** argv);

}  // namespace pawl::bench
