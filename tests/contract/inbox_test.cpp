// The inbox of a shard against a real Redis: what is read and removed, what the stream is said to be like, and who is
// told of new entries.
#include "persistence/keys.hpp"
#include "persistence/redis/dataset.hpp"
#include "tests/cluster/until.hpp"
#include "tests/contract/redis_server.hpp"
#include "tests/contract/store_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>

namespace pawl {
namespace {

using testing::redis_server;
using testing::store_client;

struct Inbox : ::testing::Test {
  void SetUp() override {
    ASSERT_TRUE(init_dataset(server.options(), "test", shards).ok());
    client = std::make_unique<store_client>(server.options());
  }
  void add(std::uint32_t shard, const std::string& id, const std::string& value = "v") {
    server.run({"XADD", keys.inbox({shard}), id, "name", value});
  }
  inbox_answer read(read_inbox op, std::uint32_t shard = 0) {
    const auto a = client->ask({shard}, op);
    EXPECT_EQ(a.outcome, store_outcome::done) << a.text;
    return std::get<inbox_answer>(a.body);
  }
  std::int64_t left(std::uint32_t shard = 0) { return server.ask({"XLEN", keys.inbox({shard})}).integer; }

  /// The wait for changes of the view, and that for inboxes.
  void await_both_waits() {
    testing::until("two clients to wait", [&] {
      return server.ask({"INFO", "clients"}).text.find("\r\nblocked_clients:2\r\n") != std::string::npos;
    });
  }

