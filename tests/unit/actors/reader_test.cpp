#include "actors/reader.hpp"

#include <gtest/gtest.h>

namespace pawl {
namespace {

using namespace std::chrono_literals;
using status = entity_answer::status;

struct Reader : testing::Test {
  instant now{steady_time{1h}, 0};
  reader r{shard_id{3}, {.timeout = 1s, .retry = 20ms, .reads_max = 4}};
  std::vector<entity_answer> done;

  std::vector<read_request> take(reader::effects e) {
    for (auto& [callback, answer] : e.done) callback(std::move(answer));
    return std::move(e.send);
  }
  std::vector<read_request> submit(const std::string& key) {
    return take(r.submit(
        entity_id{"diary", key}, [this](read_answer a) { done.push_back(std::move(a.answer)); }, now));
  }
  std::vector<read_request> answer(link_number from, std::uint64_t number, status s, std::string text = {}) {
    read_answer a;
    a.number = number;
    a.answer.kind = s;
    (s == status::unavailable ? a.answer.reason : a.answer.state) = std::move(text);
    return take(r.on_answer(from, std::move(a), now));
  }
};

TEST_F(Reader, AsksTheOwnerAndHandsItsAnswerBack) {
  take(r.on_route(7, now));
  const auto sent = submit("k");
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].shard.value, 3u);
  EXPECT_EQ(std::get<entity_id>(sent[0].about), (entity_id{"diary", "k"}));
  answer(7, sent[0].number, status::found, "state");
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].state, "state");
  EXPECT_EQ(r.wake(), std::nullopt);
}

TEST_F(Reader, WaitsForARouteAndAsksThen) {
  EXPECT_TRUE(submit("k").empty());
  EXPECT_TRUE(take(r.tick(now)).empty());
  const auto sent = take(r.on_route(7, now));
  ASSERT_EQ(sent.size(), 1u);
  answer(7, sent[0].number, status::absent);
  EXPECT_EQ(done.at(0).kind, status::absent);
}

TEST_F(Reader, AsksAgainAfterARefusalWhenThePauseIsOver) {
  take(r.on_route(7, now));
  const auto number = submit("k").at(0).number;
  EXPECT_TRUE(answer(7, number, status::unavailable, "moved").empty());
  EXPECT_TRUE(done.empty());
  ASSERT_EQ(r.wake(), now.steady + 20ms);
  now.steady += 19ms;
  EXPECT_TRUE(take(r.tick(now)).empty());
  now.steady += 1ms;
  EXPECT_EQ(take(r.tick(now)).at(0).number, number);
  EXPECT_TRUE(take(r.tick(now)).empty());
}

TEST_F(Reader, AsksTheNewOwnerAndDoesNotListenToTheFormerOne) {
  take(r.on_route(7, now));
  const auto number = submit("k").at(0).number;
  EXPECT_EQ(take(r.on_route(8, now)).at(0).number, number);
  answer(7, number, status::found, "stale");
  EXPECT_TRUE(done.empty());
  answer(8, number, status::found, "fresh");
  EXPECT_EQ(done.at(0).state, "fresh");
}

TEST_F(Reader, ARouteThatStaysAsksNothingAgain) {
  take(r.on_route(7, now));
  submit("k");
  EXPECT_TRUE(take(r.on_route(7, now)).empty());
  EXPECT_TRUE(take(r.on_route(std::nullopt, now)).empty());
  EXPECT_EQ(take(r.on_route(7, now)).size(), 1u);
}

TEST_F(Reader, GivesUpInTimeWithTheLastReasonItHeard) {
  submit("k");
  now.steady += 500ms;
  take(r.on_route(7, now));
  submit("j");
  answer(7, 2, status::unavailable, "another member owns the shard");
  take(r.on_route(std::nullopt, now));
  ASSERT_EQ(r.wake(), now.steady + 500ms);
  now.steady += 500ms;
  take(r.tick(now));
  ASSERT_EQ(done.size(), 1u);
  EXPECT_EQ(done[0].kind, status::unavailable);
  EXPECT_EQ(done[0].reason, "no owner of the shard could be reached in time");
  now.steady += 500ms;
  take(r.tick(now));
  ASSERT_EQ(done.size(), 2u);
  EXPECT_EQ(done[1].reason, "another member owns the shard");
}

TEST_F(Reader, AnswersEachReadOnceWhateverComesTwice) {
  take(r.on_route(7, now));
  const auto number = submit("k").at(0).number;
  answer(7, number, status::found, "1");
  answer(7, number, status::found, "2");
  answer(7, number + 1, status::found, "3");
  EXPECT_EQ(done.size(), 1u);
}

TEST_F(Reader, TurnsReadsAwayAtItsBound) {
  for (int i = 0; i < 6; ++i) submit("k");
  ASSERT_EQ(done.size(), 2u);
  EXPECT_EQ(done[0].kind, status::unavailable);
  EXPECT_EQ(done[0].reason, "too many reads wait for this shard at this node");
}

TEST_F(Reader, AnswersAllWhenTheNodeStops) {
  submit("k");
  submit("j");
  EXPECT_TRUE(take(r.close()).empty());
  ASSERT_EQ(done.size(), 2u);
  EXPECT_EQ(done[1].reason, "the node stops");
  EXPECT_EQ(r.wake(), std::nullopt);
}

}  // namespace
}  // namespace pawl
