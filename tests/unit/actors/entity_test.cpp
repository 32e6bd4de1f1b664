// The user's side of an entity: handlers as plain functions, and what the runtime sees of them.
#include "actors/entity.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace {

struct Deposit {
  std::int64_t cents = 0;
  PAWL_MESSAGE(Deposit, cents)
};
struct Withdraw {
  std::int64_t cents = 0;
  PAWL_MESSAGE(Withdraw, cents)
};
struct Close {
  PAWL_MESSAGE(Close)
};
struct Account {
  std::int64_t balance = 0;
  std::vector<std::string> history;
  PAWL_STATE(balance, history)
};

void withdraw(Account& a, const Withdraw& m, pawl::context& ctx) {
  a.history.emplace_back(ctx.message_id());
  a.balance -= m.cents;
  if (a.balance < 0) ctx.refuse("balance would be " + std::to_string(a.balance));
}

/// An account whose `Close` does what a test says.
template <class F>
pawl::entity_type account(F on_close) {
  return pawl::entity<Account>("account")
      .on([](Account& a, const Deposit& m) {
        a.balance += m.cents;
        if (m.cents < 0) throw std::runtime_error("negative deposit");
      })
      .on(withdraw)
      .template on<Close>(on_close);
}
pawl::entity_type account() {
  return account([](Account& a, const Close&) { a = {}; });
}

template <class M>
std::string payload(const M& m) {
  std::string bytes;
  pawl::encode_msgpack(m, bytes);
  return bytes;
}

pawl::message named(std::string_view name, std::string_view bytes) {
  return {.type = "account", .key = "a-1", .name = name, .id = "m-1", .payload = bytes};
}

std::string stored(const pawl::entity_type& type, const pawl::entity_state& state) {
  std::string bytes;
  type->encode(state, bytes);
  return bytes;
}

using kind = pawl::handled::kind;

/// As the runtime does it: the state changes only if the message was applied.
pawl::handled apply(const pawl::entity_type& type, std::unique_ptr<pawl::entity_state>& state, const pawl::message& m) {
  auto next = type->fresh();
  auto done = type->apply(state.get(), *next, m, 0);
  if (done.what == kind::applied) state.swap(next);
  return done;
}

TEST(Entity, HandlersAreTestableByCallingThem) {
  Account a{.balance = 5, .history = {}};
  pawl::context ctx{"account", "a-1", "m-1", 1'700'000'000'000, 3};
  withdraw(a, {.cents = 2}, ctx);
  EXPECT_EQ(a.balance, 3);
  EXPECT_EQ(ctx.type(), "account");
  EXPECT_EQ(ctx.key(), "a-1");
  EXPECT_EQ(ctx.sent_at(), 1'700'000'000'000);
  EXPECT_EQ(ctx.seq(), 3u);
  EXPECT_THROW(withdraw(a, {.cents = 4}, ctx), pawl::message_refused);
}

// What a handler does besides changing its state ------------------------------------------------------------------

