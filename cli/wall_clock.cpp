#include "cli/wall_clock.hpp"

#include <array>
#include <ctime>

namespace pawl::cli {

std::string utc_text(std::int64_t ms) {
  const std::time_t seconds = ms / 1'000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> day{};
  std::strftime(day.data(), day.size(), "%FT%T", &parts);
  const auto fraction = std::to_string(1'000 + ms % 1'000).substr(1);
  return std::string{day.data()} + "." + fraction + "Z";
}

}  // namespace pawl::cli
