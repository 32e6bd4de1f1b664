#pragma once

#include "tests/sim/scenario.hpp"

#include <string>

namespace pawl::sim {

/// Leaves out of a failing scenario whatever it can and still break the same rule, and prints what remains.
void print_shrunk(const scenario& failing, const std::string& rule);

}  // namespace pawl::sim