  static constexpr std::uint32_t shards = 8;
  redis_server server;
  key_names keys{"test"};
  std::unique_ptr<store_client> client;
};

TEST_F(Inbox, OneThatDoesNotExistIsEmptyAndSaidNotToExist) {
  const auto a = read({{}, 10, true, true});
  EXPECT_TRUE(a.entries.empty());
  ASSERT_TRUE(a.stream);
  EXPECT_FALSE(a.stream->exists);
  EXPECT_EQ(server.ask({"EXISTS", keys.inbox({0})}).integer, 0) << "reading makes no key";
  EXPECT_FALSE(read({{}, 10, true, false}).stream);
}

TEST_F(Inbox, EntriesComeInTheirOrderWithAllTheirFields) {
  server.run({"XADD", keys.inbox({0}), "5-1", "a", "1", "b", std::string_view{"\0\r\n", 3}, "a", "2"});
  add(0, "5-2");
  const auto a = read({{}, 10, true, false});
  ASSERT_EQ(a.entries.size(), 2U);
  EXPECT_EQ(a.entries[0].id, (entry_id{5, 1}));
  const std::vector<std::pair<std::string, std::string>> fields{{"a", "1"}, {"b", {"\0\r\n", 3}}, {"a", "2"}};
  EXPECT_EQ(a.entries[0].fields, fields);
  EXPECT_EQ(a.entries[1].id, (entry_id{5, 2}));
}

TEST_F(Inbox, WhatWasTakenIsRemovedAndWhatFollowsIsRead) {
  for (const auto* id : {"5-1", "5-2", "5-3", "6-0"}) add(0, id);
  const auto a = read({{5, 2}, 1, true, true});
  ASSERT_EQ(a.entries.size(), 1U);
  EXPECT_EQ(a.entries[0].id, (entry_id{5, 3}));
  EXPECT_EQ(left(), 2);
  ASSERT_TRUE(a.stream);
  EXPECT_EQ(*a.stream, (inbox_stream{true, {6, 0}, 4}));
}

TEST_F(Inbox, AnEmptiedStreamStillKnowsItsLastIdAndHowManyWereAdded) {
  add(0, "5-1");
  add(0, "18446744073709551615-7");
  const auto a = read({{18446744073709551615U, 7}, 10, true, true});
  EXPECT_TRUE(a.entries.empty());
  EXPECT_EQ(*a.stream, (inbox_stream{true, {18446744073709551615U, 7}, 2}));
  EXPECT_EQ(left(), 0);
}

TEST_F(Inbox, AKeyOfAnotherTypeIsAnErrorWithoutConsequence) {
  server.run({"SET", keys.inbox({0}), "x"});
  for (const bool look : {true, false}) {
    const auto a = client->ask({0}, read_inbox{{}, 10, true, look});
    EXPECT_EQ(a.outcome, store_outcome::refused);
    EXPECT_EQ(a.error, store_error::wrong_type);
  }
  EXPECT_EQ(client->record({0}).token.text().substr(0, 7), "0-init-") << "the connection is kept";
}

TEST_F(Inbox, WithMemoryFullItIsStillReadAndRemovedFrom) {
  add(0, "5-1");
  add(0, "5-2");
  server.run({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_EQ(read({{5, 1}, 10, true, true}).entries.size(), 1U);
  EXPECT_EQ(left(), 1);
}

TEST_F(Inbox, WhoWatchesIsToldOnceAndThenHasToAskAgain) {
  client->watch({1}, {});
  client->watch({2}, {9, 9});
  add(2, "9-9");
  add(1, "5-1");
  EXPECT_EQ(client->wait_hints(1), std::vector<shard_id>{{1}});
  add(1, "5-2");
  add(2, "9-10");
  // One for each shard so far, although there were two entries for shard 1.
  EXPECT_EQ(client->wait_hints(2), (std::vector<shard_id>{{1}, {2}}));
  client->watch({1}, {5, 1});
  EXPECT_EQ(client->wait_hints(3).back(), shard_id{1});
}

TEST_F(Inbox, OneKeyOfAnotherTypeDoesNotKeepTheOthersFromBeingTold) {
  server.run({"SET", keys.inbox({1}), "x"});
  client->watch({1}, {});
  // Told to look, it finds out; and does not watch again.
  EXPECT_EQ(client->wait_hints(1), std::vector<shard_id>{{1}});
  client->watch({2}, {});
  add(2, "5-1");
  EXPECT_EQ(client->wait_hints(2).back(), shard_id{2});
}

// The wait under way would last longer than a client of the test has patience.
TEST_F(Inbox, WhoBeginsToWatchDuringAWaitIsWaitedForAtOnce) {
  auto patient = server.options();
  patient.timeout = std::chrono::minutes{2};
  client = std::make_unique<store_client>(patient);
  client->wait_up();
  for (std::uint32_t s = 1; s < shards; ++s) {
    client->watch({s}, {});
    await_both_waits();
    add(s, "5-1");
    EXPECT_EQ(client->wait_hints(s).back(), shard_id{s});
  }
  for (std::uint32_t s = 1; s < shards; ++s) client->watch({s}, {5, 1});
  await_both_waits();
  add(3, "5-2");
  EXPECT_EQ(client->wait_hints(shards).back(), shard_id{3});
}

// After a wait for so many that told something, the next comes a moment later.
TEST_F(Inbox, ManyAreWatchedAndToldOneAfterTheOther) {
  constexpr std::uint32_t many = 600;
  client = std::make_unique<store_client>(server.options(), "test", many);
  client->wait_up();
  for (std::uint32_t s = 0; s < many; ++s) client->watch({s}, {});
  for (std::uint32_t s = 0; s < many; s += 7) {
    add(s, "5-1");
    EXPECT_EQ(client->wait_hints(s / 7 + 1).back(), shard_id{s});
  }
}

TEST_F(Inbox, AServerThatDoesNotLetWaitsBeEndedIsAskedAgainAndAgain) {
  for (const std::string refused : {"id", "unblock"}) {
    server.run({"ACL", "SETUSER", "limited-" + refused, "on", ">secret", "~*", "&*", "+@all", "-client|" + refused});
    auto options = server.options();
    options.user = "limited-" + refused;
    options.password = "secret";
    client = std::make_unique<store_client>(options);
    client->wait_up();
    client->watch({1}, {9, 9});
    await_both_waits();
    client->watch({2}, {});
    add(2, "*");
    EXPECT_EQ(client->wait_hints(1), std::vector<shard_id>{{2}}) << refused;
    server.run({"DEL", keys.inbox({2})});
  }
}

TEST_F(Inbox, WithoutATrimNothingIsRemoved) {
  add(0, "5-1");
  add(0, "5-2");
  EXPECT_EQ(read({{5, 1}, 10, false, true}).entries.size(), 1U);
  EXPECT_EQ(left(), 2);
}

TEST_F(Inbox, WhatIsNotWatchedAnyMoreIsNotTold) {
  client->watch({1}, {});
  client->unwatch({1});
  add(1, "5-1");
  client->watch({2}, {});
  add(2, "5-1");
  EXPECT_EQ(client->wait_hints(1), std::vector<shard_id>{{2}});
}

TEST_F(Inbox, AfterTheServerComesBackItIsWatchedAsBefore) {
  client->watch({1}, {});
  const auto before = client->wait_up();
  server.kill_hard();
  server.start();
  client->wait_up(before);
  add(1, "5-1");
  EXPECT_EQ(client->wait_hints(1), std::vector<shard_id>{{1}});
}

}  // namespace
}  // namespace pawl
