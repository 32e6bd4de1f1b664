// Goal: what waits at a node is bounded, and shards that stand still leave room for those that go on.
#include "actors/queue_room.hpp"
#include "actors/submission_box.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace pawl {
namespace {

using outcome = submission_box::outcome;

TEST(QueueRoom, TakesWhatFitsByMessagesAndByBytes) {
  queue_room room{{10, 1'000}};
  EXPECT_TRUE(room.enter({4, 400}));
  EXPECT_FALSE(room.enter({7, 1})) << "11 messages";
  EXPECT_FALSE(room.enter({1, 601})) << "1,001 bytes";
  EXPECT_TRUE(room.enter({6, 600}));
  EXPECT_FALSE(room.enter({1, 0}));
  room.leave({4, 400});
  EXPECT_TRUE(room.enter({4, 400})) << "a refusal leaves no trace";
}

TEST(QueueRoom, WhatIsAloneAlwaysFits) {
  queue_room room{{10, 1'000}};
  EXPECT_TRUE(room.enter({11, 5'000}));
  EXPECT_EQ(room.left().messages, 0U);
  EXPECT_EQ(room.left().bytes, 0U);
  EXPECT_FALSE(room.enter({1, 1}));
  room.leave({11, 5'000});
  EXPECT_EQ(room.left().messages, 10U);
}

struct SubmissionBox : testing::Test {
  submission_box box;
  std::vector<std::shared_ptr<pending_request>> requests;

  /// So many messages of 8 bytes each.
  submission of(std::size_t messages) {
    message m;
    m.key = "key";
    m.payload = "bytes";
    message_builder b;
    for (std::size_t i = 0; i < messages; ++i) b.add(m);
    requests.push_back(std::make_shared<pending_request>(b.finish(), [](auto) {}));
    return request_parts::of(requests.back(), 1).front().messages;
  }
};

TEST_F(SubmissionBox, TheFirstIsToBeToldUntilAllAreTaken) {
  EXPECT_EQ(box.put(of(1), 0, {10, 1'000}), outcome::first);
  EXPECT_EQ(box.put(of(2), 0, {10, 1'000}), outcome::put);
  std::vector<submission> taken;
  box.take(taken);
  EXPECT_EQ(taken.size(), 2U);
  EXPECT_EQ(box.put(of(1), 0, {10, 1'000}), outcome::first);
}

TEST_F(SubmissionBox, IsFullWithWhatWaitsHereAndBehind) {
  EXPECT_EQ(box.put(of(3), 4, {10, 1'000}), outcome::first);
  EXPECT_EQ(box.put(of(4), 4, {10, 1'000}), outcome::full) << "11 messages";
  EXPECT_EQ(box.put(of(3), 4, {10, 24}), outcome::full) << "48 bytes";
  EXPECT_EQ(box.put(of(3), 4, {10, 48}), outcome::put);
}

TEST_F(SubmissionBox, OneSubmissionAlwaysFitsWhereNothingWaits) {
  EXPECT_EQ(box.put(of(3), 1, {0, 0}), outcome::full);
  EXPECT_EQ(box.put(of(3), 0, {0, 0}), outcome::first);
}

// One that stands still keeps no room but its own.
TEST(QueueRoom, ARequestTellsOfItsResultsAsTheyCome) {
  message m;
  m.key = "key";
  message_builder b;
  for (int i = 0; i < 3; ++i) b.add(m);
  std::vector<std::size_t> answered;
  bool done = false;
  pending_request request{b.finish(), [&](auto) { done = true; }, [&](std::size_t n) { answered.push_back(n); }};
  std::vector<indexed_result> two{{2, {}}, {0, {}}}, one{{1, {}}};
  request.answer(two);
  EXPECT_EQ(answered, (std::vector<std::size_t>{2}));
  EXPECT_FALSE(done);
  request.answer(one);
  EXPECT_EQ(answered, (std::vector<std::size_t>{2, 1}));
  EXPECT_TRUE(done);
}

// Each takes what it can get, and never gives it back.
TEST(QueueRoom, ShardsThatStandStillLeaveRoomForOneMore) {
  constexpr std::size_t all = 1'000;
  queue_room room{{all, 1'000'000}};
  for (std::size_t stuck = 1; stuck <= 8; ++stuck) {
    std::size_t waiting = 0;
    while (waiting < room.left().messages && room.enter({1, 1})) ++waiting;
    EXPECT_GE(room.left().messages, all >> (stuck + 1)) << stuck;
    EXPECT_GT(waiting, 0U);
  }
}

}  // namespace
}  // namespace pawl
