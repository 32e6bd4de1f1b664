#include "tests/bench/outcomes.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace pawl::bench {

std::uint64_t outcomes::count(kind k) const {
  return static_cast<std::uint64_t>(std::count(kinds_.begin(), kinds_.end(), k));
}

std::vector<std::uint8_t> outcomes::applied() const {
  std::vector<std::uint8_t> out(kinds_.size());
  std::transform(kinds_.begin(), kinds_.end(), out.begin(),
                 [](kind k) { return static_cast<std::uint8_t>(k == kind::applied); });
  return out;
}

void outcomes::add_latencies(std::size_t first, std::vector<float>& us) const {
  for (auto i = first; i < kinds_.size(); ++i)
    if (kinds_[i] == kind::applied || kinds_[i] == kind::duplicate) us.push_back(latency_us_[i]);
}

nlohmann::json latency_ms(std::vector<float> us) {
  if (us.empty()) return nullptr;
  std::sort(us.begin(), us.end());
  const auto at = [&](double share) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(us.size())));
    return us[std::max<std::size_t>(rank, 1) - 1] / 1000;
  };
  return {{"p50", at(0.5)}, {"p90", at(0.9)}, {"p99", at(0.99)}, {"p99_9", at(0.999)}, {"max", us.back() / 1000}};
}

std::size_t first_counted(std::size_t messages, double rate) {
  return std::min(messages / 4, static_cast<std::size_t>(rate));
}

}  // namespace pawl::bench
