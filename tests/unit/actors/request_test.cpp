// A request and its parts: which shard gets which messages, and how their results come together.
#include "actors/request.hpp"

#include "cluster/shard_map.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>

namespace pawl {
namespace {

using results = std::vector<message_result>;

std::shared_ptr<const message_block> keyed(std::size_t messages) {
  message_builder b;
  for (std::size_t i = 0; i < messages; ++i) b.add({"t", "k" + std::to_string(i % 50), "N", "i", "\x80"});
  return b.finish();
}
void answer(pending_request& r, std::uint32_t index, message_result result) {
  indexed_result one{index, std::move(result)};
  r.answer({&one, 1});
}

TEST(PendingRequest, IsDoneOnceWithEachResultInItsPlace) {
  std::vector<results> done;
  pending_request r{keyed(3), [&done](results all) { done.push_back(std::move(all)); }};
  answer(r, 2, {result_kind::refused, reason_code::too_old, "old"});
  answer(r, 0, {result_kind::applied, reason_code::none, {}});
  EXPECT_TRUE(done.empty());
  answer(r, 1, {result_kind::busy, reason_code::moved, {}});
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].at(0).kind, result_kind::applied);
  EXPECT_EQ(done[0].at(1).code, reason_code::moved);
  EXPECT_EQ(done[0].at(2).reason, "old");
}

TEST(PendingRequest, MayBeAnsweredByManyThreads) {
  constexpr std::size_t threads = 4, each = 500;
  results done;
  pending_request r{keyed(threads * each), [&done](results all) { done = std::move(all); }};
  {
    std::vector<std::jthread> pool;
    for (std::size_t t = 0; t < threads; ++t)
      pool.emplace_back([&r, t] {
        for (auto i = t; i < threads * each; i += threads)
          answer(r, static_cast<std::uint32_t>(i), {result_kind::refused, reason_code::none, std::to_string(i)});
      });
  }
  ASSERT_EQ(done.size(), threads * each);
  for (std::size_t i = 0; i < done.size(); ++i) EXPECT_EQ(done[i].reason, std::to_string(i));
}

TEST(PendingRequestDeathTest, ASecondAnswerIsABug) {
  pending_request r{keyed(1), [](const results&) {}};
  answer(r, 0, {});
  EXPECT_DEATH(answer(r, 0, {}), "answered twice");
}

TEST(RequestParts, GiveEachShardItsMessagesInTheirOrder) {
  constexpr std::uint32_t shards = 7;
  auto request = std::make_shared<pending_request>(keyed(200), [](const results&) {});
  std::size_t messages = 0;
  std::vector<bool> seen(shards);
  for (const auto& part : request_parts::of(request, shards)) {
    EXPECT_FALSE(seen.at(part.shard.value)) << "one part for each shard";
    seen[part.shard.value] = true;
    ASSERT_FALSE(part.messages.indexes.empty());
    EXPECT_TRUE(std::is_sorted(part.messages.indexes.begin(), part.messages.indexes.end()));
    for (auto index : part.messages.indexes) EXPECT_EQ(shard_of((*request)[index].key, shards), part.shard);
    messages += part.messages.indexes.size();
  }
  EXPECT_EQ(messages, 200u);
}

TEST(AnswerList, KeepsRequestsAliveUntilTheyHaveTheirResults) {
  std::vector<std::string> done;
  answer_list answers;
  for (const auto* name : {"a", "b"}) {
    auto r = std::make_shared<pending_request>(
        keyed(2), [&done, name](results all) { done.push_back(name + all.at(0).reason + all.at(1).reason); });
    answers.add(r, 1, {result_kind::busy, reason_code::none, "2"});
    answers.add(r, 0, {result_kind::busy, reason_code::none, "1"});
  }
  EXPECT_TRUE(done.empty());
  answers.deliver();
  EXPECT_EQ(done, (std::vector<std::string>{"a12", "b12"}));
  EXPECT_TRUE(answers.empty());
}

}  // namespace
}  // namespace pawl
