// What must hold of units, which go from purse to purse: none is made, and none is lost.
#include "tests/sim/purse.hpp"
#include "tests/sim/world.hpp"

namespace pawl::sim {

/// Of all purses together.
Purse world::all_purses() const {
  Purse all{0};
  for (std::uint64_t n = 0; n < purses; ++n) {
    const auto p = purse_in(stored_blob(purse_type, purse_key(n)));
    all.units += p.units;
    all.paid += p.paid;
    all.given += p.given;
    all.taken += p.taken;
  }
  return all;
}

void world::check_purse(const std::string& name, const std::string& before, std::string_view after) const {
  const auto old = purse_in(before), next = purse_in(after);
  if (next.paid < old.paid || next.given < old.given || next.taken < old.taken) fail("effects stay", name);
  // Sent again by one who does not know any more that he has sent it.
  if (rollbacks != 0) return;
  if (const auto all = all_purses(); all.taken > all.given)
    fail("units are conserved", std::to_string(all.taken) + " are taken, and only " + std::to_string(all.given) +
                                    " were given; the last by " + name);
}

std::string world::units_outstanding() const {
  const auto all = all_purses();
  std::uint64_t asked = 0;
  for (std::size_t k = 0; k < plan.keys; ++k)
    for (const auto& id : appended("k" + std::to_string(k))) asked += pays(number_in(id)) ? 1 : 0;
  if (all.paid != asked)
    return "purses were asked to pay " + std::to_string(asked) + " times, and have heard of " +
           std::to_string(all.paid);
  if (all.given != all.taken)
    return std::to_string(all.given) + " units were given, and " + std::to_string(all.taken) + " taken";
  return {};
}

}  // namespace pawl::sim
