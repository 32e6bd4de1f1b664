// A node of orders, of gates, and of bombs: the handler of a gate does not return while there is a file <node>.closed
// in the folder that PAWL_TEST_GATES names, that of a bomb ends the process. Bugs of that kind in a user's handler look
// the same to the runtime.
#include "actors/entity.hpp"
#include "actors/runtime.hpp"
#include "examples/order_workflow/order.hpp"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>

namespace {

struct Pass {
  PAWL_MESSAGE(Pass)
};
struct Explode {
  PAWL_MESSAGE(Explode)
};
struct Tick {
  PAWL_MESSAGE(Tick)
};
struct Bomb {
  std::uint64_t ticks = 0;
  PAWL_STATE(ticks)
};
struct Gate {
  std::uint64_t passed = 0;
  PAWL_STATE(passed)
};

std::string node_name(int argc, char** argv) {
  for (int i = 1; i + 1 < argc; ++i)
    if (argv[i] == std::string_view{"--node"}) return argv[i + 1];
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const auto* folder = std::getenv("PAWL_TEST_GATES");  // NOLINT(concurrency-mt-unsafe): no thread yet
  const auto closed = std::filesystem::path{folder != nullptr ? folder : "."} / (node_name(argc, argv) + ".closed");
  auto gate = pawl::entity<Gate>("gate").on([closed](Gate& g, const Pass&) {
    while (std::filesystem::exists(closed)) std::this_thread::sleep_for(std::chrono::milliseconds{10});
    ++g.passed;
  });
  auto bomb = pawl::entity<Bomb>("bomb").on([](Bomb& b, const Tick&) { ++b.ticks; }).on([](Bomb&, const Explode&) {
    std::quick_exit(9);
  });
  return pawl::run(argc, argv, {order_workflow::order(), gate, bomb});
}
