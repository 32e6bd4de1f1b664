#include "tests/bench/failover.hpp"
#include "tests/bench/members.hpp"
#include "tests/bench/placement_scale.hpp"
#include "tests/bench/suspicion.hpp"
#include "tests/bench/throughput.hpp"

#include <exception>
#include <iostream>
#include <string_view>

namespace {

/// The first argument may name what to measure; the rest is for that.
int run(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what == "failover") return pawl::bench::failover(argc - 1, argv + 1);
  if (what == "members") return pawl::bench::members(argc - 1, argv + 1);
  if (what == "placement") return pawl::bench::placement_scale(argc - 1, argv + 1);
  if (what == "suspicion") return pawl::bench::suspicion(argc - 1, argv + 1);
  return pawl::bench::throughput(argc, argv);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "pawl_bench: " << e.what() << "\n";
    return 1;
  }
}
