#include "examples/order_workflow/checkout.hpp"

#include "examples/order_workflow/account.hpp"
#include "examples/order_workflow/ticket.hpp"

#include <chrono>

namespace order_workflow {
namespace {

constexpr const char* expiry = "expiry";

void check(const PlaceOrder& m, const pawl::context& ctx) {
  if (m.customer.empty() || m.customer.size() > pawl::limits::id_bytes)
    ctx.refuse("'customer' must have 1 to " + std::to_string(pawl::limits::id_bytes) + " bytes");
  if (!is_amount(m.amount))
    ctx.refuse("'amount' is " + std::to_string(m.amount) + "; it must be from 1 to " +
               std::to_string(amount_cents_max) + " cents");
  if (m.items < 1) ctx.refuse("'items' is " + std::to_string(m.items) + "; it must be 1 or more");
  if (m.expires_ms < 1 || m.expires_ms > expires_ms_max)
    ctx.refuse("'expires_ms' is " + std::to_string(m.expires_ms) + "; it must be from 1 to " +
               std::to_string(expires_ms_max));
}

/// Takes back whatever has been asked for. The account and the ticket were asked first, so they hear of this second,
/// whatever they have answered by now.
void give_up(Checkout& c, const char* status, pawl::context& ctx) {
  c.status = status;
  ctx.cancel(expiry);
  ctx.send("account", c.customer, ReleaseFunds{std::string{ctx.key()}});
  ctx.send("ticket", ctx.key(), RejectTicket{});
}

void approve_if_ready(Checkout& c, pawl::context& ctx) {
  if (!c.funds_held || !c.ticket_created) return;
  c.status = "approved";
  ctx.cancel(expiry);
  ctx.send("account", c.customer, CaptureFunds{std::string{ctx.key()}});
  ctx.send("ticket", ctx.key(), ConfirmTicket{});
}

void on_place(Checkout& c, const PlaceOrder& m, pawl::context& ctx) {
  check(m, ctx);
  // Placed again, under another id, or after it was cancelled: it stays what it is.
  if (c.status == "none") {
    c.status = "pending";
    c.customer = m.customer;
    c.amount = m.amount;
    c.items = m.items;
    ctx.send("account", c.customer, HoldFunds{std::string{ctx.key()}, c.amount});
    ctx.send("ticket", ctx.key(), CreateTicket{c.items});
    ctx.schedule(expiry, std::chrono::milliseconds{m.expires_ms}, OrderExpired{});
  }
  ctx.reply(OrderStatus{c.status});
}
void on_cancel(Checkout& c, const CancelOrder&, pawl::context& ctx) {
  if (c.status == "none") c.status = "cancelled";  // there is nothing to take back
  else if (c.status == "pending") give_up(c, "cancelled", ctx);
  ctx.reply(OrderStatus{c.status});
}

void on_funds_held(Checkout& c, const FundsHeld&, pawl::context& ctx) {
  if (c.status != "pending") return;
  c.funds_held = true;
  approve_if_ready(c, ctx);
}
void on_ticket_created(Checkout& c, const TicketCreated&, pawl::context& ctx) {
  if (c.status != "pending") return;
  c.ticket_created = true;
  approve_if_ready(c, ctx);
}
void on_payment_refused(Checkout& c, const PaymentRefused& m, pawl::context& ctx) {
  if (c.status != "pending") return;
  c.reason = m.reason;
  give_up(c, "rejected", ctx);
}
void on_ticket_declined(Checkout& c, const TicketDeclined& m, pawl::context& ctx) {
  if (c.status != "pending") return;
  c.reason = m.reason;
  give_up(c, "rejected", ctx);
}
void on_expired(Checkout& c, const OrderExpired&, pawl::context& ctx) {
  if (c.status == "pending") give_up(c, "expired", ctx);
}

}  // namespace

pawl::entity_type checkout() {
  return pawl::entity<Checkout>("checkout")
      .on(on_place)
      .on(on_cancel)
      .on(on_funds_held)
      .on(on_ticket_created)
      .on(on_payment_refused)
      .on(on_ticket_declined)
      .on(on_expired);
}

}  // namespace order_workflow
