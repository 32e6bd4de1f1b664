#include "tests/cluster/until.hpp"

#include <stdexcept>
#include <thread>

namespace pawl::testing {

void gave_up(const std::string& what, std::chrono::steady_clock::duration after) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(after).count();
  throw std::runtime_error("not within " + std::to_string(seconds) + " s: " + what);
}

void look_again_soon() { std::this_thread::sleep_for(std::chrono::milliseconds{10}); }

}  // namespace pawl::testing
