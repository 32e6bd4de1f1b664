#include "actors/activation.hpp"

#include "cluster/invariant.hpp"

#include <absl/container/flat_hash_set.h>
#include <absl/hash/hash.h>

#include <algorithm>
#include <string>
#include <tuple>
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
    return absl::HashOf(n.type, n.key);
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

/// Pointers, so that residents stay where they are. The bytes of their hashes beside them spare a look at the wrong
/// ones, which would cost a miss of the cache each.
struct activation::table {
  using set = absl::flat_hash_set<entry, hash_name, same_name>;
  set residents;

  template <class Test>
  void drop(Test test) {
    absl::erase_if(residents, [&test](const entry& e) {
      if (!test(*e)) return false;
      PAWL_INVARIANT(e->work == 0, "an entity leaves memory while a commit that changed it is under way (rule A5)");
      return true;
    });
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
  table_->drop([idle_since](const resident& r) { return r.touched < idle_since; });
  const auto size = this->size();
  if (size <= most) return;
  // A quarter beyond the bound goes as well, so that a full shard does not sort its times at every look.
  const auto excess = size - most + most / 4;
  std::vector<const resident*> all;
  all.reserve(size);
  for (const auto& r : table_->residents) all.push_back(r.get());
  // Many may share one time, since one batch touched them all; and in which order the table has them differs by
  // process.
  const auto age = [](const resident& r) { return std::tie(r.touched, r.type, r.key); };
  const auto youngest = all.begin() + static_cast<std::ptrdiff_t>(excess) - 1;
  std::nth_element(all.begin(), youngest, all.end(),
                   [&age](const resident* a, const resident* b) { return age(*a) < age(*b); });
  const std::tuple<steady_time, type_index, std::string> last{age(**youngest)};
  table_->drop([&age, &last](const resident& r) { return age(r) <= last; });
}

}  // namespace pawl
