#include "examples/order_workflow/ticket.hpp"

#include "examples/order_workflow/checkout.hpp"

namespace order_workflow {
namespace {

void on_create(Ticket& t, const CreateTicket& m, pawl::context& ctx) {
  if (t.status != "none") ctx.refuse("the ticket is " + t.status);
  t.items = m.items;
  if (m.items > kitchen_items_max) {
    t.status = "declined";
    ctx.send("checkout", ctx.key(), TicketDeclined{"too much for the kitchen"});
  } else {
    t.status = "created";
    ctx.send("checkout", ctx.key(), TicketCreated{});
  }
}
void on_confirm(Ticket& t, const ConfirmTicket&, pawl::context& ctx) {
  if (t.status != "created") ctx.refuse("the ticket is " + t.status);
  t.status = "confirmed";
}
/// Also comes for a ticket that the kitchen has declined meanwhile.
void on_reject(Ticket& t, const RejectTicket&, pawl::context& ctx) {
  if (t.status == "declined") return;
  if (t.status != "created") ctx.refuse("the ticket is " + t.status);
  t.status = "rejected";
}

}  // namespace

pawl::entity_type ticket() { return pawl::entity<Ticket>("ticket").on(on_create).on(on_confirm).on(on_reject); }

}  // namespace order_workflow
