// The router's side of a shard: order per key from the sender's view, with one frame under way.
#include "actors/lane.hpp"

#include "tests/unit/actors/diary.hpp"

#include <gtest/gtest.h>

namespace pawl::test {
namespace {

using namespace std::chrono_literals;

constexpr link_number owner_a = 7, owner_b = 8;
const message_result applied{result_kind::applied, reason_code::none, {}};
const message_result moved{result_kind::busy, reason_code::moved, {}};
const message_result unknown{result_kind::unknown, reason_code::moved, {}};
const message_result full{result_kind::busy, reason_code::store_full, {}};
const message_result blocked{result_kind::blocked, reason_code::earlier_unresolved, {}};

struct Lane : testing::Test {
  instant now{steady_time{1h}, 0};
  lane l{shard_id{3}, {.messages_max = 3'000, .bytes_max = 8'000'000, .timeout = 1s, .retry = 5ms, .retry_max = 20ms}};
  std::optional<frame> sent;      ///< the last frame
  int frames = 0;                 ///< how many were sent
  std::vector<std::string> done;  ///< "id result", in the order given
  view_number seen;

  void take(lane_effects e) {
    if (e.send) {
      sent = std::move(e.send);
      ++frames;
    }
    e.answers.each([this](const pending_request& r, std::uint32_t index, const message_result& result) {
      done.push_back(std::string{r[index].id} + " " + brief(result));
    });
    if (e.seen_view.value != 0) seen = e.seen_view;
  }
  /// Each message in a block of its own, so that a view that outlives its message shows under AddressSanitizer.
  void submit(const std::vector<entry>& entries) {
    std::vector<submission> out;
    for (const auto& e : entries) out.push_back(alone(e));
    take(l.submit(out, now));
  }
  void route(std::optional<link_number> to, std::uint64_t view = 1) { take(l.on_route(to, {view})); }
  void answer(std::vector<message_result> results, link_number from = owner_a, std::uint64_t view = 1) {
    take(l.on_answer(from, {{3}, sent.value().number, {view}, std::move(results)}, now));
  }
  void pass(std::chrono::milliseconds t) {
    now.steady += t;
    take(l.tick(now));
  }
  /// Ids of the last frame: "1 2".
  std::string last_frame() const {
    std::string text;
    for (const auto& e : sent.value().messages) text.append(text.empty() ? "" : " ").append(e->id);
    return text;
  }
  std::string results() {
    std::string text;
    for (const auto& d : std::exchange(done, {})) text.append(text.empty() ? "" : ", ").append(d);
    return text;
  }
};

// rule B15
TEST_F(Lane, HasOneFrameUnderWayAndQueuesTheRestBehindIt) {
  route(owner_a, 4);
  submit({{"1"}, {"2"}});
  submit({{"3"}});
  EXPECT_EQ(frames, 1);
  EXPECT_EQ(last_frame(), "1 2");
  EXPECT_EQ(sent->view.value, 4u);
  EXPECT_EQ(sent->shard.value, 3u);
  answer({applied, applied});
  EXPECT_EQ(results(), "1 applied, 2 applied");
  EXPECT_EQ(last_frame(), "3");
  answer({applied});
  EXPECT_EQ(l.size(), 0u);
  EXPECT_EQ(frames, 2);
}

// rule B15
TEST_F(Lane, SendsTheHeadAgainFirstAndNewRequestsBehindIt) {
  route(owner_a);
  submit({{"1"}, {.id = "x", .key = "j"}, {"2"}});
  submit({{"3"}});
  answer({unknown, applied, blocked});
  EXPECT_EQ(results(), "x applied");
  submit({{"4"}});
  EXPECT_EQ(frames, 1);
  pass(5ms);
  EXPECT_EQ(last_frame(), "1 2 3 4");
  answer({{result_kind::duplicate, reason_code::none, {}}, applied, applied, applied});
  EXPECT_EQ(results(), "1 duplicate, 2 applied, 3 applied, 4 applied");
}

// rules B13, B15: giving up a message gives up everything behind it of its key, and nothing else
TEST_F(Lane, WhatTheOwnerCannotTakeNowIsGivenBackWithAllBehindItOfItsKey) {
  route(owner_a);
  submit({{"1"}, {"2"}, {.id = "x", .key = "j"}});
  submit({{"3"}, {.id = "y", .key = "j"}, {"4"}});
  answer({full, blocked, applied});
  EXPECT_EQ(results(), "1 busy:store_full, 2 blocked:earlier_unresolved, x applied, 3 blocked:earlier_unresolved, "
                       "4 blocked:earlier_unresolved");
  EXPECT_EQ(last_frame(), "y");
}

// rule B13: an answer is not believed where it contradicts the order
TEST_F(Lane, AnOwnerThatResolvesBehindAnUnresolvedMessageIsNotBelieved) {
  route(owner_a);
  submit({{"1"}, {"2"}, {.id = "x", .key = "j"}, {.id = "y", .key = "j"}});
  answer({moved, applied, full, applied});
  EXPECT_EQ(results(), "x busy:store_full, y blocked:earlier_unresolved");
  pass(5ms);
  EXPECT_EQ(last_frame(), "1 2");
}

// rule B36: the number of an early message is its order, so it holds up nobody
TEST_F(Lane, AnEarlyMessageIsGivenBackAndNothingBehindIt) {
  const message_result early{result_kind::busy, reason_code::early, {}};
  route(owner_a);
  submit({{"3"}, {"1"}, {"5"}});
  submit({{"2"}});
  answer({early, applied, early});
  EXPECT_EQ(results(), "3 busy:early, 1 applied, 5 busy:early");
  EXPECT_EQ(last_frame(), "2");
}

TEST_F(Lane, BehindAMessageThatIsSentAgainAnEarlyOneIsToo) {
  const message_result early{result_kind::busy, reason_code::early, {}};
  route(owner_a);
  submit({{"1"}, {"3"}});
  answer({unknown, early});
  EXPECT_EQ(results(), "");
  pass(5ms);
  EXPECT_EQ(last_frame(), "1 3");
}

TEST_F(Lane, KeepsEachKeyToTheFateOfItsFirstUnresolvedMessage) {
  route(owner_a);
  submit({{"1"}, {"2"}, {.id = "x", .key = "j"}, {.id = "y", .key = "j"}});
  answer({moved, full, full, moved});
  EXPECT_EQ(results(), "x busy:store_full, y busy:moved");
  pass(5ms);
  EXPECT_EQ(last_frame(), "1 2");
}

TEST_F(Lane, WaitsForARouteAndSendsAtOnceThen) {
  submit({{"1"}});
  EXPECT_EQ(frames, 0);
  route(owner_a);
  EXPECT_EQ(last_frame(), "1");
}

TEST_F(Lane, SendsTheFrameAgainToTheNextOwnerAndDoesNotListenToTheFormer) {
  route(owner_a);
  submit({{"1"}});
  const auto first = sent->number;
  route(owner_b);
  EXPECT_EQ(frames, 2);
  EXPECT_GT(sent->number, first);
  answer({applied}, owner_a);
  EXPECT_EQ(results(), "");
  answer({applied}, owner_b);
  EXPECT_EQ(results(), "1 applied");
}

TEST_F(Lane, AfterALostRouteTheOldAnswerFitsNothing) {
  route(owner_a);
  submit({{"1"}});
  auto old = *sent;
  route(std::nullopt);
  route(owner_a);
  EXPECT_EQ(frames, 2);
  take(l.on_answer(owner_a, {{3}, old.number, {1}, {applied}}, now));
  EXPECT_EQ(results(), "");
  answer({applied});
  EXPECT_EQ(results(), "1 applied");
  answer({applied});  // once more
  EXPECT_EQ(results(), "");
}

TEST_F(Lane, AnAnswerOfAnotherLengthIsNone) {
  route(owner_a);
  submit({{"1"}, {"2"}});
  answer({applied});
  EXPECT_EQ(results(), "");
  pass(5ms);
  EXPECT_EQ(last_frame(), "1 2");
  answer({applied, applied, applied});
  answer({});
  EXPECT_EQ(l.size(), 2u);
}

TEST_F(Lane, PausesLongerAndLongerButNotForANewOwner) {
  route(owner_a);
  submit({{"1"}});
  for (auto pause : {5ms, 10ms, 20ms, 20ms}) {
    const auto before = frames;
    answer({moved});
    EXPECT_EQ(l.wake(), now.steady + pause);
    pass(pause - 1ms);
    EXPECT_EQ(frames, before);
    pass(1ms);
    EXPECT_EQ(frames, before + 1);
  }
  answer({moved});
  route(owner_b);
  EXPECT_EQ(frames, 6);
  answer({moved}, owner_b);
  EXPECT_EQ(l.wake(), now.steady + 5ms);
}

TEST_F(Lane, AsksForTheViewThatTheOwnerKnows) {
  route(owner_a, 4);
  submit({{"1"}});
  answer({moved}, owner_a, 4);
  EXPECT_EQ(seen.value, 0u);
  pass(5ms);
  answer({moved}, owner_a, 6);
  EXPECT_EQ(seen.value, 6u);
}

TEST_F(Lane, WhatWasNeverSentIsBusyWhenItsTimeIsOver) {
  submit({{"1"}, {"2"}, {.id = "x", .key = "j"}});
  pass(999ms);
  EXPECT_EQ(results(), "");
  pass(1ms);
  EXPECT_EQ(results(), "1 busy:no_owner, 2 blocked:earlier_unresolved, x busy:no_owner");
  EXPECT_EQ(l.wake(), std::nullopt);
}

// rules A8, B13, B15: giving up takes younger messages of the key along, in the frame or not
TEST_F(Lane, WhatWasSentIsUnknownWhenItsTimeIsOverAndTakesAllBehindItAlong) {
  route(owner_a);
  submit({{"1"}});
  pass(500ms);
  submit({{"2"}, {.id = "x", .key = "j"}});
  pass(500ms);
  EXPECT_EQ(results(), "1 unknown:timed_out, 2 blocked:earlier_unresolved");
  EXPECT_EQ(last_frame(), "x");  // in a frame of its own: the answer to the old one fits nothing any more
  EXPECT_EQ(frames, 2);
  answer({applied});
  EXPECT_EQ(results(), "x applied");
}

TEST_F(Lane, FromTheFirstThatDoesNotFitOnAllAreRefused) {
  std::vector<entry> entries;
  for (int i = 0; i < 3'002; ++i) entries.push_back({std::to_string(i)});
  submit(entries);
  EXPECT_EQ(results(), "3000 busy:queue_full, 3001 busy:queue_full");
  submit({{"z"}});
  EXPECT_EQ(results(), "z busy:queue_full");
}

TEST_F(Lane, BytesAreBoundedAndFreedInEveryWayOut) {
  route(owner_a);
  const entry large{.id = "m", .payload = std::string(1'000'000, 'p')};
  const std::vector<entry> eight(8, large);
  for (int i = 0; i < 3; ++i) {
    submit(eight);
    EXPECT_EQ(done.size(), 1u);
    done.clear();
    if (i == 0) {
      pass(1s);
    } else if (i == 1) {
      answer(std::vector<message_result>(sent->messages.size(), full));
    } else {
      while (l.size() > 0) answer(std::vector<message_result>(sent->messages.size(), applied));
    }
    EXPECT_EQ(done.size(), 7u);
    done.clear();
  }
  submit(std::vector<entry>(7, large));
  EXPECT_EQ(results(), "");
}

// rule B15: a larger batch goes in pieces, the next after the previous is resolved
TEST_F(Lane, CutsFramesByCountAndBytes) {
  route(owner_a);
  std::vector<entry> entries;
  for (int i = 0; i < 2'000; ++i) entries.push_back({std::to_string(i)});
  submit(entries);
  EXPECT_EQ(sent->messages.size(), limits::frame_messages);
  answer(std::vector<message_result>(1'024, applied));
  EXPECT_EQ(sent->messages.size(), 976u);
  answer(std::vector<message_result>(976, applied));
  submit(
      {{.id = "a", .payload = std::string(1'200'000, 'p')}, {.id = "b", .payload = std::string(900'000, 'p')}, {"c"}});
  EXPECT_EQ(last_frame(), "a");
  answer({applied});
  EXPECT_EQ(last_frame(), "b c");
}

TEST_F(Lane, AMessageLargerThanAFrameGoesAlone) {
  route(owner_a);
  submit({{.id = "a", .payload = std::string(limits::frame_bytes + 1, 'p')}, {"b"}});
  EXPECT_EQ(last_frame(), "a");
}

TEST_F(Lane, ClosingAnswersAllAndSaysWhatMayHaveHappened) {
  route(owner_a);
  submit({{"1"}});
  submit({{"2"}});
  take(l.close());
  EXPECT_EQ(results(), "1 unknown:no_owner, 2 busy:no_owner");
  answer({applied});
  EXPECT_EQ(results(), "");
  EXPECT_EQ(l.size(), 0u);
}

TEST_F(Lane, WhatComesAfterClosingIsAnsweredAtOnce) {
  route(owner_a);
  take(l.close());
  submit({{"1"}, {"2"}});
  EXPECT_EQ(results(), "1 busy:no_owner, 2 busy:no_owner");
  EXPECT_EQ(l.size(), 0u);
}

}  // namespace
}  // namespace pawl::test
