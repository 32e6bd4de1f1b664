#include "examples/order_workflow/checkout.hpp"

#include "actors/testing.hpp"
#include "actors/testing/chance.hpp"
#include "examples/order_workflow/account.hpp"
#include "examples/order_workflow/ticket.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

namespace {
using namespace order_workflow;
using namespace std::chrono_literals;
using pawl::testing::cluster;
using pawl::testing::faults;

cluster shop(pawl::testing::options o = {}) { return cluster{{checkout(), account(), ticket()}, o}; }

std::string status(const cluster& c, const std::string& order) {
  const auto found = c.state<Checkout>("checkout", order);
  return found ? found->status : "none";
}
std::string ticket_status(const cluster& c, const std::string& order) {
  const auto found = c.state<Ticket>("ticket", order);
  return found ? found->status : "none";
}
Account account_of(const cluster& c, const std::string& customer) {
  return c.state<Account>("account", customer).value_or(Account{});
}
/// What an account must be, in the order of its members.
void expect_account(const cluster& c, const std::string& customer, cents balance, cents held, cents captured) {
  const auto a = account_of(c, customer);
  cents in_holds = 0;
  for (const auto& [order, amount] : a.held) in_holds += amount;
  EXPECT_EQ(a.balance, balance);
  EXPECT_EQ(in_holds, held);
  EXPECT_EQ(a.captured, captured);
  EXPECT_EQ(a.deposited, a.balance + in_holds + a.captured + a.withdrawn);
}
std::string reply_to(const pawl::testing::answer& a) {
  EXPECT_TRUE(a.took_effect()) << a.reason;
  const auto reply = a.reply_as<OrderStatus>();
  return reply ? reply->status : "no reply";
}

TEST(Checkout, AnOrderThatCanBePaidAndCookedIsApproved) {
  auto c = shop();
  (void)c.send("account", "ada", Deposit{10'000});
  EXPECT_EQ(reply_to(c.send("checkout", "o-1", PlaceOrder{.customer = "ada", .amount = 2'599})), "pending");
  EXPECT_EQ(c.timers("checkout", "o-1").size(), 1u);
  c.run();
  EXPECT_EQ(status(c, "o-1"), "approved");
  EXPECT_EQ(ticket_status(c, "o-1"), "confirmed");
  expect_account(c, "ada", 7'401, 0, 2'599);
  EXPECT_TRUE(c.timers("checkout", "o-1").empty());
  EXPECT_TRUE(c.dead_letters().empty());
}

TEST(Checkout, ARefusedCardRejectsTheTicketAndTheOrder) {
  for (bool blocked : {false, true}) {
    auto c = shop();
    (void)c.send("account", "ada", Deposit{blocked ? 10'000 : 2'598});
    if (blocked) (void)c.send("account", "ada", BlockCard{});
    (void)c.send("checkout", "o-1", PlaceOrder{.customer = "ada", .amount = 2'599});
    c.run();
    EXPECT_EQ(status(c, "o-1"), "rejected");
    EXPECT_EQ(c.state<Checkout>("checkout", "o-1")->reason, blocked ? "card blocked" : "insufficient funds");
    EXPECT_EQ(ticket_status(c, "o-1"), "rejected");
    expect_account(c, "ada", blocked ? 10'000 : 2'598, 0, 0);
    EXPECT_TRUE(c.timers("checkout", "o-1").empty());
    EXPECT_TRUE(c.dead_letters().empty());
  }
}

TEST(Checkout, AKitchenThatDeclinesGetsTheMoneyReleased) {
  auto c = shop();
  (void)c.send("account", "ada", Deposit{10'000});
  (void)c.send("checkout", "o-1", PlaceOrder{.customer = "ada", .amount = 2'599, .items = 51});
  c.run();
  EXPECT_EQ(status(c, "o-1"), "rejected");
  EXPECT_EQ(ticket_status(c, "o-1"), "declined");
  expect_account(c, "ada", 10'000, 0, 0);
  EXPECT_TRUE(c.dead_letters().empty());
}

TEST(Checkout, AnOrderThatIsNotApprovedInTimeExpiresAndIsRefunded) {
  // Nothing that is sent gets there before 2 ms have passed, or hardly ever before 1 ms has.
  bool expired = false;
  for (std::uint64_t seed = 1; seed <= 20 && !expired; ++seed) {
    auto c = shop({.seed = seed, .inject = {.delay = 1, .delay_max = 10s}});
    (void)c.send("account", "ada", Deposit{10'000});
    (void)c.send("checkout", "o-1", PlaceOrder{.customer = "ada", .amount = 2'599, .expires_ms = 1});
    c.run_to_end();
    if (status(c, "o-1") != "expired") continue;
    expired = true;
    EXPECT_EQ(ticket_status(c, "o-1"), "rejected");
    expect_account(c, "ada", 10'000, 0, 0);
    EXPECT_TRUE(c.dead_letters().empty());
  }
  EXPECT_TRUE(expired);
}

TEST(Checkout, APlacedOrderThatIsSentAgainDoesNotUndoItsCancellation) {
  auto c = shop();
  const PlaceOrder order{.customer = "ada", .amount = 2'599};
  (void)c.send("account", "ada", Deposit{10'000});
  (void)c.send("checkout", "o-1", order, {.id = "m-1"});
  EXPECT_EQ(reply_to(c.send("checkout", "o-1", CancelOrder{}, {.id = "m-2"})), "cancelled");
  // The copy gets the reply of old; one with another id is told how things stand. Neither changes anything.
  EXPECT_EQ(reply_to(c.send("checkout", "o-1", order, {.id = "m-1"})), "pending");
  EXPECT_EQ(reply_to(c.send("checkout", "o-1", order, {.id = "m-3"})), "cancelled");
  c.run_to_end();
  EXPECT_EQ(status(c, "o-1"), "cancelled");
  EXPECT_EQ(ticket_status(c, "o-1"), "rejected");
  expect_account(c, "ada", 10'000, 0, 0);
}

TEST(Checkout, AnOrderCancelledBeforeItIsPlacedStaysCancelled) {
  auto c = shop();
  EXPECT_EQ(reply_to(c.send("checkout", "o-1", CancelOrder{})), "cancelled");
  EXPECT_EQ(reply_to(c.send("checkout", "o-1", PlaceOrder{.customer = "ada", .amount = 1})), "cancelled");
  c.run_to_end();
  EXPECT_EQ(ticket_status(c, "o-1"), "none");
  EXPECT_FALSE(c.state<Account>("account", "ada"));
}

TEST(Checkout, AnApprovedOrderIsNotCancelledAnyMore) {
  auto c = shop();
  (void)c.send("account", "ada", Deposit{10'000});
  (void)c.send("checkout", "o-1", PlaceOrder{.customer = "ada", .amount = 2'599});
  c.run();
  EXPECT_EQ(reply_to(c.send("checkout", "o-1", CancelOrder{})), "approved");
  c.run_to_end();
  expect_account(c, "ada", 7'401, 0, 2'599);
}

TEST(Checkout, AnEndIsFinalWhoeverSaysOtherwise) {
  auto c = shop();
  (void)c.send("account", "ada", Deposit{10'000});
  (void)c.send("checkout", "o-1", PlaceOrder{.customer = "ada", .amount = 2'599});
  (void)c.send("checkout", "o-2", PlaceOrder{.customer = "ada", .amount = 1, .items = 51});
  c.run();
  const auto approved = c.state_bytes("checkout", "o-1");
  const auto rejected = c.state_bytes("checkout", "o-2");
  for (const auto* order : {"o-1", "o-2"}) {
    (void)c.send("checkout", order, OrderExpired{});
    (void)c.send("checkout", order, FundsHeld{});
    (void)c.send("checkout", order, TicketCreated{});
    (void)c.send("checkout", order, PaymentRefused{"late"});
    (void)c.send("checkout", order, TicketDeclined{"late"});
  }
  c.run_to_end();
  EXPECT_EQ(c.state_bytes("checkout", "o-1"), approved);
  EXPECT_EQ(c.state_bytes("checkout", "o-2"), rejected);
  EXPECT_EQ(ticket_status(c, "o-1"), "confirmed");
  expect_account(c, "ada", 7'401, 0, 2'599);
}

TEST(Checkout, WhatCannotBeIsRefused) {
  auto c = shop();
  const auto reason = [&](const PlaceOrder& m) { return c.send("checkout", "o-1", m).reason; };
  EXPECT_EQ(reason({.customer = "", .amount = 1}), "'customer' must have 1 to 256 bytes");
  EXPECT_EQ(reason({.customer = "ada", .amount = 0}), "'amount' is 0; it must be from 1 to 100000000000 cents");
  EXPECT_EQ(reason({.customer = "ada", .amount = 1, .items = 0}), "'items' is 0; it must be 1 or more");
  EXPECT_NE(reason({.customer = "ada", .amount = 1, .expires_ms = -1}), "");
  EXPECT_EQ(c.send("account", "ada", Deposit{-5}).kind, pawl::result_kind::refused);
  EXPECT_EQ(c.send("account", "ada", Withdraw{5}).reason, "the balance is 0 cents");
  EXPECT_FALSE(c.state<Checkout>("checkout", "o-1"));
  EXPECT_FALSE(c.state<Account>("account", "ada"));
}

TEST(Account, TakesNoMoreThanItCanCount) {
  auto c = shop();
  for (int n = 0; n < 10'000; ++n) ASSERT_TRUE(c.send("account", "ada", Deposit{amount_cents_max}).took_effect());
  EXPECT_EQ(c.send("account", "ada", Deposit{1}).reason, "the account takes no more deposits");
  EXPECT_EQ(account_of(c, "ada").deposited, account_cents_max);
}

// Everything at once: customers who share accounts, place, cancel, withdraw and have their cards blocked, while owners
// crash and messages are held up and repeated. Some orders expire within the delays.
TEST(Checkout, MoneyIsConservedAndEveryOrderEndsWhateverHappens) {
  std::map<std::string, std::uint64_t> ends;
  pawl::testing::counts sum;
  const std::vector<std::string> customers{"ada", "bob", "cy"};
  pawl::testing::for_each_seed(
      3'000,
      [&](std::uint64_t seed) {
        auto c = shop({.seed = seed, .inject = faults::frequent()});
        pawl::testing::chance draw{seed};
        for (const auto& who : customers) c.post("account", who, Deposit{10'000});
        c.advance(std::chrono::milliseconds{draw.below(300)});
        std::map<std::string, PlaceOrder> orders;
        for (int n = 1; n <= 6; ++n) {
          const auto order = "o-" + std::to_string(n);
          const PlaceOrder m{.customer = customers[draw.below(customers.size())],
                             .amount = static_cast<cents>(1 + draw.below(8'000)),
                             .items = static_cast<std::int64_t>(1 + draw.below(56)),
                             .expires_ms = draw.happens(0.3) ? draw.span_ms(400ms) : 900'000};
          orders.emplace(order, m);
          c.post("checkout", order, m, {.id = "place"});
          if (draw.happens(0.3)) c.advance(std::chrono::milliseconds{draw.below(400)});
          if (draw.happens(0.4)) c.post("checkout", order, CancelOrder{}, {.id = "cancel"});
          if (draw.happens(0.2)) c.post("checkout", order, m, {.id = "place-again"});
        }
        if (draw.happens(0.3)) c.post("account", "bob", BlockCard{});
        if (draw.happens(0.5)) c.post("account", "cy", Withdraw{static_cast<cents>(1 + draw.below(9'000))});
        c.run_to_end();

        std::map<std::string, cents> paid;
        for (const auto& [order, m] : orders) {
          const auto end = status(c, order);
          ++ends[end];
          const auto cooked = ticket_status(c, order);
          if (end == "approved") {
            paid[m.customer] += m.amount;
            EXPECT_EQ(cooked, "confirmed") << order;
          } else {
            EXPECT_TRUE(end == "rejected" || end == "cancelled" || end == "expired") << order << " is " << end;
            EXPECT_EQ(cooked, m.items > kitchen_items_max ? "declined" : "rejected") << order << " is " << end;
          }
          EXPECT_TRUE(c.timers("checkout", order).empty());
        }
        for (const auto& who : customers) {
          const auto a = account_of(c, who);
          EXPECT_EQ(a.deposited, 10'000);
          EXPECT_TRUE(a.held.empty());
          EXPECT_EQ(a.captured, paid[who]);
          EXPECT_EQ(a.deposited, a.balance + a.captured + a.withdrawn);
          EXPECT_GE(a.balance, 0);
        }
        EXPECT_TRUE(c.dead_letters().empty()) << c.dead_letters().front().reason;
        sum.crashes += c.happened().crashes;
        sum.copies += c.happened().copies;
        sum.lost_acks += c.happened().lost_acks;
      },
      [] { return ::testing::Test::HasFailure(); });
  if (std::getenv("PAWL_SEED") != nullptr) return;
  // Or nothing was shown.
  for (const auto* end : {"approved", "rejected", "cancelled", "expired"}) EXPECT_GT(ends[end], 500u) << end;
  EXPECT_GT(sum.crashes, 3'000u);
  EXPECT_GT(sum.copies, 3'000u);
  EXPECT_GT(sum.lost_acks, 3'000u);
}

}  // namespace
