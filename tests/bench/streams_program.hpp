#pragma once

namespace pawl::bench {

/// What one would write by hand on Redis Streams, measured as a node is. Returns the exit status.
[[nodiscard]] int streams_program(int argc, char** argv);

}  // namespace pawl::bench
