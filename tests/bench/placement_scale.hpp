#pragma once

namespace pawl::bench {

/// What placing shards costs and moves, from 256 shards on 3 members to 16,384 on 500. Prints a table; returns the exit
/// status.
[[nodiscard]] int placement_scale(int argc, char** argv);

}  // namespace pawl::bench
