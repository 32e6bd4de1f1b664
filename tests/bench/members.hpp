#pragma once

namespace pawl::bench {

/// What membership costs Redis, from 10 to 500 members. Prints two tables; returns the exit status.
[[nodiscard]] int members(int argc, char** argv);

}  // namespace pawl::bench
