#include "actors/testing.hpp"

#include "actors/entity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace {
using namespace std::chrono_literals;
using pawl::reason_code;
using pawl::result_kind;
using pawl::testing::cluster;
using pawl::testing::faults;

struct Add {
  std::int64_t amount = 0;
  PAWL_MESSAGE(Add, amount)
};
struct Total {
  std::int64_t value = 0;
  PAWL_FIELDS(value)
};
struct Refuse {
  bool by_throwing = false;
  PAWL_MESSAGE(Refuse, by_throwing)
};
struct Forward {
  std::string type;
  std::string key;
  std::int64_t amount = 0;
  PAWL_MESSAGE(Forward, type, key, amount)
};
struct Remind {
  std::string timer;
  std::int64_t after_ms = 0;
  std::int64_t amount = 0;
  PAWL_MESSAGE(Remind, timer, after_ms, amount)
};
struct Forget {
  std::string timer;
  PAWL_MESSAGE(Forget, timer)
};
struct Erase {
  PAWL_MESSAGE(Erase)
};
struct Ledger {
  std::vector<std::int64_t> amounts;
  PAWL_STATE(amounts)
};
struct OtherState {
  std::string text;
  PAWL_STATE(text)
};

pawl::entity_type ledger() {
  return pawl::entity<Ledger>("ledger")
      .on([](Ledger& l, const Add& m, pawl::context& ctx) {
        l.amounts.push_back(m.amount);
        ctx.reply(Total{static_cast<std::int64_t>(l.amounts.size())});
      })
      .on([](Ledger& l, const Refuse& m, pawl::context& ctx) {
        l.amounts.push_back(-1);
        ctx.send("ledger", "elsewhere", Add{1});
        ctx.schedule("t", 1s, Add{1});
        if (m.by_throwing) throw std::runtime_error("no paper");
        ctx.refuse("not today");
      })
      .on([](Ledger&, const Forward& m, pawl::context& ctx) { ctx.send(m.type, m.key, Add{m.amount}); })
      .on([](Ledger&, const Remind& m, pawl::context& ctx) {
        ctx.schedule(m.timer, std::chrono::milliseconds{m.after_ms}, Add{m.amount});
      })
      .on([](Ledger&, const Forget& m, pawl::context& ctx) { ctx.cancel(m.timer); })
      .on([](Ledger&, const Erase&, pawl::context& ctx) { ctx.erase(); });
}
std::vector<std::int64_t> amounts(const cluster& c, std::string_view key) {
  const auto l = c.state<Ledger>("ledger", key);
  return l ? l->amounts : std::vector<std::int64_t>{};
}
using list = std::vector<std::int64_t>;

TEST(TestingCluster, AMessageTakesEffectOnceAndACopyGetsItsReply) {
  cluster c{{ledger()}};
  const auto first = c.send("ledger", "a", Add{5}, {.id = "m-1"});
  EXPECT_EQ(first.kind, result_kind::applied);
  EXPECT_EQ(c.send("ledger", "a", Add{7}, {.id = "m-2"}).reply_as<Total>()->value, 2);
  const auto again = c.send("ledger", "a", Add{5}, {.id = "m-1"});
  EXPECT_EQ(again.kind, result_kind::duplicate);
  EXPECT_EQ(again.reply_as<Total>()->value, 1);
  EXPECT_EQ(amounts(c, "a"), (list{5, 7}));
  EXPECT_EQ(c.send("ledger", "b", Add{5}, {.id = "m-1"}).kind, result_kind::applied) << "ids are per entity";
}

struct Pass {
  std::string to;
  PAWL_MESSAGE(Pass, to)
};
struct Journey {
  std::vector<std::string> traces;
  PAWL_STATE(traces)
};

