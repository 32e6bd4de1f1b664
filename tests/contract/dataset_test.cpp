// `init` and what a node checks before it starts, against a real Redis. Every refusal must name what is wrong and what
// to do about it.
#include "cluster/shard_map.hpp"
#include "persistence/keys.hpp"
#include "persistence/redis/dataset.hpp"
#include "tests/contract/fake_server.hpp"
#include "tests/contract/redis_server.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace pawl {
namespace {

using namespace std::chrono_literals;
using testing::fake_server;
using testing::redis_server;
using testing::response;

::testing::AssertionResult says(const dataset_result& r, const std::string& part) {
  if (r.error.find(part) != std::string::npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "\"" << r.error << "\" does not say \"" << part << "\"";
}

const key_names keys{"test"};

TEST(Dataset, InitCreatesWhatCheckReads) {
  const redis_server server;
  const auto made = init_dataset(server.options(), "test", 600);
  ASSERT_TRUE(made.ok()) << made.error;
  const auto found = check_dataset(server.tcp_options(), "test");
  ASSERT_TRUE(found.ok()) << found.error;
  EXPECT_EQ(found.info.id, made.info.id);
  EXPECT_EQ(found.info.secret, made.info.secret);
  EXPECT_NE(found.info.id, dataset_id{});
  EXPECT_NE(found.info.secret, found.info.id);
  EXPECT_EQ(found.info.shards, 600U);
  EXPECT_EQ(found.info.run_id.size(), 40U);

  std::set<std::string> tokens;
  for (std::uint32_t s = 0; s < 600; ++s) {
    const auto token = fencing_token{server.ask({"HGET", keys.record({s}), "tok"}).text};
    ASSERT_TRUE(valid_token(token.text()));
    tokens.insert(token.text());
    ASSERT_EQ(server.ask({"EXISTS", keys.live({s}, token)}).integer, 1);
    const auto f = decode_frontier(server.ask({"HGET", keys.data({s}, token), frontier_field}).text);
    ASSERT_TRUE(f);
    ASSERT_EQ(f->dataset, made.info.id);
    ASSERT_EQ(f->seq, 0U);
  }
  EXPECT_EQ(tokens.size(), 600U);
  EXPECT_EQ(server.keys("*").size(), 600U * 3 + 3);
}

TEST(Dataset, ASecondInitIsRefusedAndChangesNothing) {
  const redis_server server;
  const auto made = init_dataset(server.options(), "test", 4);
  ASSERT_TRUE(made.ok());
  const auto before = server.keys("*");
  const auto config = server.hash(keys.config());
  // rule D34: with another number, groups of ids would belong to other shards
  for (std::uint32_t shards : {4U, 8U}) EXPECT_TRUE(says(init_dataset(server.options(), "test", shards), "already"));
  EXPECT_EQ(server.keys("*"), before);
  EXPECT_EQ(server.hash(keys.config()), config);
  // Another cluster in the same store is another dataset.
  const auto other = init_dataset(server.options(), "other", 4);
  ASSERT_TRUE(other.ok());
  EXPECT_NE(other.info.id, made.info.id);
}

TEST(Dataset, AnInitThatDiedHalfWayIsNotUsableAndIsFinishedUnderTheSameIdentity) {
  const redis_server server;
  const auto made = init_dataset(server.options(), "test", 8);
  ASSERT_TRUE(made.ok());
  const auto kept = server.hash(keys.record({0}));
  // As it looks when init died after shard 2, whose three keys are one atomic write.
  server.run({"HSET", keys.config(), "complete", "0"});
  for (std::uint32_t s = 3; s < 8; ++s)
    for (const auto& key : server.keys("pawl:test:{" + std::to_string(s) + "}:*")) server.run({"DEL", key});

  EXPECT_TRUE(says(check_dataset(server.options(), "test"), "was not finished. Run: <program> init --shards 8"));
  EXPECT_TRUE(says(init_dataset(server.options(), "test", 4), "Run init --shards 8"));
  const auto again = init_dataset(server.options(), "test", 8);
  ASSERT_TRUE(again.ok()) << again.error;
  EXPECT_EQ(again.info.id, made.info.id);
  EXPECT_EQ(again.info.secret, made.info.secret);
  EXPECT_EQ(server.hash(keys.record({0})), kept);
  EXPECT_EQ(server.keys("*").size(), 8U * 3 + 3);
  EXPECT_TRUE(check_dataset(server.options(), "test").ok());
}

TEST(Dataset, AnEmptyStoreSaysHowToBegin) {
  const redis_server server;
  EXPECT_TRUE(says(check_dataset(server.options(), "test"), "init --shards N"));
}

TEST(Dataset, TheNumberOfShardsAndTheNameAreChecked) {
  const redis_server server;
  EXPECT_TRUE(says(init_dataset(server.options(), "test", 0), "16384"));
  EXPECT_TRUE(says(init_dataset(server.options(), "test", shards_max + 1), "16384"));
  for (const auto* name : {"", "a b", "{x}", "UPPER", "123456789012345678901234567890123"}) {
    EXPECT_TRUE(says(init_dataset(server.options(), name, 4), "[a-z0-9-]{1,32}")) << name;
    EXPECT_TRUE(says(check_dataset(server.options(), name), "[a-z0-9-]{1,32}")) << name;
  }
  EXPECT_TRUE(server.keys("*").empty());
}

TEST(Dataset, TheLargestNumberOfShardsWorks) {
  const redis_server server;
  ASSERT_TRUE(init_dataset(server.options(), "test", shards_max).ok());
  EXPECT_EQ(check_dataset(server.options(), "test").info.shards, shards_max);
}

TEST(Dataset, AStoreThatEvictsIsRefused) {
  const redis_server server;
  ASSERT_TRUE(init_dataset(server.options(), "test", 1).ok());
  server.run({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
  EXPECT_TRUE(says(check_dataset(server.options(), "test"), "Set \"maxmemory-policy noeviction\""));
  EXPECT_TRUE(says(check_dataset(server.options(), "test", volatile_store::allow), "allkeys-lru"));
}

TEST(Dataset, AStoreWithoutAppendOnlyFileIsRefusedUnlessAllowed) {
  const redis_server server{{"--appendonly", "no"}};
  ASSERT_TRUE(init_dataset(server.options(), "test", 1).ok());
  EXPECT_TRUE(says(check_dataset(server.options(), "test"), "Set \"appendonly yes\""));
  EXPECT_TRUE(check_dataset(server.options(), "test", volatile_store::allow).ok());
}

TEST(Dataset, ForeignFormatsAndDamageAreRefused) {
  const redis_server server;
  ASSERT_TRUE(init_dataset(server.options(), "test", 1).ok());
  const std::map<std::string, std::pair<std::string, std::string>> damage{{"format", {"2", "format \"2\""}},
                                                                          {"digest", {"md5", "\"md5\""}},
                                                                          {"dataset", {"xyz", "damaged"}},
                                                                          {"secret", {"00", "damaged"}},
                                                                          {"shards", {"0", "damaged"}}};
  for (const auto& [field, what] : damage) {
    const auto old = server.ask({"HGET", keys.config(), field}).text;
    server.run({"HSET", keys.config(), field, what.first});
    EXPECT_TRUE(says(check_dataset(server.options(), "test"), what.second));
    EXPECT_FALSE(init_dataset(server.options(), "test", 1).ok()) << field;
    server.run({"HDEL", keys.config(), field});
    EXPECT_FALSE(check_dataset(server.options(), "test").ok()) << field;
    server.run({"HSET", keys.config(), field, old});
  }
  EXPECT_TRUE(check_dataset(server.options(), "test").ok());
}

TEST(Dataset, ForeignTypesUnderOurNamesAreToldAndNothingIsOverwritten) {
  const redis_server server;
  for (const auto& name : {keys.config(), keys.view(), keys.incarnation(), keys.record({1})}) {
    server.run({"FLUSHALL"});
    server.run({"LPUSH", name, "theirs"});
    EXPECT_TRUE(says(init_dataset(server.options(), "test", 4), "WRONGTYPE")) << name;
    EXPECT_EQ(server.ask({"LINDEX", name, "0"}).text, "theirs");
  }
  server.run({"FLUSHALL"});
  server.run({"LPUSH", keys.config(), "theirs"});
  EXPECT_TRUE(says(check_dataset(server.options(), "test"), "Another program"));
}

TEST(Dataset, AStoreThatIsNotThereIsTold) {
  redis_options o;
  o.socket = "/nonexistent/socket";
  EXPECT_TRUE(says(check_dataset(o, "test"), "redis at /nonexistent/socket: cannot connect"));
  EXPECT_TRUE(says(init_dataset(o, "test", 4), "Is the server running"));
}

TEST(Dataset, AWrongPasswordIsTold) {
  const redis_server server{{"--requirepass", "secret"}};
  auto o = server.options();
  EXPECT_TRUE(says(check_dataset(o, "test"), "NOAUTH"));
  EXPECT_TRUE(says(check_dataset(o, "test"), "Configure user and password"));
  o.password = "wrong";
  const auto wrong = check_dataset(o, "test");
  EXPECT_TRUE(says(wrong, "WRONGPASS"));
  EXPECT_EQ(wrong.error.find("wrong\""), std::string::npos) << "a password is never printed";
  o.password = "secret";
  EXPECT_TRUE(init_dataset(o, "test", 2).ok());
  EXPECT_TRUE(check_dataset(o, "test").ok());
}

TEST(Dataset, AReplicaIsRefused) {
  const redis_server server;
  ASSERT_TRUE(init_dataset(server.options(), "test", 1).ok());
  server.run({"REPLICAOF", "127.0.0.1", "1"});
  EXPECT_TRUE(says(check_dataset(server.options(), "test"), "Give the address of the primary"));
}

TEST(Dataset, ClusterModeIsRefused) {
  const redis_server server{{"--cluster-enabled", "yes", "--cluster-port", std::to_string(testing::free_port())}};
  EXPECT_TRUE(says(check_dataset(server.options(), "test"), "not supported yet"));
  EXPECT_TRUE(says(init_dataset(server.options(), "test", 1), "cluster-enabled no"));
}

TEST(Dataset, OldServersStrangersAndSilenceAreTold) {
  const auto check = [](const std::string& info) {
    const fake_server fake{[info](const fake_server::command&) { return response{info}; }};
    auto o = fake.options();
    o.timeout = 100ms;
    return check_dataset(o, "test");
  };
  const std::string old = "redis_version:6.2.14\r\nredis_mode:standalone\r\nrole:master\r\n";
  EXPECT_TRUE(says(check("$" + std::to_string(old.size()) + "\r\n" + old + "\r\n"), "6.2.14, but 7.0"));
  EXPECT_TRUE(says(check("HTTP/1.1 400 Bad Request\r\n\r\n"), "not a Redis server"));
  EXPECT_TRUE(says(check("$5\r\nhello\r\n"), "does not tell its version"));
  EXPECT_TRUE(says(check("*1\r\n:1\r\n"), "does not tell its version"));
  EXPECT_TRUE(says(check(""), "no answer for 100 ms"));
  EXPECT_TRUE(says(check("-NOPERM no\r\n"), "NOPERM"));
}

}  // namespace
}  // namespace pawl
