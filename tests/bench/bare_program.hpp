#pragma once

namespace pawl::bench {

/// The store's own limit: a node's commits recorded, then sent again by a bare client. Returns the exit status.
[[nodiscard]] int bare_program(int argc, char** argv);

}  // namespace pawl::bench
