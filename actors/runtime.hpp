#pragma once

#include "actors/entity.hpp"

#include <vector>

namespace pawl {

/// A whole program: reads configuration from flags, environment and file, and carries out the command given, by default
/// to run a cluster node that serves these entity types until SIGTERM or SIGINT; it then drains (gives its shards to
/// the others, finishes what is under way) and returns. A second signal ends it at once. `--help` lists commands and
/// flags.
///
/// Call it from `main`, once. Returns the exit status: 0 done, 1 failed, 2 usage or configuration.
int run(int argc, char** argv, std::vector<entity_type> types);

}  // namespace pawl