TEST(TestingCluster, ATraceGoesWithWhatAMessageCauses) {
  const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  cluster c{{pawl::entity<Journey>("journey").on([](Journey& j, const Pass& m, pawl::context& ctx) {
    j.traces.push_back(ctx.traceparent());
    if (m.to.empty()) return;
    ctx.send("journey", m.to, Pass{});
    ctx.schedule("again", 1s, Pass{});
  })}};
  c.send("journey", "a", Pass{"b"}, {.traceparent = trace});
  c.run_to_end();
  EXPECT_EQ(c.state<Journey>("journey", "a")->traces, (std::vector{trace, trace}));
  EXPECT_EQ(c.state<Journey>("journey", "b")->traces, std::vector{trace});
  c.send("journey", "c", Pass{}, {.traceparent = "no trace"});
  EXPECT_EQ(c.state<Journey>("journey", "c")->traces, std::vector{std::string{}});
}

TEST(TestingCluster, AnIdWithOtherContentIsRefused) {
  cluster c{{ledger()}};
  (void)c.send("ledger", "a", Add{5}, {.id = "m-1"});
  const auto reused = c.send("ledger", "a", Add{6}, {.id = "m-1"});
  EXPECT_EQ(reused.kind, result_kind::refused);
  EXPECT_EQ(reused.code, reason_code::id_reused);
  EXPECT_EQ(amounts(c, "a"), list{5});
}

TEST(TestingCluster, ARefusalLeavesNoTrace) {
  for (bool throwing : {false, true}) {
    cluster c{{ledger()}};
    const auto r = c.send("ledger", "a", Refuse{throwing}, {.id = "m-1"});
    EXPECT_EQ(r.kind, result_kind::refused);
    EXPECT_EQ(r.code, throwing ? reason_code::handler_error : reason_code::handler_refused);
    EXPECT_NE(r.reason.find(throwing ? "no paper" : "not today"), std::string::npos) << r.reason;
    c.run_to_end();
    EXPECT_FALSE(c.state<Ledger>("ledger", "a"));
    EXPECT_FALSE(c.state<Ledger>("ledger", "elsewhere"));
    EXPECT_TRUE(c.timers("ledger", "a").empty());
    EXPECT_EQ(c.send("ledger", "a", Refuse{throwing}, {.id = "m-1"}).kind, result_kind::refused);
    // An error of the program is kept for people; a refusal is the sender's business.
    EXPECT_EQ(c.dead_letters().size(), throwing ? 1u : 0u);
  }
}

TEST(TestingCluster, HostileMessagesAreToldWhatIsWrong) {
  cluster c{{ledger()}};
  EXPECT_EQ(c.send_bytes("ledger", "a", "Add", "\xc1").code, reason_code::undecodable);
  EXPECT_EQ(c.send_bytes("ledger", "a", "Add", std::string(pawl::limits::payload_bytes + 1, '\xc0')).code,
            reason_code::invalid);
  EXPECT_EQ(c.send("ledger", "", Add{1}).code, reason_code::invalid);
  EXPECT_EQ(c.send("led ger", "a", Add{1}).code, reason_code::invalid);
  EXPECT_EQ(c.send("ledger", "a", Add{1}, {.id = std::string(257, 'x')}).code, reason_code::invalid);
  EXPECT_EQ(c.send("ledger", "a", Add{1}, {.sent_at = c.now() + 3'600'000}).code, reason_code::from_the_future);
  EXPECT_EQ(c.send("nobody", "a", Add{1}).code, reason_code::unknown_entity_type);
  EXPECT_EQ(c.send_bytes("ledger", "a", "Nothing", "\x80").code, reason_code::unknown_message_type);
  EXPECT_THROW(c.post("ledger", "", Add{1}), std::invalid_argument);
  EXPECT_FALSE(c.state<Ledger>("ledger", "a"));
}

TEST(TestingCluster, AStateBeyondTheLimitIsRefused) {
  cluster c{{ledger()}, {.state_bytes = 12}};
  EXPECT_TRUE(c.send("ledger", "a", Add{1}).took_effect());
  EXPECT_TRUE(c.send("ledger", "a", Add{1}).took_effect());
  EXPECT_EQ(c.send("ledger", "a", Add{1'000'000'000'000}).code, reason_code::state_too_large);
  EXPECT_EQ(amounts(c, "a"), (list{1, 1}));
}

