#pragma once

namespace pawl::bench {

/// Messages to entities, and from entities to entities. Returns the exit status.
[[nodiscard]] int relay_program(int argc, char** argv);

}  // namespace pawl::bench
