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
  member_answer beat(const member_id& self, std::uint64_t known = 0, std::vector<std::string> watched = {}) {
    return client->ask(beat_member{self, {known}, std::move(watched)});
  }
  store_outcome accuse(const member_id& self, const member_id& target) {
    return client->ask(accuse_member{self, target}).outcome;
  }
  store_outcome acquit(const member_id& self, const member_id& target) {
    return client->ask(acquit_member{self, target}).outcome;
  }
  static std::vector<member_operation> every_operation(const member_id& self) {
    return {read_members{},
            join_members{"b", "b:1", "", {}},
            beat_member{self, {}, {}},
            drain_member{self},
            leave_members{self},
            evict_member{self, 0},
            accuse_member{self, {"b", 2}},
            acquit_member{self, {"b", 2}},
            raise_view{{9}}};
  }

  redis_server server;
  key_names keys{"test"};
  std::unique_ptr<store_client> client;
};

TEST_F(MemberStore, AFreshTableIsEmptyWithViewZero) {
  const auto a = read();
  EXPECT_EQ(a.outcome, store_outcome::done);
  EXPECT_TRUE(a.whole);
  EXPECT_EQ(a.table.number.value, 0U);
  EXPECT_TRUE(a.table.members.empty());
}

TEST_F(MemberStore, JoinHandsOutIncarnationsAndRaisesTheView) {
  const auto b = join("b");
  ASSERT_EQ(b.outcome, store_outcome::done) << b.text;
  EXPECT_EQ(b.self, (member_id{"b", 1}));
  const auto a = client->ask(join_members{"a", "[::1]:7421", "", {}});
  EXPECT_EQ(a.self, (member_id{"a", 2}));
  EXPECT_TRUE(a.whole);
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

TEST_F(MemberStore, ANameInUseIsFenced) {
  join("a");
  const auto second = join("a");
  EXPECT_EQ(second.outcome, store_outcome::fenced);
  EXPECT_TRUE(second.self.empty());
  EXPECT_FALSE(second.whole);
  EXPECT_EQ(second.table.number.value, 1U);
}

TEST_F(MemberStore, AJoinReplacesExactlyTheRowItNames) {
  const auto first = join("a").self;
  ASSERT_EQ(beat(first).outcome, store_outcome::done);
  EXPECT_EQ(join("a", {{first.incarnation, 0}}).outcome, store_outcome::fenced);
  EXPECT_EQ(join("a", {{first.incarnation + 1, 1}}).outcome, store_outcome::fenced);
  const auto second = join("a", {{first.incarnation, 1}});
  ASSERT_EQ(second.outcome, store_outcome::done);
  EXPECT_EQ(second.self, (member_id{"a", 2}));
  EXPECT_EQ(second.table.number.value, 2U);
  EXPECT_EQ(second.table.members.size(), 1U);
  EXPECT_EQ(beat(first).outcome, store_outcome::fenced);
}

TEST_F(MemberStore, ABeatCountsAndLeavesTheView) {
  const auto self = join("a").self;
  for (std::uint64_t n = 1; n <= 3; ++n) {
    const auto a = beat(self);
    ASSERT_EQ(a.outcome, store_outcome::done);
    EXPECT_EQ(a.table.find(self)->beat, n);
    EXPECT_EQ(a.table.number.value, 1U);
  }
}

TEST_F(MemberStore, ABeatThatKnowsTheViewIsAnsweredWithTheWatchedRowsOnly) {
  const auto a = join("a").self;
  const auto b = join("b").self;
  join("c");
  ASSERT_EQ(beat(b).outcome, store_outcome::done);
  const auto some = beat(a, 3, {"b", "gone"});
  EXPECT_EQ(some.outcome, store_outcome::done);
  EXPECT_FALSE(some.whole);
  EXPECT_EQ(some.table.number.value, 3U);
  ASSERT_EQ(some.table.members.size(), 1U);
  EXPECT_EQ(some.table.members[0].id, b);
  EXPECT_EQ(some.table.members[0].beat, 1U);
  EXPECT_TRUE(beat(a, 3).table.members.empty());
}

TEST_F(MemberStore, ABeatThatKnowsAnotherViewIsAnsweredWithTheTable) {
  const auto a = join("a").self;
  join("b");
  for (std::uint64_t known : {0U, 1U, 3U}) {  // behind, or ahead of a store that was rolled back
    const auto all = beat(a, known, {"b"});
    EXPECT_TRUE(all.whole) << known;
    EXPECT_EQ(all.table.number.value, 2U) << known;
    EXPECT_EQ(all.table.members.size(), 2U) << known;
  }
}

TEST_F(MemberStore, EvictComparesIncarnationAndBeat) {
  const auto target = join("a").self;
  ASSERT_EQ(beat(target).outcome, store_outcome::done);
  EXPECT_EQ(client->ask(evict_member{target, 0}).outcome, store_outcome::fenced);
  EXPECT_EQ(client->ask(evict_member{{"a", 9}, 1}).outcome, store_outcome::fenced);
  EXPECT_NE(read().table.find(target), nullptr);
  const auto gone = client->ask(evict_member{target, 1});
  EXPECT_EQ(gone.outcome, store_outcome::done);
  EXPECT_EQ(gone.table.number.value, 2U);
  EXPECT_TRUE(read().table.members.empty());
  EXPECT_EQ(client->ask(evict_member{target, 1}).outcome, store_outcome::fenced);
  EXPECT_EQ(beat(target).outcome, store_outcome::fenced);
  EXPECT_EQ(client->ask(drain_member{target}).outcome, store_outcome::fenced);
  EXPECT_EQ(read().table.number.value, 2U);
}

TEST_F(MemberStore, DrainMarksOnceAndBeatsGoOn) {
  const auto self = join("a").self;
  for (int i = 0; i < 2; ++i) {
    const auto a = client->ask(drain_member{self});
    EXPECT_EQ(a.outcome, store_outcome::done);
    EXPECT_EQ(a.table.number.value, 2U);
  }
  const auto a = beat(self);
  EXPECT_EQ(a.table.find(self)->state, member_state::draining);
  EXPECT_EQ(a.table.find(self)->beat, 1U);
}

TEST_F(MemberStore, LeaveRemovesOnceAndSparesASuccessor) {
  const auto first = join("a").self;
  for (int i = 0; i < 2; ++i) {
    const auto a = client->ask(leave_members{first});
    EXPECT_EQ(a.outcome, store_outcome::done);
    EXPECT_EQ(a.table.number.value, 2U);
    EXPECT_TRUE(read().table.members.empty());
  }
  const auto second = join("a").self;
  EXPECT_NE(second, first);
  EXPECT_EQ(client->ask(leave_members{first}).outcome, store_outcome::done);
  EXPECT_NE(read().table.find(second), nullptr);
}

TEST_F(MemberStore, TheViewIsRaisedToAtLeastANumberAndNeverLowered) {
  EXPECT_EQ(client->ask(raise_view{{41}}).table.number.value, 41U);
  EXPECT_EQ(client->ask(raise_view{{7}}).table.number.value, 41U);
  EXPECT_EQ(join("a").table.number.value, 42U);
}

// Votes

TEST_F(MemberStore, TwoMembersThatAccuseAThirdRemoveIt) {
  const auto a = join("a").self;
  const auto b = join("b").self;
  const auto c = join("c").self;
  EXPECT_EQ(accuse(a, c), store_outcome::done);
  EXPECT_EQ(accuse(a, c), store_outcome::done);  // the same voter twice is one vote
  EXPECT_NE(read().table.find(c), nullptr);
  EXPECT_EQ(read().table.number.value, 3U);
  EXPECT_EQ(accuse(b, c), store_outcome::done);
  EXPECT_EQ(read().table.find(c), nullptr);
  EXPECT_EQ(read().table.number.value, 4U);
  EXPECT_EQ(beat(c).outcome, store_outcome::fenced);
  EXPECT_TRUE(server.hash(keys.votes()).empty());
}

TEST_F(MemberStore, AVoteIsFencedUnlessBothAreInTheTable) {
  const auto a = join("a").self;
  const auto b = join("b").self;
  const member_id former{"b", 9};
  const member_id stranger{"z", 1};
  for (const auto& [voter, target] :
       std::vector<std::pair<member_id, member_id>>{{a, former}, {former, a}, {a, stranger}, {stranger, b}}) {
    EXPECT_EQ(accuse(voter, target), store_outcome::fenced) << voter.node << target.node;
    EXPECT_EQ(acquit(voter, target), store_outcome::fenced) << voter.node << target.node;
  }
  EXPECT_TRUE(server.hash(keys.votes()).empty());
  EXPECT_EQ(read().table.number.value, 2U);
}

TEST_F(MemberStore, AnAcquittalTakesItsOwnVoteBackAndNoOther) {
  const auto a = join("a").self;
  const auto b = join("b").self;
  const auto c = join("c").self;
  const auto d = join("d").self;
  ASSERT_EQ(accuse(a, d), store_outcome::done);
  EXPECT_EQ(acquit(b, d), store_outcome::done);  // has none
  EXPECT_EQ(acquit(a, d), store_outcome::done);
  EXPECT_EQ(acquit(a, d), store_outcome::done);
  EXPECT_TRUE(server.hash(keys.votes()).empty());
  EXPECT_EQ(accuse(b, d), store_outcome::done);
  EXPECT_NE(read().table.find(d), nullptr);
  EXPECT_EQ(acquit(a, d), store_outcome::done);
  EXPECT_EQ(accuse(c, d), store_outcome::done);  // with b's vote, which a did not take back
  EXPECT_EQ(read().table.find(d), nullptr);
}

TEST_F(MemberStore, VotesOfMembersThatAreGoneOrCameAgainDoNotCount) {
  const auto a = join("a").self;
  const auto b = join("b").self;
  const auto c = join("c").self;
  const auto d = join("d").self;
  ASSERT_EQ(accuse(a, d), store_outcome::done);
  ASSERT_EQ(client->ask(leave_members{a}).outcome, store_outcome::done);
  EXPECT_EQ(accuse(b, d), store_outcome::done);
  EXPECT_NE(read().table.find(d), nullptr);
  join("a");
  ASSERT_EQ(join("b", {{b.incarnation, 0}}).outcome, store_outcome::done);
  EXPECT_EQ(accuse(c, d), store_outcome::done);
  EXPECT_NE(read().table.find(d), nullptr);
}

TEST_F(MemberStore, VotesEndWithTheMembershipOfTheirTarget) {
  const auto a = join("a").self;
  const auto b = join("b").self;
  join("c");
  auto target = join("d").self;
  const auto again = [&] {
    target = join("d").self;
    ASSERT_EQ(accuse(a, target), store_outcome::done);
    EXPECT_FALSE(server.hash(keys.votes()).empty());
  };
  ASSERT_EQ(client->ask(leave_members{target}).outcome, store_outcome::done);
  again();
  ASSERT_EQ(client->ask(leave_members{target}).outcome, store_outcome::done);
  EXPECT_TRUE(server.hash(keys.votes()).empty());
  again();
  ASSERT_EQ(client->ask(evict_member{target, 0}).outcome, store_outcome::done);
  EXPECT_TRUE(server.hash(keys.votes()).empty());
  again();
  const auto successor = join("d", {{target.incarnation, 0}}).self;
  EXPECT_TRUE(server.hash(keys.votes()).empty());
  EXPECT_EQ(accuse(b, successor), store_outcome::done);
  EXPECT_NE(read().table.find(successor), nullptr);
  EXPECT_EQ(acquit(a, target), store_outcome::fenced);  // late: of the former one
  EXPECT_FALSE(server.hash(keys.votes()).empty());
}

TEST_F(MemberStore, OfTwoMembersTheOneThatCameFirstStays) {
  const auto a = join("a").self;
  const auto b = join("b").self;
  EXPECT_EQ(accuse(b, a), store_outcome::done);
  EXPECT_EQ(read().table.members.size(), 2U);
  EXPECT_EQ(accuse(a, b), store_outcome::done);
  EXPECT_NE(read().table.find(a), nullptr);
  EXPECT_EQ(read().table.find(b), nullptr);
}

TEST_F(MemberStore, TheVoteOfTheLaterOfTwoCountsWhenAThirdAgrees) {
  const auto a = join("a").self;
  const auto b = join("b").self;
  ASSERT_EQ(accuse(b, a), store_outcome::done);
  const auto c = join("c").self;
  EXPECT_EQ(accuse(c, a), store_outcome::done);
  EXPECT_EQ(read().table.find(a), nullptr);
}

TEST_F(MemberStore, WhenOnlyTwoAreLeftAnAccusationMadeBeforeSufficesOnceItIsRepeated) {
  const auto a = join("a").self;
  const auto b = join("b").self;
  const auto c = join("c").self;
  ASSERT_EQ(accuse(a, b), store_outcome::done);
  ASSERT_EQ(client->ask(evict_member{c, 0}).outcome, store_outcome::done);
  EXPECT_NE(read().table.find(b), nullptr);
  EXPECT_EQ(accuse(a, b), store_outcome::done);
  EXPECT_EQ(read().table.find(b), nullptr);
}

TEST_F(MemberStore, DamagedVotesCountForNothing) {
  const auto a = join("a").self;
  join("b");
  const auto c = join("c").self;
  for (const auto* text : {"", "nonsense", "3", "3 b", "3 b:x", "3 z:9", "9 b:2"}) {
    server.run({"HSET", keys.votes(), "c", text});
    EXPECT_EQ(accuse(a, c), store_outcome::done) << text;
    EXPECT_NE(read().table.find(c), nullptr) << text;
  }
}

// Faults

TEST_F(MemberStore, NothingIsCreatedInAStoreThatLostItsDataset) {
  const auto self = join("a").self;
  server.run({"FLUSHALL"});
  for (const auto& o : every_operation(self)) EXPECT_EQ(client->ask(o).outcome, store_outcome::lost) << o.index();
  EXPECT_TRUE(server.keys("*").empty());
}

TEST_F(MemberStore, ADamagedRowIsNamed) {
  const auto self = join("a").self;
  server.run({"HSET", keys.members(), "b", "nonsense"});
  for (const auto& o :
       std::vector<member_operation>{read_members{}, beat_member{self, {0}, {}}, beat_member{self, {1}, {"b"}}}) {
    const auto a = client->ask(o);
    EXPECT_EQ(a.outcome, store_outcome::lost);
    EXPECT_NE(a.text.find("\"b\""), std::string::npos) << a.text;
  }
}

TEST_F(MemberStore, ForeignTypesUnderOurNamesAreNamedAndNothingIsWritten) {
  const auto self = join("a").self;
  server.run({"DEL", keys.members()});
  server.run({"SET", keys.members(), "x"});
  for (const auto& o : every_operation(self)) {
    if (std::holds_alternative<raise_view>(o)) continue;  // does not look at the table
    const auto a = client->ask(o);
    EXPECT_EQ(a.outcome, store_outcome::refused) << o.index();
    EXPECT_EQ(a.error, store_error::wrong_type) << o.index();
  }
  EXPECT_EQ(server.ask({"GET", keys.view()}).text, "1");
  EXPECT_EQ(server.ask({"GET", keys.incarnation()}).text, "1");
  EXPECT_EQ(server.ask({"XLEN", keys.changes()}).integer, 1);
}

TEST_F(MemberStore, VotesOfAForeignTypeAreNamedAndNothingIsWritten) {
  const auto a = join("a").self;
  const auto b = join("b").self;
  server.run({"SET", keys.votes(), "x"});
  for (const member_operation& o :
       std::vector<member_operation>{join_members{"c", "c:1", "", {}}, accuse_member{a, b}, acquit_member{a, b},
                                     leave_members{a}, evict_member{b, 0}})
    EXPECT_EQ(client->ask(o).error, store_error::wrong_type) << o.index();
  EXPECT_EQ(read().table.members.size(), 2U);
  EXPECT_EQ(read().table.number.value, 2U);
  EXPECT_EQ(server.ask({"GET", keys.incarnation()}).text, "2");
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
  EXPECT_EQ(beat(self).outcome, store_outcome::done);
  const auto b = join("b").self;
  const auto c = join("c").self;
  EXPECT_EQ(accuse(b, c), store_outcome::done);
  EXPECT_EQ(acquit(b, c), store_outcome::done);
  EXPECT_EQ(accuse(self, c), store_outcome::done);
  EXPECT_EQ(client->ask(drain_member{b}).outcome, store_outcome::done);
  EXPECT_EQ(client->ask(leave_members{b}).outcome, store_outcome::done);
  EXPECT_EQ(client->ask(evict_member{self, 1}).outcome, store_outcome::done);
  EXPECT_EQ(client->ask(raise_view{{20}}).outcome, store_outcome::done);
  EXPECT_EQ(client->wait_change({20}).node, "");
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
