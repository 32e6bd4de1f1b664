// The contract of `shard_store`, against a real Redis: who may write, and what a stale owner can touch (nothing).
#include "persistence/keys.hpp"
#include "persistence/redis/dataset.hpp"
#include "tests/contract/redis_server.hpp"
#include "tests/contract/store_client.hpp"

#include <gtest/gtest.h>

namespace pawl {
namespace {

using testing::redis_server;
using testing::store_client;
using testing::token;

constexpr std::uint32_t shards = 4;

class ShardStore : public ::testing::Test {
protected:
  void SetUp() override {
    const auto made = init_dataset(server.options(), "test", shards);
    ASSERT_TRUE(made.ok()) << made.error;
    dataset = made.info;
    client = std::make_unique<store_client>(server.options());
    first = client->record().token;
  }

  std::string data(const fencing_token& t) const { return keys.data({0}, t); }
  bool exists(const std::string& key) const { return server.ask({"EXISTS", key}).integer == 1; }

  redis_server server;
  key_names keys{"test"};
  dataset_info dataset;
  std::unique_ptr<store_client> client;
  fencing_token first;
};

TEST_F(ShardStore, ARecordOfAFreshDatasetHasNoOwnerAndIsReleased) {
  const auto r = client->record({3});
  EXPECT_TRUE(valid_token(r.token.text()));
  EXPECT_TRUE(r.token.text().starts_with("0-init-"));
  EXPECT_TRUE(r.owner.empty());
  EXPECT_TRUE(r.released);
  EXPECT_TRUE(r.dead.empty());
  EXPECT_EQ(r.view.value, 0U);
}

TEST_F(ShardStore, ARecordThatDoesNotExistIsLost) {
  const auto a = client->ask({shards}, read_record{});
  EXPECT_EQ(a.outcome, store_outcome::lost);
}

TEST_F(ShardStore, ADamagedRecordIsLostNotBelieved) {
  for (const auto& [field, value] : std::vector<std::pair<std::string, std::string>>{
           {"tok", "a b"}, {"tok", ""}, {"view", "-1"}, {"inc", "x"}, {"dead", "ok {x}"}, {"own", "No Name"}}) {
    const auto old = server.ask({"HGET", keys.record({0}), field}).text;
    server.run({"HSET", keys.record({0}), field, value});
    EXPECT_EQ(client->ask({}, read_record{}).outcome, store_outcome::lost) << field;
    server.run({"HSET", keys.record({0}), field, old});
  }
  EXPECT_EQ(client->record().token, first);
}

TEST_F(ShardStore, AClaimMovesTheDataAndAnswersFrontierAndServer) {
  const auto before = server.dump(data(first));
  const auto a = client->claim(first, token(1), 5);
  ASSERT_EQ(a.outcome, store_outcome::done) << a.text;
  const auto& body = std::get<claim_answer>(a.body);
  const auto f = decode_frontier(body.frontier);
  ASSERT_TRUE(f);
  EXPECT_EQ(f->dataset, dataset.id);
  EXPECT_EQ(body.store_run_id, dataset.run_id);
  EXPECT_EQ(server.dump(data(token(1))), before);
  EXPECT_FALSE(exists(data(first)));
  EXPECT_FALSE(exists(keys.live({0}, first)));
  EXPECT_TRUE(exists(keys.live({0}, token(1))));
  const auto r = client->record();
  EXPECT_EQ(r.token, token(1));
  EXPECT_EQ(r.owner, (member_id{"n1", 7}));
  EXPECT_EQ(r.view.value, 5U);
  EXPECT_FALSE(r.released);
  EXPECT_EQ(r.dead, std::vector{first});
}

TEST_F(ShardStore, AClaimWithAnotherTokenIsFencedAndToldTheRecord) {
  ASSERT_EQ(client->claim(first, token(1), 5).outcome, store_outcome::done);
  const auto before = server.dump(keys.record({0}));
  const auto a = client->claim(first, token(2), 6);
  EXPECT_EQ(a.outcome, store_outcome::fenced);
  EXPECT_EQ(std::get<claim_answer>(a.body).record.token, token(1));
  EXPECT_EQ(std::get<claim_answer>(a.body).record.view.value, 5U);
  EXPECT_EQ(server.dump(keys.record({0})), before);
}

TEST_F(ShardStore, AClaimUnderAnOlderViewIsFencedAndToldTheView) {
  ASSERT_EQ(client->claim(first, token(1), 5).outcome, store_outcome::done);
  const auto a = client->claim(token(1), token(2), 4, "n2");
  EXPECT_EQ(a.outcome, store_outcome::fenced);
  EXPECT_EQ(std::get<claim_answer>(a.body).record.view.value, 5U);
  EXPECT_EQ(client->claim(token(1), token(2), 5, "n2").outcome, store_outcome::done);
}

TEST_F(ShardStore, AClaimNeverCreatesData) {
  server.run({"DEL", data(first)});
  const auto before = server.keys("*");
  const auto a = client->claim(first, token(1));
  EXPECT_EQ(a.outcome, store_outcome::lost);
  EXPECT_NE(a.text.find("data hash"), std::string::npos);
  EXPECT_EQ(server.keys("*"), before);
}

TEST_F(ShardStore, AClaimOfDataWithoutAFrontierIsLost) {
  server.run({"HSET", data(first), "e", "x"});
  server.run({"HDEL", data(first), frontier_field});
  EXPECT_EQ(client->claim(first, token(1)).outcome, store_outcome::lost);
  EXPECT_TRUE(exists(data(first)));
}

TEST_F(ShardStore, AClaimWithoutARecordIsLost) {
  server.run({"DEL", keys.record({0})});
  EXPECT_EQ(client->claim(first, token(1)).outcome, store_outcome::lost);
  EXPECT_TRUE(exists(data(first)));
}

TEST_F(ShardStore, AClaimWhoseNewNamesExistIsRefusedAndChangesNothing) {
  for (const auto& name : {keys.live({0}, token(1)), data(token(1))}) {
    server.run({"HSET", name, "x", "y"});
    const auto before = server.dump(keys.record({0}));
    EXPECT_EQ(client->claim(first, token(1)).outcome, store_outcome::refused);
    EXPECT_EQ(server.dump(keys.record({0})), before);
    EXPECT_TRUE(exists(data(first)));
    server.run({"DEL", name});
  }
}

TEST_F(ShardStore, TheRecordKeepsTheLastSixteenDeadTokens) {
  auto held = first;
  for (unsigned n = 1; n <= 20; ++n) {
    ASSERT_EQ(client->claim(held, token(n)).outcome, store_outcome::done);
    held = token(n);
  }
  const auto dead = client->record().dead;
  ASSERT_EQ(dead.size(), 16U);
  EXPECT_EQ(dead.front(), token(19));
  EXPECT_EQ(dead.back(), token(4));
}

TEST_F(ShardStore, ACommitIsOneWriteAndItsValuesAreLoaded) {
  ASSERT_EQ(client->claim(first, token(1)).outcome, store_outcome::done);
  const std::string binary{"\0\r\n$-1\xff", 7};
  ASSERT_EQ(client->commit(token(1), {{std::string{frontier_field}, "f"}, {"ea", binary}, {"eb", ""}}).outcome,
            store_outcome::done);
  const auto a = client->load(token(1), {"ea", "missing", "eb", std::string{frontier_field}});
  ASSERT_EQ(a.outcome, store_outcome::done);
  EXPECT_EQ(std::get<load_answer>(a.body).values,
            (std::vector<std::optional<std::string>>{binary, std::nullopt, "", "f"}));
}

TEST_F(ShardStore, ALoadOfManyFieldsComesBackInOrder) {
  ASSERT_EQ(client->claim(first, token(1)).outcome, store_outcome::done);
  field_list fields;
  std::vector<std::string> names;
  for (int i = 0; i < 1'000; ++i) {
    names.push_back("e" + std::to_string(i));
    if (i % 3 != 0) fields.add(names.back(), std::to_string(i * i));
  }
  ASSERT_EQ(client->commit(token(1), fields).outcome, store_outcome::done);
  for (std::size_t count : {1U, 127U, 128U, 129U, 1000U}) {
    const auto a = client->load(token(1), {names.begin(), names.begin() + static_cast<std::ptrdiff_t>(count)});
    ASSERT_EQ(a.outcome, store_outcome::done);
    const auto& values = std::get<load_answer>(a.body).values;
    ASSERT_EQ(values.size(), count);
    for (std::size_t i = 0; i < count; ++i)
      ASSERT_EQ(values[i], i % 3 != 0 ? std::optional{std::to_string(i * i)} : std::nullopt) << i;
  }
}

TEST_F(ShardStore, ALoadWithoutFieldsTellsWhetherTheTokenIsLive) {
  EXPECT_EQ(client->load(first, {}).outcome, store_outcome::done);
  ASSERT_EQ(client->claim(first, token(1)).outcome, store_outcome::done);
  EXPECT_EQ(client->load(first, {}).outcome, store_outcome::fenced);
  EXPECT_EQ(client->load(token(1), {}).outcome, store_outcome::done);
}

TEST_F(ShardStore, AStaleOwnerChangesNothingAndLearnsNothing) {
  ASSERT_EQ(client->claim(first, token(1)).outcome, store_outcome::done);
  ASSERT_EQ(client->commit(token(1), {{"ea", "1"}}).outcome, store_outcome::done);
  ASSERT_EQ(client->claim(token(1), token(2), 1, "n2").outcome, store_outcome::done);
  const auto live = server.dump(data(token(2)));
  const auto record = server.dump(keys.record({0}));

  const auto late = client->commit(token(1), {{"ea", "2"}, {std::string{frontier_field}, "stale"}});
  EXPECT_EQ(late.outcome, store_outcome::unknown);
  EXPECT_NE(late.text.find("dead name"), std::string::npos);
  // A nil read under a dead token must not be taken for "does not exist" (rule A4).
  EXPECT_EQ(client->load(token(1), {"ea"}).outcome, store_outcome::fenced);
  EXPECT_EQ(client->ask({}, trim_fields{token(1), {"ea"}}).outcome, store_outcome::done);
  EXPECT_EQ(client->ask({}, release_shard{token(1)}).outcome, store_outcome::fenced);
  EXPECT_EQ(client->claim(token(1), token(3)).outcome, store_outcome::fenced);

  EXPECT_EQ(server.dump(data(token(2))), live);
  EXPECT_EQ(server.dump(keys.record({0})), record);
}

TEST_F(ShardStore, ReleaseKeepsTokenAndDataAndTheNextClaimTakesTheMarkBack) {
  ASSERT_EQ(client->claim(first, token(1)).outcome, store_outcome::done);
  EXPECT_EQ(client->ask({}, release_shard{token(1)}).outcome, store_outcome::done);
  EXPECT_TRUE(client->record().released);
  EXPECT_EQ(client->record().token, token(1));
  EXPECT_EQ(client->load(token(1), {}).outcome, store_outcome::done);
  ASSERT_EQ(client->claim(token(1), token(2)).outcome, store_outcome::done);
  EXPECT_FALSE(client->record().released);
}

TEST_F(ShardStore, TrimRemovesFieldsAndMayBeRepeated) {
  ASSERT_EQ(client->commit(first, {{"ea", "1"}, {"eb", "2"}}).outcome, store_outcome::done);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(client->ask({}, trim_fields{first, {"ea"}}).outcome, store_outcome::done);
  EXPECT_EQ(std::get<load_answer>(client->load(first, {"ea", "eb"}).body).values,
            (std::vector<std::optional<std::string>>{std::nullopt, "2"}));
}

TEST_F(ShardStore, SweepRemovesADeadNameOnly) {
  ASSERT_EQ(client->claim(first, token(1)).outcome, store_outcome::done);
  EXPECT_EQ(client->commit(first, {{"ea", "late"}}).outcome, store_outcome::unknown);
  ASSERT_TRUE(exists(data(first)));
  EXPECT_EQ(client->ask({}, sweep_token{first}).outcome, store_outcome::done);
  EXPECT_FALSE(exists(data(first)));
  EXPECT_EQ(client->ask({}, sweep_token{first}).outcome, store_outcome::done);

  const auto live = server.dump(data(token(1)));
  EXPECT_EQ(client->ask({}, sweep_token{token(1)}).outcome, store_outcome::fenced);
  EXPECT_EQ(server.dump(data(token(1))), live);
}

TEST_F(ShardStore, SweepSparesANameThatARollbackHasMadeLiveAgain) {
  // Record and `own:` go back together in a rollback; either alone must do (rule A1).
  ASSERT_EQ(client->claim(first, token(1)).outcome, store_outcome::done);
  server.run({"SET", keys.live({0}, first), "x"});
  server.run({"HSET", data(first), "ea", "precious"});
  EXPECT_EQ(client->ask({}, sweep_token{first}).outcome, store_outcome::fenced);
  EXPECT_TRUE(exists(data(first)));
  server.run({"DEL", keys.live({0}, first)});
  server.run({"HSET", keys.record({0}), "tok", first.text()});
  EXPECT_EQ(client->ask({}, sweep_token{first}).outcome, store_outcome::fenced);
  EXPECT_TRUE(exists(data(first)));
  server.run({"DEL", keys.record({0})});
  EXPECT_EQ(client->ask({}, sweep_token{first}).outcome, store_outcome::lost);
  EXPECT_TRUE(exists(data(first)));
}

TEST_F(ShardStore, CommandsNamingAnotherConnectionAreNotSent) {
  const auto now = client->wait_up();
  for (auto number : {std::uint64_t{0}, now - 1, now + 1}) {
    const auto a = client->wait(client->send({}, commit_fields{first, {{"ea", "1"}}}, number));
    EXPECT_EQ(a.outcome, store_outcome::unavailable);
  }
  EXPECT_EQ(std::get<load_answer>(client->load(first, {"ea"}).body).values[0], std::nullopt);
}

TEST_F(ShardStore, AnswersOfAShardKeepTheOrderOfItsCommands) {
  const auto number = client->wait_up();
  std::vector<std::uint64_t> tickets;
  auto held = first;
  for (unsigned n = 1; n <= 50; ++n) {
    tickets.push_back(client->send({}, commit_fields{held, {{"ea", std::to_string(n)}}}, number));
    tickets.push_back(client->send({}, claim_shard{held, token(n), {"n1", 7}, {1}}, number));
    tickets.push_back(client->send({}, load_fields{token(n), {"ea"}}, number));
    tickets.push_back(client->send({}, commit_fields{held, {{"ea", "never sent"}}}, number - 1));
    held = token(n);
  }
  const auto last = client->wait(tickets[tickets.size() - 2]);
  client->wait(tickets.back());
  EXPECT_EQ(last.outcome, store_outcome::done);
  EXPECT_EQ(std::get<load_answer>(last.body).values[0], "50");
  auto seen = client->history();
  seen.erase(seen.begin(), seen.end() - static_cast<std::ptrdiff_t>(tickets.size()));
  EXPECT_EQ(seen, tickets);
}

TEST_F(ShardStore, ScriptsTheServerForgotAreSentAgainInOrder) {
  server.run({"SCRIPT", "FLUSH"});
  const auto number = client->wait_up();
  const auto claim = client->send({}, claim_shard{first, token(1), {"n1", 7}, {1}}, number);
  const auto commit = client->send({}, commit_fields{token(1), {{"ea", "1"}}}, number);
  EXPECT_EQ(client->wait(claim).outcome, store_outcome::done);
  EXPECT_EQ(client->wait(commit).outcome, store_outcome::done);
}

TEST_F(ShardStore, WithMemoryFullACommitIsRefusedAndAClaimPasses) {
  ASSERT_EQ(client->commit(first, {{"ea", "1"}}).outcome, store_outcome::done);
  server.run({"CONFIG", "SET", "maxmemory", "1"});
  const auto refused = client->commit(first, {{"ea", "2"}});
  EXPECT_EQ(refused.outcome, store_outcome::refused);
  EXPECT_EQ(refused.error, store_error::oom);
  EXPECT_EQ(client->claim(first, token(1)).outcome, store_outcome::done);
  EXPECT_EQ(client->ask({}, sweep_token{first}).outcome, store_outcome::done);
  EXPECT_EQ(client->ask({}, release_shard{token(1)}).outcome, store_outcome::done);
  EXPECT_EQ(std::get<load_answer>(client->load(token(1), {"ea"}).body).values[0], "1");
  server.run({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_EQ(client->commit(token(1), {{"ea", "3"}}).outcome, store_outcome::done);
}

TEST_F(ShardStore, ForeignTypesUnderOurNamesAreNamed) {
  server.run({"SET", keys.record({1}), "x"});
  server.run({"SET", keys.data({0}, token(9)), "x"});
  const auto record = client->ask({1}, read_record{});
  EXPECT_EQ(record.outcome, store_outcome::refused);
  EXPECT_EQ(record.error, store_error::wrong_type);
  const auto claim = client->ask({1}, claim_shard{first, token(1), {"n1", 7}, {1}});
  EXPECT_EQ(claim.outcome, store_outcome::refused);
  EXPECT_EQ(claim.error, store_error::wrong_type);
  const auto commit = client->commit(token(9), {{"ea", "1"}});
  EXPECT_EQ(commit.outcome, store_outcome::refused);
  EXPECT_EQ(commit.error, store_error::wrong_type);
}

TEST_F(ShardStore, ACommitAndATrimWithoutFieldsAreRefusedUnsent) {
  EXPECT_EQ(client->commit(first, {}).outcome, store_outcome::refused);
  EXPECT_EQ(client->ask({}, trim_fields{first, {}}).outcome, store_outcome::refused);
}

TEST_F(ShardStore, LargeBatchesPassOverTcp) {
  auto options = server.tcp_options();
  options.connections = 3;
  store_client tcp{options};
  const std::string blob(1024 * 1024, 'x');
  field_list fields;
  for (int i = 0; i < 8; ++i) fields.add("e" + std::to_string(i), blob);
  ASSERT_EQ(tcp.commit(first, fields).outcome, store_outcome::done);
  const auto a = tcp.load(first, {"e0", "e7", "e8"});
  ASSERT_EQ(a.outcome, store_outcome::done);
  EXPECT_EQ(std::get<load_answer>(a.body).values, (std::vector<std::optional<std::string>>{blob, blob, std::nullopt}));
}

}  // namespace
}  // namespace pawl
