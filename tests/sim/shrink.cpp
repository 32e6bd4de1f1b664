#include "tests/sim/shrink.hpp"

#include "tests/sim/world.hpp"

#include <cstdio>

namespace pawl::sim {
namespace {

bool breaks(const scenario& s, const std::string& rule) {
  try {
    world w{s};
    w.run();
    return false;
  } catch (const failure& f) {
    return f.rule == rule;
  }
}

}  // namespace

void print_shrunk(const scenario& failing, const std::string& rule) {
  auto s = failing;
  // From the end, once more after each success: what came later often depended on what came before.
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (auto i = s.faults.size(); i-- > 0;) {
      auto without = s;
      without.faults.erase(without.faults.begin() + static_cast<std::ptrdiff_t>(i));
      if (!breaks(without, rule)) continue;
      s = std::move(without);
      smaller = true;
    }
    for (auto* count : {&s.messages, &s.keys}) {
      while (*count > 1) {
        --*count;
        if (breaks(s, rule)) continue;
        ++*count;
        break;
      }
    }
  }
  std::printf("shrunk: %zu nodes, %u shards, %zu keys, %zu messages each, faults:\n", s.nodes, s.shards, s.keys,
              s.messages);
  for (const auto& f : s.faults) std::printf("  %s\n", to_text(f).c_str());
}

}  // namespace pawl::sim
