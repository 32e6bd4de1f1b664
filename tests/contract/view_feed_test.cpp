// Changes of the view: what the scripts write into the list, and how it is heard, against a real Redis and a fake one.
#include "persistence/redis/view_feed.hpp"

#include "persistence/keys.hpp"
#include "persistence/redis/dataset.hpp"
#include "tests/contract/fake_server.hpp"
#include "tests/contract/redis_server.hpp"
#include "tests/contract/store_client.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace pawl {
namespace {

using testing::fake_server;
using testing::redis_server;
using testing::response;
using testing::store_client;

class ViewFeed : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_TRUE(init_dataset(server.options(), "test", 1).ok());
    client = std::make_unique<store_client>(server.options());
  }

  member_id join(const std::string& node) { return client->ask(join_members{node, node + ":1", "", {}}).self; }
  /// Once a change came over it, the feed waits for the next.
  void listen() {
    ASSERT_EQ(client->ask(raise_view{{1}}).outcome, store_outcome::done);
    client->wait_change({1});
  }
  /// Ids of the list's entries.
  std::vector<std::string> entries() const {
    std::vector<std::string> out;
    for (const auto& e : server.ask({"XRANGE", keys.changes(), "-", "+"}).elements) out.push_back(e.elements[0].text);
    return out;
  }

  redis_server server;
  key_names keys{"test"};
  std::unique_ptr<store_client> client;
};

using ids = std::vector<std::string>;

TEST_F(ViewFeed, EachStepOfTheViewIsOneChangeWithItsNumberAndWhatIsNew) {
  listen();
  const auto a = join("a");
  const auto b = join("b");
  const auto c = join("c");
  const auto d = join("d");
  client->ask(drain_member{a});
  client->ask(leave_members{a});
  client->ask(evict_member{b, 0});
  client->ask(accuse_member{c, d});
  client->ask(raise_view{{20}});
  const auto all = client->wait_changes(10);
  ASSERT_EQ(all.size(), 10U);
  for (std::size_t i = 1; i < 9; ++i) EXPECT_EQ(all[i].number.value, i + 1);

  const std::vector<member_id> joined{a, b, c, d};
  for (std::size_t i = 0; i < joined.size(); ++i) {
    const auto& change = all[i + 1];
    EXPECT_EQ(change.node, joined[i].node);
    ASSERT_TRUE(change.row);
    EXPECT_EQ(change.row->id, joined[i]);
    EXPECT_EQ(change.row->state, member_state::up);
    EXPECT_EQ(change.row->peer_address, joined[i].node + ":1");
  }
  ASSERT_TRUE(all[5].row);
  EXPECT_EQ(all[5].row->id, a);
  EXPECT_EQ(all[5].row->state, member_state::draining);
  EXPECT_EQ(all[6].node, "a");
  EXPECT_EQ(all[7].node, "b");
  EXPECT_EQ(all[8].node, "d");
  for (std::size_t i = 6; i < 9; ++i) EXPECT_FALSE(all[i].row) << i;
  EXPECT_EQ(all[9].number.value, 20U);
  EXPECT_EQ(all[9].node, "");
  EXPECT_FALSE(all[9].row);
  EXPECT_EQ(entries(), (ids{"1-0", "2-0", "3-0", "4-0", "5-0", "6-0", "7-0", "8-0", "9-0", "20-0"}));
}

TEST_F(ViewFeed, WhatDoesNotChangeTheViewIsNoChange) {
  const auto a = join("a");
  const auto b = join("b");
  join("c");
  client->ask(read_members{});
  client->ask(beat_member{a, {}, {}});
  client->ask(accuse_member{a, b});
  client->ask(acquit_member{a, b});
  client->ask(evict_member{b, 7});
  client->ask(leave_members{{"b", 9}});
  client->ask(raise_view{{3}});
  join("a");
  client->ask(drain_member{a});
  client->ask(drain_member{a});
  EXPECT_EQ(entries(), (ids{"1-0", "2-0", "3-0", "4-0"}));
}

TEST_F(ViewFeed, AJoinOverARowIsOneChange) {
  const auto first = join("a");
  const auto second = client->ask(join_members{"a", "a:1", "", {{first.incarnation, 0}}}).self;
  EXPECT_EQ(client->wait_change({2}).row->id, second);
  EXPECT_EQ(entries(), (ids{"1-0", "2-0"}));
}

