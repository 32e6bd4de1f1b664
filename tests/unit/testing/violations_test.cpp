#include "actors/entity.hpp"
#include "actors/testing.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

// The harness's teeth: handlers that a plain test would let through.

namespace {
using namespace std::chrono_literals;
using pawl::testing::cluster;
using pawl::testing::violation;

struct Add {
  std::int64_t amount = 0;
  PAWL_MESSAGE(Add, amount)
};
struct Set {
  std::int64_t value = 0;
  PAWL_MESSAGE(Set, value)
};
struct Counter {
  std::int64_t value = 0;
  PAWL_STATE(value)
};
struct Careless {
  std::int64_t value = 0;
  std::int64_t forgotten = 0;  ///< not listed
  PAWL_STATE(value)
};

template <class F>
std::string violation_of(F f) {
  try {
    f();
  } catch (const violation& v) {
    return v.what();
  }
  return "none";
}
#define EXPECT_TELLS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(Violations, AStateThatDependsOnMoreThanTheMessageIsCaught) {
  std::int64_t calls = 0;
  cluster c{{pawl::entity<Counter>("counter").on([&calls](Counter& s, const Add&) { s.value += ++calls; })}};
  const auto told = violation_of([&] { (void)c.send("counter", "a", Add{1}); });
  EXPECT_TELLS(told, "message 'Add' of 'counter'");
  EXPECT_TELLS(told, "the state");
}

TEST(Violations, SoAreEffects) {
  std::int64_t calls = 0;
  const auto with = [&](auto effect) {
    cluster c{{pawl::entity<Counter>("counter").on(
        [&calls, effect](Counter&, const Add&, pawl::context& ctx) { effect(ctx, ++calls); })}};
    return violation_of([&] { (void)c.send("counter", "a", Add{1}); });
  };
  EXPECT_TELLS(with([](pawl::context& ctx, std::int64_t n) { ctx.send("counter", "b", Add{n}); }), "what is sent");
  EXPECT_TELLS(with([](pawl::context& ctx, std::int64_t n) { ctx.schedule_at("t", n, Add{1}); }), "the timers");
  EXPECT_TELLS(with([](pawl::context& ctx, std::int64_t n) { ctx.reply(Counter{n}); }), "the reply");
  EXPECT_TELLS(with([](pawl::context& ctx, std::int64_t n) { n % 2 ? ctx.erase() : void(); }), "erased");
  EXPECT_TELLS(with([](pawl::context& ctx, std::int64_t n) { n % 2 ? ctx.refuse("odd") : void(); }), "the result");
}

TEST(Violations, ATypeThatIsNotIdempotentThoughItSaysSoIsCaught) {
  cluster wrong{{pawl::entity<Counter>("counter")
                     .on([](Counter& s, const Add& m) { s.value += m.amount; })
                     .on([](Counter& s, const Set& m) { s.value = m.value; })
                     .idempotent()}};
  EXPECT_TRUE(wrong.send("counter", "a", Set{3}).took_effect());
  EXPECT_TELLS(violation_of([&] { (void)wrong.send("counter", "a", Add{1}); }), "declared idempotent");
  cluster right{{pawl::entity<Counter>("counter").on([](Counter& s, const Add& m) { s.value += m.amount; })}};
  EXPECT_TRUE(right.send("counter", "a", Add{1}).took_effect());
}

TEST(Violations, ALateCopyUndoesWhatCameAfterItInAnIdempotentType) {
  // Rule A6: allowed, so it is for the test to see, given that copies happen.
  bool undone = false;
  for (std::uint64_t seed = 1; seed <= 50 && !undone; ++seed) {
    cluster c{{pawl::entity<Counter>("counter").on([](Counter& s, const Set& m) { s.value = m.value; }).idempotent()},
              {.seed = seed, .inject = {.copy = 1}}};
    (void)c.send("counter", "a", Set{1});
    (void)c.send("counter", "a", Set{2});
    c.run_to_end();
    undone = c.state<Counter>("counter", "a")->value == 1;
  }
  EXPECT_TRUE(undone);
}

TEST(Violations, AMemberThatIsNotListedDoesNotOutliveTheMessage) {
  cluster c{{pawl::entity<Careless>("careless").on([](Careless& s, const Add& m) {
    s.forgotten += m.amount;
    s.value = s.forgotten;
  })}};
  (void)c.send("careless", "a", Add{1});
  (void)c.send("careless", "a", Add{1});
  EXPECT_EQ(c.state<Careless>("careless", "a")->value, 1);
}

TEST(Violations, EntitiesThatNeverComeToRestAreToldOf) {
  const auto echo =
      pawl::entity<Counter>("echo").on([](Counter&, const Add& m, pawl::context& ctx) { ctx.send("echo", "a", m); });
  cluster c{{echo}, {.steps_max = 1'000}};
  (void)c.send("echo", "a", Add{1});
  EXPECT_TELLS(violation_of([&] { c.run(); }), "no end after 1000 deliveries");

  const auto clock = pawl::entity<Counter>("clock").on([](Counter& s, const Add& m, pawl::context& ctx) {
    ++s.value;
    ctx.schedule("tick", 1s, m);
  });
  cluster ticking{{clock}, {.steps_max = 1'000}};
  (void)ticking.send("clock", "a", Add{1});
  ticking.advance(10s);
  EXPECT_EQ(ticking.state<Counter>("clock", "a")->value, 11);
  EXPECT_TELLS(violation_of([&] { ticking.run_to_end(); }), "use advance");
}

std::string error_of_seeds(std::uint64_t n, const std::function<void(std::uint64_t)>& f,
                           const std::function<bool()>& failed = {}) {
  try {
    pawl::testing::for_each_seed(n, f, failed);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "none";
}

/// Sets an environment variable for as long as it lives.
struct setting {
  explicit setting(const char* value) { ::setenv("PAWL_SEED", value, 1); }
  ~setting() { ::unsetenv("PAWL_SEED"); }
  setting(const setting&) = delete;
  setting& operator=(const setting&) = delete;
};

TEST(Seeds, TheOneThatFailsIsNamedAndCanBeReplayedAlone) {
  std::vector<std::uint64_t> seen;
  const auto f = [&](std::uint64_t seed) {
    seen.push_back(seed);
    if (seed == 3) throw std::runtime_error("broken");
  };
  EXPECT_EQ(error_of_seeds(9, f), "with seed 3 (replay it with PAWL_SEED=3): broken");
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(error_of_seeds(2, f), "none");
  std::uint64_t last = 0;
  EXPECT_TELLS(error_of_seeds(
                   9, [&](std::uint64_t seed) { last = seed; }, [&] { return last == 4; }),
               "with seed 4 ");

  seen.clear();
  const setting one{"7"};
  EXPECT_EQ(error_of_seeds(9, f), "none");
  EXPECT_EQ(seen, std::vector<std::uint64_t>{7});
}

TEST(Seeds, WhatIsNoSeedIsSaidSo) {
  const setting wrong{"7x"};
  EXPECT_TELLS(error_of_seeds(9, [](std::uint64_t) {}), "'7x' is not a seed");
}

}  // namespace