struct Effects : testing::Test {
  pawl::context ctx{"account", "a-1", "m-1", 1'000, 3};
};

TEST_F(Effects, AreNoneUnlessTheHandlerAsksForSome) { EXPECT_EQ(ctx.effects(), nullptr); }

TEST_F(Effects, SendsKeepTheirOrder) {
  ctx.send("account", "a-2", Deposit{1});
  ctx.send("account", "a-1", Deposit{2});
  ASSERT_NE(ctx.effects(), nullptr);
  ASSERT_EQ(ctx.effects()->sends.size(), 2u);
  std::string payload;
  pawl::encode_msgpack(Deposit{2}, payload);
  EXPECT_EQ(ctx.effects()->sends[1], (pawl::outgoing_message{"account", "a-1", "Deposit", payload}));
}

// The owner's time counts, not the sender's.
TEST_F(Effects, TimersAreDueFromTheTimeOfTheHandling) {
  pawl::message m;
  m.sent_at = 5;
  pawl::context late{m, 2'000};
  late.schedule("t", std::chrono::milliseconds{500}, Deposit{});
  late.schedule("past", std::chrono::milliseconds{-500}, Deposit{});
  late.schedule_at("at", 77, Deposit{});
  late.cancel("t");
  const auto& timers = late.effects()->timers;
  ASSERT_EQ(timers.size(), 4u);
  EXPECT_EQ(timers[0].due, 2'500);
  EXPECT_EQ(timers[1].due, 2'000);
  EXPECT_EQ(timers[2].due, 77);
  EXPECT_EQ(timers[2].name, "Deposit");
  EXPECT_EQ(timers[3].due, std::nullopt);
}

TEST_F(Effects, OfSeveralRepliesTheLastCounts) {
  ctx.reply(Deposit{1});
  ctx.reply(Deposit{2});
  std::string bytes;
  pawl::encode_msgpack(Deposit{2}, bytes);
  EXPECT_EQ(ctx.effects()->reply, bytes);
}

TEST_F(Effects, ErasureIsNoted) {
  ctx.erase();
  EXPECT_TRUE(ctx.effects()->erased);
}

TEST_F(Effects, NamesAndKeysThatCannotBeAreErrors) {
  EXPECT_THROW(ctx.send("no name", "k", Deposit{}), std::invalid_argument);
  EXPECT_THROW(ctx.send("", "k", Deposit{}), std::invalid_argument);
  EXPECT_THROW(ctx.send("account", "", Deposit{}), std::invalid_argument);
  EXPECT_THROW(ctx.send("account", std::string(257, 'k'), Deposit{}), std::invalid_argument);
  EXPECT_THROW(ctx.schedule("no/name", std::chrono::milliseconds{1}, Deposit{}), std::invalid_argument);
  EXPECT_THROW(ctx.cancel(""), std::invalid_argument);
  EXPECT_EQ(ctx.effects(), nullptr);
}

TEST_F(Effects, HaveLimitsInNumber) {
  for (std::size_t i = 0; i < pawl::limits::sends_per_message; ++i) ctx.send("account", "k", Deposit{});
  EXPECT_THROW(ctx.send("account", "k", Deposit{}), std::length_error);
  for (std::size_t i = 0; i < pawl::limits::timers_per_message; ++i) ctx.cancel("t");
  EXPECT_THROW(ctx.cancel("t"), std::length_error);
  EXPECT_EQ(ctx.effects()->sends.size(), pawl::limits::sends_per_message);
}

struct Bulky {
  std::string text;
  PAWL_MESSAGE(Bulky, text)
};

// rule C22: with its state they must fit into one commit
TEST_F(Effects, HaveALimitInBytes) {
  const Bulky large{std::string(1'000'000, 'x')};
  EXPECT_THROW(ctx.send("account", "k", Bulky{std::string(1024 * 1024, 'x')}), std::length_error);
  EXPECT_THROW(ctx.reply(Bulky{std::string(pawl::limits::reply_bytes, 'x')}), std::length_error);
  for (int i = 0; i < 2; ++i) ctx.send("account", "k", large);
  for (int i = 0; i < 2; ++i) ctx.schedule("t", std::chrono::milliseconds{1}, large);
  EXPECT_THROW(ctx.send("account", "k", large), std::length_error);
  EXPECT_THROW(ctx.schedule("t", std::chrono::milliseconds{1}, large), std::length_error);
}

TEST(Entity, AppliesMessagesToTheState) {
  const auto type = account();
  auto state = type->fresh();
  const auto deposit = payload(Deposit{.cents = 10}), take = payload(Withdraw{.cents = 4});
  EXPECT_EQ(apply(type, state, named("Deposit", deposit)).what, kind::applied);
  EXPECT_EQ(apply(type, state, named("Withdraw", take)).what, kind::applied);
  EXPECT_EQ(stored(type, *state), payload(Account{.balance = 6, .history = {"m-1"}}));
  EXPECT_EQ(apply(type, state, named("Close", "\x80")).what, kind::applied);
  EXPECT_EQ(stored(type, *state), payload(Account{}));
}

TEST(Entity, LeavesTheStateAloneUnlessTheHandlerReturned) {
  struct row {
    std::string name, payload;
    kind what;
    std::string text;
  };
  const row rows[] = {
      {"Withdraw", payload(Withdraw{.cents = 7}), kind::refused, "balance would be -2"},
      {"Deposit", payload(Deposit{.cents = -1}), kind::failed, "negative deposit"},
      {"Deposit",
       "\x81\xa5"
       "cents\xa1x",
       kind::undecodable, "field 'cents': expected an integer, got a string"},
      {"Deposit", "", kind::undecodable, "the input is empty"},
      {"Open", "\x80", kind::unknown_message,
       "entity type 'account' has no message 'Open'; it has: Deposit, Withdraw, Close"},
      {"deposit", "\x80", kind::unknown_message,
       "entity type 'account' has no message 'deposit'; it has: Deposit, Withdraw, Close"},
  };
  const auto type = account();
  std::string error;
  const auto before = payload(Account{.balance = 5, .history = {"m-0"}});
  auto state = type->decode(before, error);
  ASSERT_TRUE(state) << error;
  for (const auto& r : rows) {
    const auto done = apply(type, state, named(r.name, r.payload));
    EXPECT_EQ(done.what, r.what) << r.name;
    EXPECT_EQ(done.text, r.text);
    EXPECT_EQ(stored(type, *state), before) << r.name;
  }
}

TEST(Entity, TellsRunningOutOfMemoryFromAFailure) {
  const auto out_of_memory = account([](Account&, const Close&) { throw std::bad_alloc{}; });
  EXPECT_EQ(out_of_memory->apply(nullptr, *out_of_memory->fresh(), named("Close", "\x80"), 0).what, kind::exhausted);
  const auto failing = account([](Account&, const Close&) { throw 42; });
  const auto done = failing->apply(nullptr, *failing->fresh(), named("Close", "\x80"), 0);
  EXPECT_EQ(done.what, kind::failed);
  EXPECT_EQ(done.text, "the handler threw something that is not a std::exception");
}

TEST(Entity, ARefusalPassesThroughAHandlerThatCatchesExceptions) {
  const auto type = account([](Account&, const Close&, pawl::context& ctx) {
    try {
      ctx.refuse(std::string(2000, 'r'));
    } catch (const std::exception&) {
      ADD_FAILURE() << "caught its own refusal";
    }
  });
  const auto done = type->apply(nullptr, *type->fresh(), named("Close", "\x80"), 0);
  EXPECT_EQ(done.what, kind::refused);
  EXPECT_EQ(done.text, std::string(pawl::limits::reason_bytes, 'r'));
}

TEST(Entity, AppliesToACopyWhateverTheCopyHeldBefore) {
  const auto type = account();
  const auto deposit = payload(Deposit{.cents = 10});
  const auto state = type->fresh(), next = type->fresh();
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(type->apply(state.get(), *next, named("Deposit", deposit), 0).what, kind::applied);
    EXPECT_EQ(stored(type, *state), payload(Account{}));
    EXPECT_EQ(stored(type, *next), payload(Account{.balance = 10, .history = {}}));
  }
  ASSERT_EQ(type->apply(nullptr, *next, named("Deposit", deposit), 0).what, kind::applied);
  EXPECT_EQ(stored(type, *next), payload(Account{.balance = 10, .history = {}}));
}

TEST(Entity, RefusesToReadAStateThatDoesNotFit) {
  std::string error;
  EXPECT_EQ(account()->decode("\x81\xa7"
                              "balance\xc3",
                              error),
            nullptr);
  EXPECT_EQ(error, "field 'balance': expected an integer, got a boolean");
}

TEST(Entity, KnowsItsMessages) {
  const auto type = account();
  EXPECT_EQ(type->name(), "account");
  EXPECT_EQ(type->messages(), "Deposit, Withdraw, Close");
  EXPECT_TRUE(type->knows("Deposit"));
  EXPECT_FALSE(type->knows("Depos"));
  EXPECT_FALSE(type->knows(""));
}

TEST(Entity, MessageTypesAreNamedWhereTheyCannotBeDeduced) {
  const pawl::entity_type type =
      pawl::entity<Account>("account").on<Deposit>([](auto& a, const auto& m) { a.balance = m.cents; });
  EXPECT_EQ(type->messages(), "Deposit");
}

TEST(Entity, KeepsIdsAsLongAsToldToAndSevenDaysOtherwise) {
  using namespace std::chrono_literals;
  const pawl::entity_type told = pawl::entity<Account>("a").retain(36h);
  EXPECT_EQ(told->ids().retention, 36h);
  const pawl::entity_type untold = pawl::entity<Account>("a");
  EXPECT_EQ(untold->ids().retention, 7 * 24h);
  EXPECT_THROW(pawl::entity<Account>("a").retain(0ms), std::invalid_argument);
}

TEST(Entity, TwoHandlersForOneMessageAreAnError) {
  EXPECT_THROW(pawl::entity<Account>("account").on(withdraw).on(withdraw), std::invalid_argument);
}

TEST(Entity, NamesAreLettersDigitsUnderscoreDotAndDash) {
  for (auto good : {"a", "Order_1.x-Y"}) EXPECT_NO_THROW(pawl::entity<Account>{good}) << good;
  EXPECT_NO_THROW(pawl::entity<Account>{std::string(64, 'n')});
  for (auto bad : {"", "a b", "a/b", "a:b", "{a}", "ä", "a\n"})
    EXPECT_THROW(pawl::entity<Account>{bad}, std::invalid_argument) << bad;
  EXPECT_THROW(pawl::entity<Account>{std::string(65, 'n')}, std::invalid_argument);
  EXPECT_THROW(pawl::entity<Account>(std::string("a\0", 2)), std::invalid_argument);
}

}  // namespace
