#include "tests/bench/bare_program.hpp"
#include "tests/bench/failover.hpp"
#include "tests/bench/http_program.hpp"
#include "tests/bench/inbox_program.hpp"
#include "tests/bench/members.hpp"
#include "tests/bench/node_program.hpp"
#include "tests/bench/placement_scale.hpp"
#include "tests/bench/relay_program.hpp"
#include "tests/bench/saga_program.hpp"
#include "tests/bench/streams_program.hpp"
#include "tests/bench/suspicion.hpp"
#include "tests/bench/timers_program.hpp"

#include <exception>
#include <iostream>
#include <map>
#include <string_view>

namespace {

/// What the first argument may name; the rest is for that.
const std::map<std::string_view, int (*)(int, char**)> programs{
    {"bare", pawl::bench::bare_program},         {"failover", pawl::bench::failover},
    {"http", pawl::bench::http_program},         {"inbox", pawl::bench::inbox_program},
    {"members", pawl::bench::members},           {"node", pawl::bench::node_program},
    {"placement", pawl::bench::placement_scale}, {"relay", pawl::bench::relay_program},
    {"saga", pawl::bench::saga_program},         {"streams", pawl::bench::streams_program},
    {"suspicion", pawl::bench::suspicion},       {"timers", pawl::bench::timers_program},
};

int run(int argc, char** argv) {
  const auto found = programs.find(argc > 1 ? argv[1] : "");
  if (found != programs.end()) return found->second(argc - 1, argv + 1);
  std::cerr << "pawl_bench: the first argument is one of";
  for (const auto& [name, program] : programs) std::cerr << " " << name;
  std::cerr << "\n";
  return 2;
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
