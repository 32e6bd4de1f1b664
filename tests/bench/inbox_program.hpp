#pragma once

namespace pawl::bench {

/// Messages put into the shards' streams in Redis by a client of it. Returns the exit status.
[[nodiscard]] int inbox_program(int argc, char** argv);

}  // namespace pawl::bench
