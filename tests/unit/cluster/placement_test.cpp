// Placement must be pure, bounded and stable: checked as properties over many views.
#include "cluster/placement.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace pawl {
namespace {

view members(unsigned count, unsigned skip = ~0u) {
  view v{{1}, {}};
  for (unsigned i = 0; i < count; ++i)
    if (i != skip) v.members.push_back({{"n" + std::to_string(i), i + 1}, member_state::up, "", "", 0});
  return v;
}

std::map<std::string, unsigned> loads(const placement& p) {
  std::map<std::string, unsigned> out;
  for (std::uint32_t s = 0; s < p.shards(); ++s) ++out[p.owner({s})->id.node];
  return out;
}

unsigned moved(const placement& a, const placement& b) {
  unsigned n = 0;
  for (std::uint32_t s = 0; s < a.shards(); ++s) n += a.owner({s})->id != b.owner({s})->id;
  return n;
}

TEST(Placement, GivesEveryShardAnOwnerWithinTheBound) {
  for (unsigned m : {1u, 2u, 3u, 5u, 8u, 32u}) {
    placement p{members(m), 1024};
    double average = 1024.0 / m;
    unsigned most = 0;
    for (const auto& [node, n] : loads(p)) most = std::max(most, n);
    EXPECT_LE(most, average * 1.12) << m << " members";
  }
}

TEST(Placement, DoesNotDependOnTheOrderOfMembers) {
  auto v = members(7);
  placement a{v, 256};
  std::reverse(v.members.begin(), v.members.end());
  placement b{v, 256};
  EXPECT_EQ(moved(a, b), 0u);
}

TEST(Placement, MovesLittleMoreThanItMustWhenAMemberLeavesOrJoins) {
  // Averaged over which member it is: single views vary with how the arcs happen to fall.
  for (unsigned m : {3u, 4u, 8u, 16u}) {
    placement whole{members(m), 1024};
    double total = 0;
    for (unsigned gone = 0; gone < m; ++gone) total += moved(whole, placement{members(m, gone), 1024});
    EXPECT_LE(total / m, 1.35 * 1024.0 / m) << m << " members";
  }
}

TEST(Placement, KeepsARestartedNodeWhereItWas) {
  auto v = members(3);
  placement before{v, 256};
  v.members[1].id.incarnation = 99;
  placement after{v, 256};
  for (std::uint32_t s = 0; s < 256; ++s) EXPECT_EQ(before.owner({s})->id.node, after.owner({s})->id.node);
}

TEST(Placement, GivesNothingToADrainingMember) {
  auto v = members(3);
  v.members[0].state = member_state::draining;
  EXPECT_EQ(loads(placement{v, 256}).count("n0"), 0u);
}

TEST(Placement, HasNoOwnersWithoutMembers) {
  EXPECT_EQ(placement(view{}, 16).owner({3}), nullptr);
  EXPECT_EQ(placement(members(2), 16).owner({16}), nullptr);
}

}  // namespace
}  // namespace pawl
