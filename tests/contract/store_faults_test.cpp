// What is left when a real Redis is stopped, killed or cut off while commands are under way.
#include "persistence/keys.hpp"
#include "persistence/redis/dataset.hpp"
#include "persistence/redis/reply.hpp"
#include "persistence/redis/socket.hpp"
#include "tests/contract/redis_server.hpp"
#include "tests/contract/store_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace pawl {
namespace {

using namespace std::chrono_literals;
using testing::redis_server;
using testing::store_client;
using testing::token;

class StoreFaults : public ::testing::Test {
protected:
  static constexpr std::uint32_t shards = 8;

  void SetUp() override {
    const auto made = init_dataset(server.options(), "test", shards);
    ASSERT_TRUE(made.ok()) << made.error;
  }

  redis_options impatient() const {
    auto o = server.options();
    o.timeout = 200ms;
    return o;
  }

  redis_server server;
  key_names keys{"test"};
};

TEST_F(StoreFaults, ALateCommitOfACutConnectionRunsIntoADeadName) {
  store_client client{impatient()};
  const auto first = client.record().token;
  ASSERT_EQ(client.claim(first, token(1)).outcome, store_outcome::done);
  ASSERT_EQ(client.commit(token(1), {{"ea", "1"}}).outcome, store_outcome::done);

  const auto number = client.wait_up();
  server.pause();
  const auto ticket = client.send({}, commit_fields{token(1), {{"ea", "late"}}}, number);
  const auto cut = client.wait(ticket);
  EXPECT_EQ(cut.outcome, store_outcome::unknown);
  EXPECT_NE(cut.text.find("no answer"), std::string::npos);
  // Whether the server still runs the bytes of the closed connection, and before or after the claim, is its own choice:
  // every order must end well.
  server.go_on();
  client.wait_up(number);
  ASSERT_EQ(client.claim(token(1), token(2)).outcome, store_outcome::done);
  const auto value = std::get<load_answer>(client.load(token(2), {"ea"}).body).values[0];
  EXPECT_TRUE(value == "1" || value == "late");

  // From the claim on, nothing that the old connection still holds can reach the data.
  const auto live = server.dump(keys.data({0}, token(2)));
  EXPECT_EQ(client.commit(token(1), {{"ea", "later"}}).outcome, store_outcome::unknown);
  EXPECT_EQ(server.dump(keys.data({0}, token(2))), live);
  EXPECT_EQ(client.ask({}, sweep_token{token(1)}).outcome, store_outcome::done);
  EXPECT_EQ(server.keys("pawl:test:{0}:*"),
            (std::vector{keys.data({0}, token(2)), keys.live({0}, token(2)), keys.record({0})}));
}

TEST_F(StoreFaults, ACommitThatTheServerReadsAfterTheNextClaimDoesNotTouchTheData) {
  // The bytes of a commit sit in a socket which the server reads only after it has executed a claim on another one: the
  // HSET is written in two parts, and the second one after the claim.
  store_client client{server.options()};
  const auto first = client.record().token;
  ASSERT_EQ(client.claim(first, token(1)).outcome, store_outcome::done);
  ASSERT_EQ(client.commit(token(1), {{"ea", "1"}}).outcome, store_outcome::done);

  redis::endpoint where{server.options()};
  ASSERT_EQ(where.resolve(), "");
  std::string error;
  const auto old = where.connect(error);
  std::string bytes;
  redis::append_command(bytes, {"HSET", keys.data({0}, token(1)), "ea", "late"});
  redis::append_command(bytes, {"EXISTS", keys.live({0}, token(1))});
  const auto half = bytes.size() / 2;
  ASSERT_EQ(redis::send_some(old.get(), std::string_view{bytes}.substr(0, half)).bytes, half);

  ASSERT_EQ(client.claim(token(1), token(2)).outcome, store_outcome::done);
  const auto live = server.dump(keys.data({0}, token(2)));
  ASSERT_EQ(redis::send_some(old.get(), std::string_view{bytes}.substr(half)).bytes, bytes.size() - half);
  std::string answer;
  while (answer != ":1\r\n:0\r\n") {
    std::array<char, 64> buffer{};
    const auto got = redis::receive_some(old.get(), buffer.data(), buffer.size());
    ASSERT_EQ(got.error, "");
    answer.append(buffer.data(), got.bytes);
    ASSERT_LE(answer.size(), 8U) << answer;
  }
  EXPECT_EQ(server.dump(keys.data({0}, token(2))), live);
}

TEST_F(StoreFaults, AStoppedServerIsNoticedByItsSilenceAndUsedAgainWhenItWakes) {
  store_client client{impatient()};
  const auto number = client.wait_up();
  server.pause();
  const auto a = client.send({}, read_record{}, number);
  const auto b = client.send({1}, read_record{}, number);
  EXPECT_EQ(client.wait(a).outcome, store_outcome::unknown);
  EXPECT_EQ(client.wait(b).outcome, store_outcome::unknown);
  client.wait_down();
  // All answers of a connection come before the news that it is down.
  EXPECT_EQ(client.history(), (std::vector<std::uint64_t>{a, b, 0}));
  EXPECT_EQ(client.wait(client.send({}, read_record{}, number)).outcome, store_outcome::unavailable);
  server.go_on();
  EXPECT_GT(client.wait_up(number), number);
  EXPECT_EQ(client.ask({}, read_record{}).outcome, store_outcome::done);
}

TEST_F(StoreFaults, ShardsMembersAndTheWaitsForChangesAndInboxesUseDifferentConnections) {
  store_client client{server.options()};
  client.wait_up();
  const auto joined = client.ask(join_members{"n1", "127.0.0.1:1", "", {}});
  ASSERT_EQ(joined.outcome, store_outcome::done);
  client.wait_change({1});
  client.watch({}, {});
  server.run({"XADD", key_names{"test"}.inbox({}), "*", "a", "b"});
  (void)client.wait_hints(1);
  // Normal clients: five of the store, one of which ends waits, and one that asks.
  const auto list = server.ask({"CLIENT", "LIST", "TYPE", "normal"}).text;
  EXPECT_EQ(std::count(list.begin(), list.end(), '\n'), 6) << list;
}

TEST_F(StoreFaults, StopAnswersWhateverIsUnderWay) {
  store_client client{server.options()};
  const auto number = client.wait_up();
  client.wait_members_up();
  server.pause();
  const auto sent = client.send({}, read_record{}, number);
  const auto never = client.send({}, read_record{}, number + 1);
  const auto member = client.send(read_members{});
  client.store().stop();
  EXPECT_EQ(client.wait(sent).outcome, store_outcome::unknown);
  EXPECT_EQ(client.wait(never).outcome, store_outcome::unavailable);
  EXPECT_NE(client.wait_member(member).outcome, store_outcome::done);
  server.go_on();
}

TEST_F(StoreFaults, CommandsThatNoLongerFitInTheOutputAreNotSent) {
  auto patient = server.options();
  patient.timeout = 20s;
  patient.connections = 2;
  store_client client{patient};
  const auto number = client.wait_up();
  const auto first = client.record().token;
  server.pause();
  std::vector<std::uint64_t> tickets;
  tickets.reserve(12);
  for (int i = 0; i < 12; ++i)
    tickets.push_back(client.send({}, commit_fields{first, {{"ea", std::string(8'000'000, 'x')}}}, number));
  // Commands are taken in the order given: when this one of the other lane is answered, all above have been taken.
  client.wait(client.send({1}, read_record{}, 0));
  server.go_on();
  EXPECT_EQ(client.wait(tickets.front()).outcome, store_outcome::done);
  EXPECT_EQ(client.wait(tickets.back()).outcome, store_outcome::unavailable);
  auto seen = client.history();
  seen.erase(seen.begin(), seen.end() - static_cast<std::ptrdiff_t>(tickets.size()));
  EXPECT_EQ(seen, tickets);
  EXPECT_EQ(client.commit(first, {{"ea", "1"}}).outcome, store_outcome::done);
}

TEST_F(StoreFaults, AWrongPasswordIsToldAndTheRightOneWorks) {
  server.run({"ACL", "SETUSER", "pawl", "on", ">secret", "~pawl:*", "+@all"});
  auto o = server.options();
  o.user = "pawl";
  o.password = "wrong";
  {
    store_client client{o};
    client.wait_trouble("WRONGPASS");
    EXPECT_EQ(client.wait(client.send({}, read_record{}, 1)).outcome, store_outcome::unavailable);
  }
  o.password = "secret";
  store_client client{o};
  EXPECT_EQ(client.ask({}, read_record{}).outcome, store_outcome::done);
}

TEST_F(StoreFaults, ARightTakenAwayIsNamed) {
  server.run({"ACL", "SETUSER", "pawl", "on", ">secret", "~pawl:*", "+@all", "-hset"});
  auto o = server.options();
  o.user = "pawl";
  o.password = "secret";
  store_client client{o};
  const auto first = client.record().token;
  const auto a = client.commit(first, {{"ea", "1"}});
  EXPECT_EQ(a.outcome, store_outcome::refused);
  EXPECT_EQ(a.error, store_error::no_auth);
}

TEST_F(StoreFaults, TheRightsListedInTheSchemaAreEnough) {
  server.run({"ACL",        "SETUSER",        "pawl",         "on",         ">secret",  "~pawl:*",
              "+ping",      "+info",          "+script|load", "+eval",      "+evalsha", "+exists",
              "+get",       "+set",           "+incr",        "+del",       "+unlink",  "+rename",
              "+hget",      "+hmget",         "+hgetall",     "+hexists",   "+hlen",    "+hset",
              "+hdel",      "+xadd",          "+xread",       "+xrevrange", "+xtrim",   "+xinfo|stream",
              "+client|id", "+client|unblock"});
  auto o = server.options();
  o.user = "pawl";
  o.password = "secret";
  EXPECT_EQ(init_dataset(o, "other", 2).error, "");
  EXPECT_EQ(check_dataset(o, "other").error, "");
  store_client client{o, "other"};
  const auto first = client.record().token;
  EXPECT_EQ(client.claim(first, token(1)).outcome, store_outcome::done);
  EXPECT_EQ(client.commit(token(1), {{"ea", "1"}}).outcome, store_outcome::done);
  EXPECT_EQ(client.load(token(1), {"ea"}).outcome, store_outcome::done);
  EXPECT_EQ(client.ask({}, trim_fields{token(1), {"ea"}}).outcome, store_outcome::done);
  EXPECT_EQ(client.ask({}, sweep_token{first}).outcome, store_outcome::done);
  EXPECT_EQ(client.ask({}, release_shard{token(1)}).outcome, store_outcome::done);
  const auto self = client.ask(join_members{"n1", "a:1", "", {}}).self;
  const auto second = client.ask(join_members{"n2", "a:2", "", {}}).self;
  EXPECT_EQ(client.ask(read_members{}).outcome, store_outcome::done);
  EXPECT_EQ(client.ask(beat_member{self, {2}, {"n2"}}).outcome, store_outcome::done);
  EXPECT_EQ(client.ask(beat_member{self, {1}, {}}).outcome, store_outcome::done);
  EXPECT_EQ(client.ask(drain_member{self}).outcome, store_outcome::done);
  EXPECT_EQ(client.ask(accuse_member{second, self}).outcome, store_outcome::done);
  EXPECT_EQ(client.ask(acquit_member{second, self}).outcome, store_outcome::done);
  EXPECT_EQ(client.ask(accuse_member{self, second}).outcome, store_outcome::done);
  EXPECT_EQ(client.ask(evict_member{self, 2}).outcome, store_outcome::done);
  EXPECT_EQ(client.ask(leave_members{self}).outcome, store_outcome::done);
  EXPECT_EQ(client.ask(raise_view{{9}}).outcome, store_outcome::done);
  client.wait_change({9});
  // One that does not fit is begun anew.
  server.run({"XADD", "pawl:other:{members}:changes", "20-0", "node", "", "row", ""});
  EXPECT_EQ(client.ask(raise_view{{10}}).outcome, store_outcome::done);

  EXPECT_EQ(client.ask({}, read_inbox{{}, 10, true, true}).outcome, store_outcome::done);
  client.watch({}, {});
  client.watch({1}, {});
  server.run({"XADD", key_names{"other"}.inbox({1}), "*", "a", "b"});
  EXPECT_EQ(client.wait_hints(1), std::vector<shard_id>{{1}});
  EXPECT_EQ(server.ask({"ACL", "LOG"}).elements.size(), 0U) << "nothing was denied";
}

TEST_F(StoreFaults, AServerThatBecomesAReplicaIsLeft) {
  store_client client{server.options()};
  const auto number = client.wait_up();
  const auto first = client.record().token;
  server.run({"REPLICAOF", "127.0.0.1", "1"});
  const auto a = client.wait(client.send({}, commit_fields{first, {{"ea", "1"}}}, number));
  EXPECT_EQ(a.outcome, store_outcome::refused);
  EXPECT_EQ(a.error, store_error::readonly);
  client.wait_trouble("READONLY");
  server.run({"REPLICAOF", "NO", "ONE"});
  client.wait_up(number);
  EXPECT_EQ(client.commit(first, {{"ea", "1"}}).outcome, store_outcome::done);
}

TEST_F(StoreFaults, TheStoreConnectsWhenTheServerComesLater) {
  server.kill_hard();
  store_client client{server.options()};
  client.wait_trouble("cannot connect");
  server.start();
  EXPECT_EQ(client.ask({}, read_record{}).outcome, store_outcome::done);
}

TEST(StoreAddress, ANameThatCannotBeLookedUpAndAPathThatIsTooLongAreTold) {
  redis_options o;
  o.host = "no such host";
  store_client unknown_host{o};
  unknown_host.wait_trouble("cannot look up \"no such host\"");
  o.socket = "/" + std::string(200, 'x');
  store_client long_path{o};
  long_path.wait_trouble("longer than 107 bytes");
}

}  // namespace
}  // namespace pawl
