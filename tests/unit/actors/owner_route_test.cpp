// Whom a router asks while shards move, and how many move at once.
#include "actors/move_gate.hpp"
#include "actors/owner_route.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pawl {
namespace {

const member_id a{"a", 1};
const member_id b{"b", 2};

/// A view of the named members that places the one shard on the first: the others are on their way out.
placement placed(std::vector<member_id> members) {
  view v;
  v.number = {1};
  for (const auto& id : members)
    v.members.push_back({id, id == members.front() ? member_state::up : member_state::draining, {}, {}, 0});
  return {std::move(v), 1};
}

TEST(OwnerRoute, AsksWhomTheFirstViewNames) {
  owner_route r{{0}};
  EXPECT_EQ(r.target(), std::nullopt);
  r.on_placement(placed({a}));
  EXPECT_EQ(r.target(), a);
  EXPECT_FALSE(r.on_moved());
  EXPECT_EQ(r.target(), a);
}

TEST(OwnerRoute, StaysWithTheFormerOwnerUntilThatLetsGo) {
  owner_route r{{0}};
  r.on_placement(placed({a}));
  r.on_placement(placed({b, a}));
  EXPECT_EQ(r.target(), a);
  EXPECT_TRUE(r.on_moved());
  EXPECT_EQ(r.target(), b);
  // The same view confirmed, or the next one, does not lead back.
  r.on_placement(placed({b, a}));
  EXPECT_EQ(r.target(), b);
}

TEST(OwnerRoute, GoesToTheNewOwnerAtOnceIfTheFormerIsGone) {
  for (const auto& other : {std::vector{b}, std::vector{b, member_id{"a", 7}}}) {  // gone, or another run of it
    owner_route r{{0}};
    r.on_placement(placed({a}));
    r.on_placement(placed(other));
    EXPECT_EQ(r.target(), b);
  }
}

TEST(OwnerRoute, AMoveTakenBackChangesNothing) {
  owner_route r{{0}};
  r.on_placement(placed({a}));
  r.on_placement(placed({b, a}));
  r.on_placement(placed({a, b}));
  EXPECT_EQ(r.target(), a);
  EXPECT_FALSE(r.on_moved());
}

TEST(OwnerRoute, ServesOutADrainWithNobodyToTakeOver) {
  owner_route r{{0}};
  r.on_placement(placed({a}));
  view v;
  v.members.push_back({a, member_state::draining, {}, {}, 0});
  r.on_placement(placement{v, 1});
  EXPECT_EQ(r.target(), a);
  EXPECT_TRUE(r.on_moved());
  EXPECT_EQ(r.target(), std::nullopt);
}

TEST(MoveGate, LetsSoManyInAndTheOthersInTheirOrder) {
  move_gate g;
  const auto most = static_cast<std::uint32_t>(limits::moves_at_once);
  for (std::uint32_t s = 0; s < most + 3; ++s) EXPECT_EQ(g.enter({s}), s < most) << s;
  EXPECT_EQ(g.leave({5}), shard_id{most});
  EXPECT_EQ(g.leave({5}), std::nullopt);
  EXPECT_EQ(g.leave({most + 1}), std::nullopt);  // it need not move any more, and was only waiting
  EXPECT_EQ(g.leave({6}), shard_id{most + 2});
  EXPECT_EQ(g.leave({7}), std::nullopt);
  EXPECT_TRUE(g.enter({100}));
}

}  // namespace
}  // namespace pawl
