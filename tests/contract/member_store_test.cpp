// The contract of `member_store`, against a real Redis.
#include "persistence/keys.hpp"
#include "persistence/redis/dataset.hpp"
#include "tests/contract/redis_server.hpp"
#include "tests/contract/store_client.hpp"

#include <gtest/gtest.h>

namespace pawl {
namespace {

using testing::redis_server;
using testing::store_client;

class MemberStore : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_TRUE(init_dataset(server.options(), "test", 1).ok());
    client = std::make_unique<store_client>(server.options());
  }

  member_answer join(const std::string& node,
                     std::optional<std::pair<std::uint64_t, std::uint64_t>> replaces = std::nullopt) {
    return client->ask(join_members{node, node + ":1", node + ":2", replaces});
  }
  member_answer read() { return client->ask(read_members{}); }

  redis_server server;
  key_names keys{"test"};
  std::unique_ptr<store_client> client;
};

TEST_F(MemberStore, AFreshTableIsEmptyWithViewZero) {
  const auto a = read();
  EXPECT_EQ(a.outcome, store_outcome::done);
  EXPECT_EQ(a.table.number.value, 0U);
  EXPECT_TRUE(a.table.members.empty());
}

TEST_F(MemberStore, JoinHandsOutIncarnationsAndRaisesTheView) {
  const auto b = join("b");
  ASSERT_EQ(b.outcome, store_outcome::done) << b.text;
  EXPECT_EQ(b.self, (member_id{"b", 1}));
  const auto a = client->ask(join_members{"a", "[::1]:7421", "", {}});
  EXPECT_EQ(a.self, (member_id{"a", 2}));
  EXPECT_EQ(a.table.number.value, 2U);
  ASSERT_EQ(a.table.members.size(), 2U);
  const auto& first = a.table.members[0];
  EXPECT_EQ(first.id, a.self);
  EXPECT_EQ(first.peer_address, "[::1]:7421");
  EXPECT_EQ(first.http_address, "");
  EXPECT_EQ(first.beat, 0U);
  EXPECT_EQ(first.state, member_state::up);
  EXPECT_EQ(a.table.members[1].http_address, "b:2");
}

TEST_F(MemberStore, ANameInUseIsFencedAndTheTableIsTold) {
  const auto first = join("a");
  const auto second = join("a");
  EXPECT_EQ(second.outcome, store_outcome::fenced);
  EXPECT_TRUE(second.self.empty());
  ASSERT_EQ(second.table.members.size(), 1U);
  EXPECT_EQ(second.table.members[0].id, first.self);
  EXPECT_EQ(second.table.number.value, 1U);
}

TEST_F(MemberStore, AJoinReplacesExactlyTheRowItNames) {
  const auto first = join("a").self;
  ASSERT_EQ(client->ask(beat_member{first}).outcome, store_outcome::done);
  EXPECT_EQ(join("a", {{first.incarnation, 0}}).outcome, store_outcome::fenced);
  EXPECT_EQ(join("a", {{first.incarnation + 1, 1}}).outcome, store_outcome::fenced);
  const auto second = join("a", {{first.incarnation, 1}});
  ASSERT_EQ(second.outcome, store_outcome::done);
  EXPECT_EQ(second.self, (member_id{"a", 2}));
  EXPECT_EQ(second.table.number.value, 2U);
  EXPECT_EQ(second.table.members.size(), 1U);
  EXPECT_EQ(client->ask(beat_member{first}).outcome, store_outcome::fenced);
}

TEST_F(MemberStore, ABeatCountsAndLeavesTheView) {
  const auto self = join("a").self;
  for (std::uint64_t n = 1; n <= 3; ++n) {
    const auto a = client->ask(beat_member{self});
    ASSERT_EQ(a.outcome, store_outcome::done);
    EXPECT_EQ(a.table.find(self)->beat, n);
    EXPECT_EQ(a.table.number.value, 1U);
  }
}

TEST_F(MemberStore, EvictComparesIncarnationAndBeat) {
  const auto target = join("a").self;
  ASSERT_EQ(client->ask(beat_member{target}).outcome, store_outcome::done);
  const auto stale = client->ask(evict_member{target, 0});
  EXPECT_EQ(stale.outcome, store_outcome::fenced);
  EXPECT_NE(stale.table.find(target), nullptr);
  EXPECT_EQ(client->ask(evict_member{{"a", 9}, 1}).outcome, store_outcome::fenced);
  const auto gone = client->ask(evict_member{target, 1});
  EXPECT_EQ(gone.outcome, store_outcome::done);
  EXPECT_TRUE(gone.table.members.empty());
  EXPECT_EQ(gone.table.number.value, 2U);
  EXPECT_EQ(client->ask(evict_member{target, 1}).outcome, store_outcome::fenced);
  EXPECT_EQ(client->ask(beat_member{target}).outcome, store_outcome::fenced);
  EXPECT_EQ(client->ask(drain_member{target}).outcome, store_outcome::fenced);
  EXPECT_EQ(read().table.number.value, 2U);
}

