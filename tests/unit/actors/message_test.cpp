#include "actors/message.hpp"
#include "actors/request.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>

namespace pawl {
namespace {

TEST(MessageBuilder, CopiesEveryFieldIntoOneSharedBuffer) {
  message_builder b;
  {
    std::string type = "order", key = "k-1", name = "Created", id = "m-1", payload = "\x80";
    b.add({type, key, name, id, payload, -5, 7, true});
    key = "k-2";
    payload.clear();
    b.add({type, key, name, id, payload});
  }
  ASSERT_EQ(b.size(), 2u);
  const auto out = b.finish();
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].bytes, out[1].bytes);
  EXPECT_EQ(out[0].msg.type, "order");
  EXPECT_EQ(out[0].msg.key, "k-1");
  EXPECT_EQ(out[0].msg.name, "Created");
  EXPECT_EQ(out[0].msg.id, "m-1");
  EXPECT_EQ(out[0].msg.payload, "\x80");
  EXPECT_EQ(out[0].msg.sent_at, -5);
  EXPECT_EQ(out[0].msg.seq, 7u);
  EXPECT_TRUE(out[0].msg.stamped);
  EXPECT_EQ(out[1].msg.key, "k-2");
  EXPECT_EQ(out[1].msg.payload, "");
  EXPECT_FALSE(out[1].msg.stamped);
}

TEST(MessageBuilder, AnyFieldMayBeEmptyOrHoldAnyByte) {
  message_builder b;
  const std::string_view zero{"\0\xff", 2};
  b.add({});
  b.add({zero, {}, zero, {}, zero});
  const auto out = b.finish();
  EXPECT_EQ(out.at(0).msg.key, "");
  EXPECT_EQ(out.at(1).msg.type, zero);
  EXPECT_EQ(out.at(1).msg.key, "");
  EXPECT_EQ(out.at(1).msg.payload, zero);
}

TEST(MessageBuilder, ViewsOutliveTheBuilderAndItsOtherEnvelopes) {
  envelope last;
  {
    message_builder b;
    for (int i = 0; i < 1'000; ++i) b.add({"order", std::to_string(i), "Created", "id", std::string(100, 'p')});
    last = b.finish().back();
  }
  EXPECT_EQ(last.msg.key, "999");
  EXPECT_EQ(last.msg.payload, std::string(100, 'p'));
}

TEST(MessageBuilder, IsEmptyAfterFinishAndCanBeUsedAgain) {
  message_builder b;
  b.add({"order", "a", "Created", "1", ""});
  const auto first = b.finish();
  EXPECT_EQ(b.size(), 0u);
  EXPECT_TRUE(b.finish().empty());
  b.add({"order", "b", "Created", "2", ""});
  const auto second = b.finish();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].msg.key, "b");
  EXPECT_EQ(first[0].msg.key, "a");
}

// rule B12
TEST(MessageResult, AppliedDuplicateAndRefusedAreResolvedAndNothingElse) {
  for (auto k : {result_kind::applied, result_kind::duplicate, result_kind::refused}) EXPECT_TRUE(resolved(k));
  for (auto k : {result_kind::blocked, result_kind::busy, result_kind::unknown}) EXPECT_FALSE(resolved(k));
}

TEST(MessageResult, EveryKindAndReasonHasANameOfItsOwn) {
  std::set<std::string_view> kinds, codes;
  for (int k = 0; k <= static_cast<int>(result_kind::unknown); ++k)
    EXPECT_TRUE(kinds.insert(to_string(static_cast<result_kind>(k))).second) << k;
  for (int c = 0; c <= static_cast<int>(reason_code::earlier_unresolved); ++c)
    EXPECT_TRUE(codes.insert(to_string(static_cast<reason_code>(c))).second) << c;
}

TEST(PendingRequest, IsDoneOnceWithEachResultInItsPlace) {
  std::vector<std::vector<message_result>> done;
  pending_request r{3, [&done](std::vector<message_result> results) { done.push_back(std::move(results)); }};
  r.answer(2, {result_kind::refused, reason_code::too_old, "old"});
  r.answer(0, {result_kind::applied, reason_code::none, {}});
  EXPECT_TRUE(done.empty());
  r.answer(1, {result_kind::busy, reason_code::moved, {}});
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].at(0).kind, result_kind::applied);
  EXPECT_EQ(done[0].at(1).code, reason_code::moved);
  EXPECT_EQ(done[0].at(2).reason, "old");
}

TEST(PendingRequest, MayBeAnsweredByManyThreads) {
  constexpr std::size_t threads = 4, each = 500;
  std::vector<message_result> done;
  pending_request r{threads * each, [&done](std::vector<message_result> results) { done = std::move(results); }};
  {
    std::vector<std::jthread> pool;
    for (std::size_t t = 0; t < threads; ++t)
      pool.emplace_back([&r, t] {
        for (std::size_t i = t; i < threads * each; i += threads)
          r.answer(i, {result_kind::refused, reason_code::none, std::to_string(i)});
      });
  }
  ASSERT_EQ(done.size(), threads * each);
  for (std::size_t i = 0; i < done.size(); ++i) EXPECT_EQ(done[i].reason, std::to_string(i));
}

TEST(PendingRequestDeathTest, ASecondAnswerIsABug) {
  pending_request r{1, [](std::vector<message_result>) {}};
  r.answer(0, {});
  EXPECT_DEATH(r.answer(0, {}), "answered twice");
}

}  // namespace
}  // namespace pawl
