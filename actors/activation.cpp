#include "actors/activation.hpp"

#include "cluster/invariant.hpp"

#include <tsl/robin_set.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

namespace pawl {
namespace {

struct name_view {
  type_index type;
  std::string_view key;
};
using entry = std::unique_ptr<resident>;

name_view name_of(name_view n) noexcept { return n; }
name_view name_of(const entry& e) noexcept { return {e->type, e->key}; }

struct hash_name {
  using is_transparent = void;
  template <class Name>
  std::size_t operator()(const Name& name) const noexcept {
    const auto n = name_of(name);
    return std::hash<std::string_view>{}(n.key) ^ (n.type * 0x9e3779b97f4a7c15u);
  }
};
struct same_name {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const noexcept {
    const auto x = name_of(a), y = name_of(b);
    return x.type == y.type && x.key == y.key;
  }
};

}  // namespace

/// Pointers, so that residents stay where they are; with the hashes beside them, so that a look at the wrong ones does
/// not cost a miss of the cache each.
struct activation::table {
  using set = tsl::robin_set<entry, hash_name, same_name, std::allocator<entry>, true>;
  set residents;

  template <class Test>
  void drop(Test test) {
    for (auto it = residents.begin(); it != residents.end();) {
      if (!test(**it)) {
        ++it;
        continue;
      }
      PAWL_INVARIANT((*it)->work == 0, "an entity leaves memory while a commit that changed it is under way (rule A5)");
      it = residents.erase(it);
    }
  }
};

activation::activation() : table_(std::make_unique<table>()) {}
activation::~activation() = default;

resident* activation::find(type_index type, std::string_view key) const noexcept {
  const auto it = table_->residents.find(name_view{type, key});
  return it == table_->residents.end() ? nullptr : it->get();
}

resident& activation::put(type_index type, std::string_view key, resident r) {
  r.type = type;
  r.key = key;
  if (auto* known = find(type, key)) return *known = std::move(r);
  return **table_->residents.insert(std::make_unique<resident>(std::move(r))).first;
}

void activation::clear() { table_->residents = table::set{}; }
std::size_t activation::size() const noexcept { return table_->residents.size(); }

void activation::passivate(steady_time idle_since, std::size_t most) {
  auto& residents = table_->residents;
  table_->drop([idle_since](const resident& r) { return r.touched < idle_since; });
  if (residents.size() <= most) return;
  // A quarter beyond the bound goes as well, so that a full shard does not sort its times at every look.
  auto excess = residents.size() - most + most / 4;
  std::vector<steady_time> times;
  times.reserve(residents.size());
  for (const auto& r : residents) times.push_back(r->touched);
  excess = std::min(excess, times.size() - 1);
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(excess), times.end());
  auto cut = times[excess];
  table_->drop([cut](const resident& r) { return r.touched < cut; });
  // Many may share one time (one batch touched them all): then nothing lay below the cut.
  table_->drop([&residents, cut, most](const resident& r) { return residents.size() > most && r.touched == cut; });
}

}  // namespace pawl
