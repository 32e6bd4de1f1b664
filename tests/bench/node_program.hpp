#pragma once

namespace pawl::bench {

/// A node that is measured, with a load generator inside; driven as `dialogue` says. Returns the exit status.
[[nodiscard]] int node_program(int argc, char** argv);

}  // namespace pawl::bench
