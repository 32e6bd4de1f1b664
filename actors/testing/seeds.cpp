#include "actors/testing.hpp"

#include <charconv>
#include <cstdlib>

namespace pawl::testing {
namespace {

/// The one seed to run, if somebody asks for it.
std::optional<std::uint64_t> wanted_seed() {
  const char* text = std::getenv("PAWL_SEED");
  if (text == nullptr || *text == '\0') return std::nullopt;
  const std::string_view digits{text};
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seed);
  if (error != std::errc{} || end != digits.data() + digits.size())
    throw std::runtime_error("PAWL_SEED: '" + std::string{digits} + "' is not a seed, a number from 0 to 2^64 - 1");
  return seed;
}

[[noreturn]] void report(std::uint64_t seed, const std::string& what) {
  const auto number = std::to_string(seed);
  throw std::runtime_error("with seed " + number + " (replay it with PAWL_SEED=" + number + "): " + what);
}

void run(std::uint64_t seed, const std::function<void(std::uint64_t)>& f, const std::function<bool()>& failed) {
  try {
    f(seed);
  } catch (const std::exception& e) {
    report(seed, e.what());
  }
  if (failed && failed()) report(seed, "the test failed");
}

}  // namespace

void for_each_seed(std::uint64_t n, const std::function<void(std::uint64_t seed)>& f,
                   const std::function<bool()>& failed) {
  if (const auto seed = wanted_seed()) return run(*seed, f, failed);
  for (std::uint64_t seed = 1; seed <= n; ++seed) run(seed, f, failed);
}

}  // namespace pawl::testing
