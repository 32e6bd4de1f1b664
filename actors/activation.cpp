#include "actors/activation.hpp"

#include <algorithm>
#include <vector>

namespace pawl {

resident* activation::find(type_index type, std::string_view key) {
  auto it = residents_.find(name_view{type, key});
  return it == residents_.end() ? nullptr : &it->second;
}

resident& activation::put(type_index type, std::string_view key, resident r) {
  return residents_.insert_or_assign(name{type, std::string{key}}, std::move(r)).first->second;
}

void activation::passivate(steady_time idle_since, std::size_t most) {
  std::erase_if(residents_, [&](const auto& item) { return item.second.touched < idle_since; });
  if (residents_.size() <= most) return;
  // A quarter beyond the bound goes as well, so that a full shard does not sort its times at every look.
  auto excess = residents_.size() - most + most / 4;
  std::vector<steady_time> times;
  times.reserve(residents_.size());
  for (const auto& item : residents_) times.push_back(item.second.touched);
  excess = std::min(excess, times.size() - 1);
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(excess), times.end());
  auto cut = times[excess];
  std::erase_if(residents_, [&](const auto& item) { return item.second.touched < cut; });
  // Many may share one time (one batch touched them all): then nothing lay below the cut.
  for (auto it = residents_.begin(); it != residents_.end() && residents_.size() > most;)
    it = it->second.touched == cut ? residents_.erase(it) : std::next(it);
}

}  // namespace pawl