TEST_F(MemberStore, DrainMarksOnceAndBeatsGoOn) {
  const auto self = join("a").self;
  for (int i = 0; i < 2; ++i) {
    const auto a = client->ask(drain_member{self});
    EXPECT_EQ(a.outcome, store_outcome::done);
    EXPECT_EQ(a.table.find(self)->state, member_state::draining);
    EXPECT_EQ(a.table.number.value, 2U);
  }
  const auto a = client->ask(beat_member{self});
  EXPECT_EQ(a.table.find(self)->state, member_state::draining);
  EXPECT_EQ(a.table.find(self)->beat, 1U);
}

TEST_F(MemberStore, LeaveRemovesOnceAndSparesASuccessor) {
  const auto first = join("a").self;
  for (int i = 0; i < 2; ++i) {
    const auto a = client->ask(leave_members{first});
    EXPECT_EQ(a.outcome, store_outcome::done);
    EXPECT_TRUE(a.table.members.empty());
    EXPECT_EQ(a.table.number.value, 2U);
  }
  const auto second = join("a").self;
  EXPECT_NE(second, first);
  EXPECT_NE(client->ask(leave_members{first}).table.find(second), nullptr);
}

TEST_F(MemberStore, TheViewIsRaisedToAtLeastANumberAndNeverLowered) {
  EXPECT_EQ(client->ask(raise_view{{41}}).table.number.value, 41U);
  EXPECT_EQ(client->ask(raise_view{{7}}).table.number.value, 41U);
  EXPECT_EQ(join("a").table.number.value, 42U);
}

TEST_F(MemberStore, NothingIsCreatedInAStoreThatLostItsDataset) {
  const auto self = join("a").self;
  server.run({"FLUSHALL"});
  for (const member_operation& o :
       std::vector<member_operation>{read_members{}, join_members{"b", "b:1", "", {}}, beat_member{self},
                                     drain_member{self}, leave_members{self}, evict_member{self, 0}, raise_view{{9}}})
    EXPECT_EQ(client->ask(o).outcome, store_outcome::lost) << o.index();
  EXPECT_TRUE(server.keys("*").empty());
}

TEST_F(MemberStore, ADamagedRowIsNamed) {
  server.run({"HSET", keys.members(), "b", "nonsense"});
  const auto a = read();
  EXPECT_EQ(a.outcome, store_outcome::lost);
  EXPECT_NE(a.text.find("\"b\""), std::string::npos);
}

TEST_F(MemberStore, ForeignTypesUnderOurNamesAreNamedAndNothingIsWritten) {
  const auto self = join("a").self;
  server.run({"DEL", keys.members()});
  server.run({"SET", keys.members(), "x"});
  for (const member_operation& o :
       std::vector<member_operation>{join_members{"b", "b:1", "", {}}, beat_member{self}, read_members{}}) {
    const auto a = client->ask(o);
    EXPECT_EQ(a.outcome, store_outcome::refused) << o.index();
    EXPECT_EQ(a.error, store_error::wrong_type) << o.index();
  }
  EXPECT_EQ(server.ask({"GET", keys.view()}).text, "1");
  EXPECT_EQ(server.ask({"GET", keys.incarnation()}).text, "1");
}

TEST_F(MemberStore, AnAddressThatWouldBreakTheRowIsRefused) {
  for (const auto& [node, peer, http] : std::vector<std::array<std::string, 3>>{{"a", "", ""},
                                                                                {"a", "x y:1", ""},
                                                                                {"a", "a:1", "b\n:2"},
                                                                                {"A b", "a:1", ""},
                                                                                {"", "a:1", ""},
                                                                                {"a", std::string(300, 'x'), ""}})
    EXPECT_EQ(client->ask(join_members{node, peer, http, {}}).outcome, store_outcome::refused) << node << peer << http;
  EXPECT_TRUE(read().table.members.empty());
}

TEST_F(MemberStore, MembershipGoesOnWithMemoryFull) {
  const auto self = join("a").self;
  server.run({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_EQ(client->ask(beat_member{self}).outcome, store_outcome::done);
  EXPECT_EQ(join("b").outcome, store_outcome::done);
  EXPECT_EQ(client->ask(evict_member{self, 1}).outcome, store_outcome::done);
}

TEST_F(MemberStore, ScriptsTheServerForgotAreSentAgain) {
  client->wait_members_up();
  server.run({"SCRIPT", "FLUSH"});
  const auto a = client->send(join_members{"a", "a:1", "", {}});
  const auto b = client->send(join_members{"b", "b:1", "", {}});
  EXPECT_EQ(client->wait_member(a).self.incarnation, 1U);
  EXPECT_EQ(client->wait_member(b).self.incarnation, 2U);
}

}  // namespace
}  // namespace pawl
