#include "actors/message.hpp"

#include <gtest/gtest.h>

#include <set>

namespace pawl {
namespace {

TEST(MessageBuilder, CopiesEveryFieldIntoOneBlock) {
  message_builder b;
  {
    std::string type = "order", key = "k-1", name = "Created", id = "m-1", payload = "\x80";
    b.add({type, key, name, id, payload, -5, 7, true});
    key = "k-2";
    payload.clear();
    b.add({type, key, name, id, payload});
  }
  ASSERT_EQ(b.size(), 2u);
  const auto block = b.finish();
  const auto& out = block->messages;
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(out[0].type, "order");
  EXPECT_EQ(out[0].key, "k-1");
  EXPECT_EQ(out[0].name, "Created");
  EXPECT_EQ(out[0].id, "m-1");
  EXPECT_EQ(out[0].payload, "\x80");
  EXPECT_EQ(out[0].sent_at, -5);
  EXPECT_EQ(out[0].seq, 7u);
  EXPECT_TRUE(out[0].stamped);
  EXPECT_EQ(out[1].key, "k-2");
  EXPECT_EQ(out[1].payload, "");
  EXPECT_FALSE(out[1].stamped);
}

TEST(MessageBuilder, AnyFieldMayBeEmptyOrHoldAnyByte) {
  message_builder b;
  const std::string_view zero{"\0\xff", 2};
  b.add({});
  b.add({zero, {}, zero, {}, zero});
  const auto block = b.finish();
  const auto& out = block->messages;
  EXPECT_EQ(out.at(0).key, "");
  EXPECT_EQ(out.at(1).type, zero);
  EXPECT_EQ(out.at(1).key, "");
  EXPECT_EQ(out.at(1).payload, zero);
}

TEST(MessageBuilder, ViewsOutliveTheBuilder) {
  std::shared_ptr<const message_block> block;
  {
    message_builder b;
    for (int i = 0; i < 1'000; ++i) b.add({"order", std::to_string(i), "Created", "id", std::string(100, 'p')});
    block = b.finish();
  }
  EXPECT_EQ(block->messages.back().key, "999");
  EXPECT_EQ(block->messages.back().payload, std::string(100, 'p'));
}

TEST(MessageBuilder, IsEmptyAfterFinishAndCanBeUsedAgain) {
  message_builder b;
  b.add({"order", "a", "Created", "1", ""});
  const auto first = b.finish();
  EXPECT_EQ(b.size(), 0u);
  EXPECT_TRUE(b.finish()->messages.empty());
  b.add({"order", "b", "Created", "2", ""});
  const auto second = b.finish();
  ASSERT_EQ(second->messages.size(), 1u);
  EXPECT_EQ(second->messages[0].key, "b");
  EXPECT_EQ(first->messages[0].key, "a");
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
  for (int c = 0; c < reason_codes; ++c) EXPECT_TRUE(codes.insert(to_string(static_cast<reason_code>(c))).second) << c;
}

TEST(MessageResult, SaysWhyInItsOwnWordsOrInThoseOfItsCode) {
  EXPECT_EQ((message_result{result_kind::busy, reason_code::queue_full, "full"}.why()), "full");
  EXPECT_EQ((message_result{result_kind::busy, reason_code::queue_full}.why()),
            "too many messages wait for this shard at this node: send it again a little later");
  EXPECT_EQ((message_result{result_kind::busy, reason_code::node_full}.why()),
            "too many messages wait at this node: send it again a little later, or to another node");
  const message_result blocked{result_kind::blocked, reason_code::earlier_unresolved};
  EXPECT_EQ(blocked.why(), "an earlier message for this key is not resolved");
  EXPECT_EQ(message_result{result_kind::applied}.why(), "");
}

}  // namespace
}  // namespace pawl
