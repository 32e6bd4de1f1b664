// A real Redis killed with SIGKILL again and again while shards commit and claim: what is there after each restart.
//
// With `appendfsync always` nothing acknowledged may be missing. With `everysec` Redis answers before it has written:
// while a background fsync is under way it holds its writes back for up to 2 s, and a kill in that time loses them,
// although the operating system goes on. What must hold even then: batches are there as a whole, and what one restart
// has shown is there after the next.
#include "persistence/keys.hpp"
#include "persistence/redis/dataset.hpp"
#include "tests/contract/redis_server.hpp"
#include "tests/contract/store_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <limits>
#include <memory>

namespace pawl {
namespace {

using testing::redis_server;
using testing::store_client;
using testing::token;

/// One shard under load: claims, then commits one after the other, each as a batch of fields that hold one number;
/// claims again after every unknown outcome. Runs on a thread of its own.
class writer {
public:
  writer(store_client& client, std::uint32_t shard) : client_(client), shard_{shard} {}

  void run(const std::atomic<bool>& stop) {
    try {
      work(stop);
    } catch (const std::exception& e) {
      ADD_FAILURE() << "shard " << shard_.value << ": " << e.what();
      tell(std::numeric_limits<std::uint64_t>::max());  // nobody shall wait for this writer any more
    }
  }

  void wait_for(std::uint64_t number) const {
    for (auto now = acknowledged.load(); now < number; now = acknowledged) acknowledged.wait(now);
  }

  static constexpr int fields = 8;
  std::atomic<std::uint64_t> acknowledged{0};
  std::uint64_t sent = 0;
  std::uint64_t claims = 0;

private:
  void tell(std::uint64_t number) {
    acknowledged = number;
    acknowledged.notify_all();
  }

  void work(const std::atomic<bool>& stop) {
    while (!stop) {
      if (held_.empty() && !claim()) continue;
      const auto text = std::to_string(++sent);
      field_list batch;
      for (int i = 0; i < fields; ++i) batch.add("e" + std::to_string(i), text);
      batch.add("pad", std::string(2'000, 'x'));
      const auto a = client_.wait(client_.send(shard_, commit_fields{held_, std::move(batch)}, number_));
      if (a.outcome == store_outcome::done) tell(sent);
      else held_ = {};
    }
  }

  bool claim() {
    number_ = client_.wait_up();
    const auto read = client_.wait(client_.send(shard_, read_record{}, number_));
    if (read.outcome != store_outcome::done) return false;
    const auto held = std::get<record_answer>(read.body).record.token;
    const auto fresh = token(static_cast<unsigned>(++claims + 1'000 * (shard_.value + 1)));
    const auto a = client_.wait(client_.send(shard_, claim_shard{held, fresh, {"n1", 1}, {1}}, number_));
    if (a.outcome != store_outcome::done) return false;
    held_ = fresh;
    return true;
  }

  store_client& client_;
  shard_id shard_;
  fencing_token held_;
  std::uint64_t number_ = 0;
};

class StoreKill : public ::testing::Test {
protected:
  static constexpr std::uint32_t shards = 8;
  static constexpr int rounds = 4;

  static std::uint64_t committed(const redis_server& server, std::uint32_t s) {
    // In one step on the server: the writers go on claiming, and a claim renames the data.
    constexpr auto read_live = R"lua(
      local data, all = ARGV[1] .. redis.call('HGET', KEYS[1], 'tok') .. ':s', {}
      for i = 1, ARGV[2] do all[i] = redis.call('HGET', data, 'e' .. (i - 1)) end
      return all)lua";
    const key_names keys{"test"};
    const auto batch = server.ask({"EVAL", read_live, "1", keys.record({s}),
                                   "pawl:test:{" + std::to_string(s) + "}:", std::to_string(writer::fields)});
    EXPECT_EQ(batch.elements.size(), static_cast<std::size_t>(writer::fields)) << batch.text;
    for (const auto& field : batch.elements) EXPECT_EQ(field.text, batch.elements[0].text) << "half a batch";
    const auto none = batch.elements.empty() || batch.elements[0].text.empty();
    return none ? 0 : std::stoull(batch.elements[0].text);
  }

  /// Calls `check(shard, committed after the restart, acknowledged before it)` for each shard and kill.
  template <class Check>
  static void kill_under_load(redis_server& server, Check check) {
    ASSERT_TRUE(init_dataset(server.options(), "test", shards).ok());
    store_client client{server.options()};
    std::vector<std::unique_ptr<writer>> writers;
    writers.reserve(shards);
    for (std::uint32_t s = 0; s < shards; ++s) writers.push_back(std::make_unique<writer>(client, s));
    std::atomic<bool> stop{false};
    std::vector<std::future<void>> threads;
    threads.reserve(shards);
    for (auto& w : writers) threads.push_back(std::async(std::launch::async, [&w, &stop] { w->run(stop); }));
    const auto finish = [&] {
      stop = true;
      for (auto& t : threads) t.wait();
    };
    const std::shared_ptr<void> at_exit{nullptr, [&](void*) { finish(); }};
    for (int round = 0; round < rounds; ++round) {
      for (const auto& w : writers) w->wait_for(w->acknowledged + 50);
      server.kill_hard();
      std::vector<std::uint64_t> acknowledged;
      acknowledged.reserve(shards);
      for (const auto& w : writers) acknowledged.push_back(w->acknowledged);
      server.start();
      for (std::uint32_t s = 0; s < shards; ++s) check(s, committed(server, s), acknowledged[s]);
    }
    finish();
    for (const auto& w : writers) EXPECT_GT(w->claims, 1U) << "a writer never met a broken connection";
  }
};

TEST_F(StoreKill, NoAcknowledgedCommitIsLostAndNoneIsSplitWhenEveryWriteIsSynced) {
  redis_server server{{"--appendfsync", "always"}};
  kill_under_load(server, [](std::uint32_t shard, std::uint64_t committed, std::uint64_t acknowledged) {
    EXPECT_GE(committed, acknowledged) << "shard " << shard;
  });
}

TEST_F(StoreKill, BatchesStayWholeAndSurvivorsSurviveWhenWritesAreSyncedEverySecond) {
  redis_server server;
  std::vector<std::uint64_t> shown(shards);
  kill_under_load(server, [&shown](std::uint32_t shard, std::uint64_t committed, std::uint64_t) {
    EXPECT_GE(committed, shown[shard]) << "shard " << shard;
    shown[shard] = committed;
  });
}

}  // namespace
}  // namespace pawl
