// Goal: a sequenced frame goes to the owner that is known, and its source always hears what became of it, once.
#include "actors/courier.hpp"

#include <gtest/gtest.h>

namespace pawl {
namespace {

using namespace std::chrono_literals;

struct Courier : testing::Test {
  courier c{{.timeout = 100ms, .frames_max = 3}};
  instant now{steady_time{1h}, 1'000'000};
  std::vector<frame> sent;
  std::vector<std::string> heard;  ///< "0: 2 results", "1: nothing"

  void carry_out(courier::effects e) {
    for (auto& f : e.send) sent.push_back(std::move(f));
    for (auto& [done, answer] : e.done) done(std::move(answer));
  }
  void submit() {
    frame f;
    f.of = std::make_shared<sequence>();
    const auto which = std::to_string(submitted_++);
    carry_out(c.submit(
        std::move(f),
        [this, which](const std::optional<frame_answer>& a) {
          heard.push_back(which + ": " + (a ? std::to_string(a->results.size()) + " results" : "nothing"));
        },
        now));
  }
  void route(std::optional<link_number> to, std::uint64_t view = 1) { carry_out(c.on_route(to, {view})); }
  void answer(link_number from, std::uint64_t number, std::size_t results = 2) {
    frame_answer a;
    a.number = number;
    a.results.resize(results);
    carry_out(c.on_answer(from, std::move(a)));
  }
  using lines = std::vector<std::string>;

private:
  int submitted_ = 0;
};

TEST_F(Courier, WaitsForARouteAndThenSendsInOrderUnderItsView) {
  submit();
  submit();
  EXPECT_TRUE(sent.empty());
  route(7, 5);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_LT(sent[0].number, sent[1].number);
  EXPECT_EQ(sent[0].view, view_number{5});
  submit();
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[2].view, view_number{5});
  EXPECT_TRUE(heard.empty());
}

TEST_F(Courier, EachAnswerGoesToTheOneWhoAsked) {
  route(7);
  submit();
  submit();
  answer(7, sent[1].number, 1);
  answer(7, sent[0].number, 2);
  EXPECT_EQ(heard, (lines{"1: 1 results", "0: 2 results"}));
}

TEST_F(Courier, AnAnswerCountsOnceAndFromTheOwnerOnly) {
  route(7);
  submit();
  answer(8, sent[0].number);
  answer(7, sent[0].number + 1);
  EXPECT_TRUE(heard.empty());
  answer(7, sent[0].number);
  answer(7, sent[0].number);
  EXPECT_EQ(heard, (lines{"0: 2 results"}));
}

// What the former owner made of it is not known: the source asks the next one.
TEST_F(Courier, WhatWasSentToAFormerOwnerIsGivenBackAndWhatWaitedIsNot) {
  route(7);
  submit();
  route(std::nullopt);
  EXPECT_EQ(heard, (lines{"0: nothing"}));
  submit();
  EXPECT_EQ(sent.size(), 1u);
  route(8);
  ASSERT_EQ(sent.size(), 2u);
  answer(7, sent[0].number);
  answer(7, sent[1].number);
  EXPECT_EQ(heard.size(), 1u);
  answer(8, sent[1].number);
  EXPECT_EQ(heard, (lines{"0: nothing", "1: 2 results"}));
}

TEST_F(Courier, TheSameRouteInANewerViewInterruptsNothing) {
  route(7, 1);
  submit();
  route(7, 4);
  EXPECT_TRUE(heard.empty());
  submit();
  EXPECT_EQ(sent[1].view, view_number{4});
  route(8, 2);  // heard of late
  submit();
  EXPECT_EQ(sent[2].view, view_number{4});
}

TEST_F(Courier, AfterItsTimeAFrameIsGivenBack) {
  submit();
  EXPECT_EQ(c.wake(), now.steady + 100ms);
  now.steady += 60ms;
  submit();
  now.steady += 39ms;
  carry_out(c.tick(now));
  EXPECT_TRUE(heard.empty());
  now.steady += 1ms;
  carry_out(c.tick(now));
  EXPECT_EQ(heard, (lines{"0: nothing"}));
  EXPECT_EQ(c.wake(), now.steady + 60ms);
  route(7);
  EXPECT_EQ(sent.size(), 1u);
}

TEST_F(Courier, BeyondItsLimitItTakesNothingMoreUntilSomethingIsDone) {
  for (int i = 0; i < 4; ++i) submit();
  EXPECT_EQ(heard, (lines{"3: nothing"}));
  route(7);
  answer(7, sent[0].number);
  submit();
  EXPECT_EQ(sent.size(), 4u);
}

TEST_F(Courier, ClosedItGivesAllBackAndTakesNothing) {
  submit();
  route(7);
  submit();
  carry_out(c.close());
  submit();
  EXPECT_EQ(heard, (lines{"0: nothing", "1: nothing", "2: nothing"}));
  answer(7, sent[0].number);
  EXPECT_EQ(heard.size(), 3u);
  EXPECT_EQ(c.wake(), std::nullopt);
}

}  // namespace
}  // namespace pawl