TEST_F(ViewFeed, WhoeverConnectsIsToldTheLastChange) {
  join("a");
  const auto b = join("b");
  store_client late{server.options()};
  const auto first = late.wait_changes(1);
  EXPECT_EQ(first[0].number.value, 2U);
  EXPECT_EQ(first[0].row->id, b);
}

TEST_F(ViewFeed, AfterAReconnectTheLastChangeIsToldAgainAndTheNextOnesFollow) {
  listen();
  join("a");
  client->wait_changes(2);
  server.kill_hard();
  server.start();
  EXPECT_EQ(client->wait_changes(3)[2].number.value, 2U);
  join("b");
  EXPECT_EQ(client->wait_changes(4)[3].number.value, 3U);
}

TEST_F(ViewFeed, AWaitThatEndsWithoutNewsIsBegunAgain) {
  auto impatient = server.options();
  impatient.timeout = std::chrono::milliseconds{1'000};  // waits of half a second
  store_client waiting{impatient};
  join("a");
  waiting.wait_changes(1);
  const auto waits = [this] {
    const auto all = server.ask({"INFO", "commandstats"}).text;
    const auto at = all.find("cmdstat_xread:calls=");
    return at == std::string::npos ? 0 : std::stoi(all.substr(at + 20));
  };
  // Two ends of a wait, which no change caused.
  const auto enough = waits() + 2;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (waits() < enough && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  ASSERT_GE(waits(), enough);
  EXPECT_TRUE(waiting.troubles().empty()) << waiting.troubles()[0];
  join("b");
  EXPECT_EQ(waiting.wait_changes(2).size(), 2U);
}

TEST_F(ViewFeed, TheListIsBounded) {
  for (std::uint64_t n = 1; n <= 600; ++n) ASSERT_EQ(client->ask(raise_view{{n}}).outcome, store_outcome::done);
  const auto left = entries();
  // Redis cuts whole nodes of its tree, 100 entries each.
  EXPECT_GE(left.size(), 256U);
  EXPECT_LT(left.size(), 356U);
  EXPECT_EQ(left.back(), "600-0");
}

TEST_F(ViewFeed, AListThatIsAheadOfTheViewIsBegunAnew) {
  join("a");
  server.run({"XADD", keys.changes(), "1000-0", "node", "z", "row", ""});
  join("b");
  EXPECT_EQ(entries(), (ids{"2-0"}));
  store_client late{server.options()};
  EXPECT_EQ(late.wait_changes(1)[0].number.value, 2U);
  join("c");
  EXPECT_EQ(late.wait_changes(2)[1].number.value, 3U);
}

TEST_F(ViewFeed, AKeyOfAForeignTypeIsReplaced) {
  server.run({"SET", keys.changes(), "x"});
  store_client hears{server.options()};
  hears.wait_trouble("cannot wait for changes of the view: WRONGTYPE");
  join("a");
  EXPECT_EQ(server.ask({"TYPE", keys.changes()}).text, "stream");
  EXPECT_EQ(hears.wait_change({1}).node, "a");
}

TEST_F(ViewFeed, AnEntryThatMakesNoSenseBreaksNoOtherConnection) {
  listen();
  const auto number = client->wait_up();
  server.run({"XADD", keys.changes(), "2-0", "node", "n1", "row", "nonsense"});
  client->wait_trouble("an entry in the list of view changes that makes no sense");
  EXPECT_EQ(client->ask(read_members{}).outcome, store_outcome::done);
  EXPECT_EQ(client->wait_up(), number);
  // The next step of the view takes its place.
  join("a");
  EXPECT_EQ(client->wait_change({2}).node, "a");
  EXPECT_EQ(entries(), (ids{"2-0"}));
}

TEST_F(ViewFeed, AServerThatIsStoppedAndGoesOnIsHeardAgain) {
  auto impatient = server.options();
  impatient.timeout = std::chrono::milliseconds{100};
  store_client hears{impatient};
  join("a");
  hears.wait_changes(1);
  server.pause();
  hears.wait_trouble("no answer for 100 ms");
  server.go_on();
  EXPECT_EQ(hears.wait_changes(2)[1].number.value, 1U);
  join("b");
  EXPECT_EQ(hears.wait_change({2}).node, "b");
}

redis::reply parsed(const std::string& bytes) {
  redis::reply_reader reader;
  reader.feed(bytes);
  redis::reply r;
  EXPECT_TRUE(reader.next(r)) << bytes;
  return r;
}

std::string bulk(const std::string& text) { return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n"; }

std::string entry(const std::string& id, const std::vector<std::string>& fields) {
  auto out = "*2\r\n" + bulk(id) + "*" + std::to_string(fields.size()) + "\r\n";
  for (const auto& f : fields) out += bulk(f);
  return out;
}

TEST(ViewFeedEntry, IsReadAsItIsWritten) {
  const auto c = redis::parse_change(parsed(entry("7-0", {"node", "n1", "row", "3 9 draining a:1 -"})));
  ASSERT_TRUE(c);
  EXPECT_EQ(c->number.value, 7U);
  EXPECT_EQ(c->node, "n1");
  ASSERT_TRUE(c->row);
  EXPECT_EQ(c->row->id, (member_id{"n1", 3}));
  EXPECT_EQ(c->row->beat, 9U);
  EXPECT_FALSE(redis::parse_change(parsed(entry("7-0", {"node", "n1", "row", ""})))->row);
}

TEST(ViewFeedEntry, IsNotBelievedIfDamaged) {
  for (const auto& bytes :
       {entry("x-0", {"node", "n1", "row", ""}), entry("", {"node", "n1", "row", ""}),
        entry("-1-0", {"node", "n1", "row", ""}), entry("18446744073709551616-0", {"node", "n1", "row", ""}),
        entry("7-0", {}), entry("7-0", {"node", "n1"}), entry("7-0", {"row", "", "node", "n1"}),
        entry("7-0", {"node", "n1", "row", "", "more", ""}), entry("7-0", {"node", "n1", "row", "1 2 up a:1"}),
        entry("7-0", {"node", "N 1", "row", "1 2 up a:1 -"}), entry("7-0", {"node", "", "row", "1 2 up a:1 -"}),
        std::string{":7\r\n"}, std::string{"*0\r\n"}, std::string{"*2\r\n$3\r\n7-0\r\n:1\r\n"},
        std::string{"*2\r\n:7\r\n*4\r\n$4\r\nnode\r\n$0\r\n\r\n$3\r\nrow\r\n$0\r\n\r\n"}})
    EXPECT_FALSE(redis::parse_change(parsed(bytes))) << bytes;
}

TEST(ViewFeedErrors, WhateverTheServerAnswersTheFeedBeginsAgainAndTheOthersGoOn) {
  for (const auto* command : {"XREVRANGE", "XREAD"}) {
    for (const std::string bytes :
         {"-NOPERM this user has no permissions to run the command\r\n", "-OOM x\r\n", "", ":1\r\n", "$1\r\nx\r\n",
          "*1\r\n*0\r\n", "*1\r\n:1\r\n", "*1\r\n*2\r\n$1\r\nk\r\n*1\r\n:1\r\n"}) {
      std::atomic<int> asked{0};
      const fake_server fake{[&, command](const fake_server::command& c) -> std::optional<response> {
        if (c[0] == "HMGET") return response{"*6\r\n$1\r\nt\r\n$0\r\n\r\n$1\r\n0\r\n$1\r\n0\r\n$1\r\n1\r\n$0\r\n\r\n"};
        if (c[0] != command || ++asked > 1) return std::nullopt;
        return response{bytes, bytes.empty()};
      }};
      store_client client{fake.options()};
      const auto number = client.wait_up();
      client.wait_trouble("");
      EXPECT_EQ(client.ask({}, read_record{}).outcome, store_outcome::done) << command << bytes;
      EXPECT_EQ(client.wait_up(), number) << command << bytes;
      // One connection more than the five: the feed's second.
      const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{20};
      while ((asked < 2 || fake.connections() < 6) && std::chrono::steady_clock::now() < give_up)
        std::this_thread::yield();
      EXPECT_EQ(fake.connections(), 6) << command << bytes;
    }
  }
}

}  // namespace
}  // namespace pawl
