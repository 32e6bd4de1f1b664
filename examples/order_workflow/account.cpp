#include "examples/order_workflow/account.hpp"

#include "examples/order_workflow/checkout.hpp"

namespace order_workflow {
namespace {

void check(cents amount, const pawl::context& ctx) {
  if (!is_amount(amount))
    ctx.refuse("'amount' is " + std::to_string(amount) + "; it must be from 1 to " + std::to_string(amount_cents_max) +
               " cents");
}

void on_deposit(Account& a, const Deposit& m, pawl::context& ctx) {
  check(m.amount, ctx);
  if (a.deposited > account_cents_max - m.amount) ctx.refuse("the account takes no more deposits");
  a.deposited += m.amount;
  a.balance += m.amount;
  ctx.reply(AccountBalance{a.balance});
}
void on_withdraw(Account& a, const Withdraw& m, pawl::context& ctx) {
  check(m.amount, ctx);
  if (m.amount > a.balance) ctx.refuse("the balance is " + std::to_string(a.balance) + " cents");
  a.balance -= m.amount;
  a.withdrawn += m.amount;
  ctx.reply(AccountBalance{a.balance});
}
void on_block_card(Account& a, const BlockCard&, pawl::context& ctx) {
  a.blocked = true;
  ctx.reply(AccountBalance{a.balance});
}

void on_hold(Account& a, const HoldFunds& m, pawl::context& ctx) {
  check(m.amount, ctx);
  if (a.held.contains(m.order)) ctx.refuse("money is held for order '" + m.order + "' already");
  // That an order cannot be paid is no error of its message but an outcome, which its checkout must hear of.
  if (a.blocked) return ctx.send("checkout", m.order, PaymentRefused{"card blocked"});
  if (m.amount > a.balance) return ctx.send("checkout", m.order, PaymentRefused{"insufficient funds"});
  a.balance -= m.amount;
  a.held.emplace(m.order, m.amount);
  ctx.send("checkout", m.order, FundsHeld{});
}
void on_capture(Account& a, const CaptureFunds& m, pawl::context& ctx) {
  const auto hold = a.held.find(m.order);
  if (hold == a.held.end()) ctx.refuse("nothing is held for order '" + m.order + "'");
  a.captured += hold->second;
  a.held.erase(hold);
}
/// A checkout that gives up does not know yet whether anything is held. It has asked for it before, and messages
/// between two shards keep their order: what is not held now never will be.
void on_release(Account& a, const ReleaseFunds& m) {
  const auto hold = a.held.find(m.order);
  if (hold == a.held.end()) return;
  a.balance += hold->second;
  a.held.erase(hold);
}

}  // namespace

pawl::entity_type account() {
  return pawl::entity<Account>("account")
      .on(on_deposit)
      .on(on_withdraw)
      .on(on_block_card)
      .on(on_hold)
      .on(on_capture)
      .on(on_release);
}

}  // namespace order_workflow