TEST(TestingCluster, SendsLeaveAfterTheCommitAndKeepTheirOrder) {
  cluster c{{ledger()}};
  for (int n = 1; n <= 9; ++n) (void)c.send("ledger", "a", Forward{"ledger", "b", n});
  EXPECT_TRUE(amounts(c, "b").empty());
  c.run();
  EXPECT_EQ(amounts(c, "b"), (list{1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(TestingCluster, ASendNobodyKnowsIsADeadLetter) {
  cluster c{{ledger()}};
  (void)c.send("ledger", "a", Forward{"nobody", "b", 1});
  c.run();
  ASSERT_EQ(c.dead_letters().size(), 1u);
  EXPECT_EQ(c.dead_letters()[0].code, reason_code::unknown_entity_type);
  EXPECT_EQ(c.dead_letters()[0].entity, (pawl::entity_id{"nobody", "b"}));
  c.post_bytes("ledger", "a", "Nothing", "\x80");
  c.run();
  ASSERT_EQ(c.dead_letters().size(), 2u);
  EXPECT_EQ(c.dead_letters()[1].code, reason_code::unknown_message_type);
}

TEST(TestingCluster, TimersComeWhenDueInTheirOrderAndOnce) {
  cluster c{{ledger()}};
  (void)c.send("ledger", "a", Remind{"late", 2'000, 2});
  (void)c.send("ledger", "a", Remind{"soon", 1'000, 1});
  (void)c.send("ledger", "a", Remind{"never", 1'500, 99});
  (void)c.send("ledger", "a", Remind{"moved", 500, 3});
  (void)c.send("ledger", "a", Remind{"moved", 3'000, 4});
  (void)c.send("ledger", "a", Forget{"never"});
  const auto start = c.now();
  EXPECT_EQ(c.timers("ledger", "a").size(), 3u);
  c.run();
  EXPECT_EQ(c.now(), start) << "run waits for messages, not for timers";
  c.advance(999ms);
  EXPECT_TRUE(amounts(c, "a").empty());
  c.advance(1ms);
  EXPECT_EQ(amounts(c, "a"), list{1});
  c.run_to_end();
  EXPECT_EQ(amounts(c, "a"), (list{1, 2, 4}));
  EXPECT_EQ(c.now(), start + 3'000);
  EXPECT_TRUE(c.timers("ledger", "a").empty());
}

TEST(TestingCluster, AnErasedEntityIsGoneWithItsTimersButItsIdsAreNot) {
  cluster c{{ledger()}};
  (void)c.send("ledger", "a", Add{1}, {.id = "m-1"});
  (void)c.send("ledger", "a", Remind{"t", 1'000, 2});
  (void)c.send("ledger", "a", Erase{});
  EXPECT_FALSE(c.state<Ledger>("ledger", "a"));
  EXPECT_EQ(c.send("ledger", "a", Add{1}, {.id = "m-1"}).kind, result_kind::duplicate);
  c.run_to_end();
  EXPECT_FALSE(c.state<Ledger>("ledger", "a"));
}

TEST(TestingCluster, AStateOfAnotherTypeIsNotReadAsIfItWereEmpty) {
  cluster c{{ledger()}};
  (void)c.send("ledger", "a", Add{1});
  EXPECT_THROW((void)c.state<OtherState>("ledger", "a"), pawl::testing::violation);
}

TEST(TestingCluster, BadOptionsAreNamed) {
  EXPECT_THROW((cluster{{ledger(), ledger()}}), std::invalid_argument);
  EXPECT_THROW((cluster{{nullptr}}), std::invalid_argument);
  EXPECT_THROW((cluster{{ledger()}, {.shards = 0}}), std::invalid_argument);
  EXPECT_THROW((cluster{{ledger()}, {.inject = {.crash = 1}}}), std::invalid_argument);
  EXPECT_THROW((cluster{{ledger()}, {.inject = {.delay = -0.1}}}), std::invalid_argument);
}

TEST(TestingCluster, FaultsHappenAndNothingIsLostTwiceOrOutOfOrder) {
  pawl::testing::counts sum;
  pawl::testing::for_each_seed(
      300,
      [&](std::uint64_t seed) {
        cluster c{{ledger()}, {.seed = seed, .inject = faults::frequent(), .shards = 4}};
        for (int n = 1; n <= 8; ++n) {
          c.post("ledger", "a", Add{n});
          c.post("ledger", "b", Forward{"ledger", "c", n});
          c.post("ledger", "d", Remind{"t" + std::to_string(n), n * 1'000, n});
        }
        c.run_to_end();
        const list expected{1, 2, 3, 4, 5, 6, 7, 8};
        EXPECT_EQ(amounts(c, "a"), expected);
        EXPECT_EQ(amounts(c, "c"), expected);
        auto fired = amounts(c, "d");
        std::sort(fired.begin(), fired.end());  // each was set when its message came
        EXPECT_EQ(fired, expected);
        EXPECT_TRUE(c.dead_letters().empty());
        sum.crashes += c.happened().crashes;
        sum.lost_acks += c.happened().lost_acks;
        sum.copies += c.happened().copies;
        sum.delays += c.happened().delays;
        sum.discarded += c.happened().discarded;
      },
      [] { return ::testing::Test::HasFailure(); });
  EXPECT_GT(sum.crashes, 300u);
  EXPECT_GT(sum.lost_acks, 300u);
  EXPECT_GT(sum.copies, 300u);
  EXPECT_GT(sum.delays, 300u);
  EXPECT_GE(sum.discarded, sum.copies);
}

TEST(TestingCluster, ASeedAlwaysDoesTheSameAndSeedsDiffer) {
  const auto run = [](std::uint64_t seed) {
    cluster c{{ledger()}, {.seed = seed, .inject = faults::frequent()}};
    for (int n = 1; n <= 5; ++n) {
      c.post("ledger", "a", Forward{"ledger", "z", n});
      c.post("ledger", "b", Forward{"ledger", "z", 10 * n});
    }
    c.run_to_end();
    return std::pair{amounts(c, "z"), c.now()};
  };
  EXPECT_EQ(run(3), run(3));
  std::set<list> interleavings;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) interleavings.insert(run(seed).first);
  EXPECT_GT(interleavings.size(), 20u);
}

// Sequenced types -----------------------------------------------------------------------------------------------------

pawl::entity_type numbered(const pawl::sequencing& how) {
  return pawl::entity<Ledger>("ledger")
      .sequenced(how)
      .on([](Ledger& l, const Add& m, pawl::context& ctx) {
        l.amounts.push_back(m.amount);
        ctx.reply(Total{static_cast<std::int64_t>(l.amounts.size())});
      })
      .on([](Ledger&, const Refuse&, pawl::context& ctx) { ctx.refuse("not today"); });
}
std::string brief(const pawl::message_result& r) {
  return std::string{to_string(r.kind)} + (r.code == reason_code::none ? "" : ":" + std::string{to_string(r.code)});
}
using list = std::vector<std::int64_t>;

TEST(TestingSequenced, AnEarlyMessageFollowsTheMissingOne) {
  cluster c{{numbered({})}};
  EXPECT_EQ(brief(c.send("ledger", "a", Add{2}, {.id = "2", .seq = 2})), "busy:early");
  EXPECT_EQ(c.held("ledger", "a"), 1u);
  EXPECT_EQ(brief(c.send("ledger", "a", Add{1}, {.id = "1", .seq = 1})), "applied");
  EXPECT_EQ(amounts(c, "a"), (list{1, 2}));
  EXPECT_EQ(c.held("ledger", "a"), 0u);
  const auto again = c.send("ledger", "a", Add{2}, {.id = "2", .seq = 2});
  EXPECT_EQ(brief(again), "duplicate");
  EXPECT_EQ(again.reply_as<Total>()->value, 2);
}

TEST(TestingSequenced, NumbersAreJudgedAsInACluster) {
  cluster c{{numbered({.hold = 1})}};
  EXPECT_EQ(brief(c.send("ledger", "a", Add{1})), "refused:seq_missing");
  EXPECT_EQ(brief(c.send("ledger", "a", Refuse{}, {.id = "1", .seq = 1})), "refused:handler_refused");
  EXPECT_EQ(brief(c.send("ledger", "a", Add{9}, {.id = "x", .seq = 1})), "refused:seq_passed");
  EXPECT_EQ(brief(c.send("ledger", "a", Add{3}, {.id = "3", .seq = 3})), "busy:early");
  EXPECT_EQ(brief(c.send("ledger", "a", Add{4}, {.id = "4", .seq = 4})), "busy:early");
  EXPECT_EQ(c.held("ledger", "a"), 1u);
  EXPECT_EQ(brief(c.send("ledger", "a", Add{2}, {.id = "2", .seq = 2})), "applied");
  EXPECT_EQ(amounts(c, "a"), (list{2, 3}));
}

TEST(TestingSequenced, PostedInAnyOrderAndThroughFaultsEachTakesEffectInItsTurn) {
  std::uint64_t crashes = 0;
  pawl::testing::for_each_seed(200, [&](std::uint64_t seed) {
    cluster c{{numbered({})}, {.seed = seed, .inject = faults::frequent()}};
    for (auto n : {5, 3, 1, 6, 2, 4})
      c.post("ledger", "a", Add{n}, {.id = std::to_string(n), .seq = static_cast<std::uint64_t>(n)});
    c.run_to_end();
    EXPECT_EQ(amounts(c, "a"), (list{1, 2, 3, 4, 5, 6}));
    EXPECT_TRUE(c.dead_letters().empty());
    crashes += c.happened().crashes;
  });
  EXPECT_GT(crashes, 0u);
}

TEST(TestingSequenced, AGapIsWaitedForWithoutEnd) {
  cluster c{{numbered({.gap_timeout = 5s})}};
  c.post("ledger", "a", Add{2}, {.id = "2", .seq = 2});
  c.run_to_end();
  EXPECT_EQ(amounts(c, "a"), list{});
  EXPECT_EQ(c.held("ledger", "a"), 1u);
}

TEST(TestingSequenced, AGapIsSkippedOnceTheClockHasMovedThatFar) {
  cluster c{{numbered({.on_gap = pawl::gap::skip, .gap_timeout = 5s})}};
  c.post("ledger", "a", Add{3}, {.id = "3", .seq = 3});
  c.run();
  c.advance(4s);
  EXPECT_EQ(amounts(c, "a"), list{});
  c.advance(1s);
  EXPECT_EQ(amounts(c, "a"), list{3});
  ASSERT_EQ(c.dead_letters().size(), 1u);
  EXPECT_EQ(c.dead_letters()[0].code, reason_code::seq_gap);
  EXPECT_EQ(c.dead_letters()[0].id, "gap/1-2");
  EXPECT_EQ(brief(c.send("ledger", "a", Add{1}, {.id = "1", .seq = 1})), "refused:seq_passed");
}

TEST(TestingSequenced, BehindAGapTheyBecomeDeadLetters) {
  cluster c{{numbered({.on_gap = pawl::gap::dead_letter, .gap_timeout = 5s})}};
  for (auto n : {2, 3, 5})
    c.post("ledger", "a", Add{n}, {.id = std::to_string(n), .seq = static_cast<std::uint64_t>(n)});
  c.run_to_end();
  EXPECT_EQ(c.dead_letters().size(), 3u);
  EXPECT_EQ(brief(c.send("ledger", "a", Add{5}, {.id = "5", .seq = 5})), "refused:handler_refused");
  EXPECT_EQ(brief(c.send("ledger", "a", Add{6}, {.id = "6", .seq = 6})), "applied");
  EXPECT_EQ(amounts(c, "a"), list{6});
}

}  // namespace
