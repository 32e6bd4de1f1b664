#include "examples/order_workflow/order.hpp"

namespace order_workflow {
namespace {

/// What every event does.
void record(Order& o, const pawl::context& ctx, const char* status) {
  if (o.status != "cancelled") o.status = status;
  ++o.events;
  o.chain = next_link(o.chain, ctx.message_id());
}

void on_purchased(Order& o, const OrderPurchased& e, pawl::context& ctx) {
  o.customer = e.customer;
  o.purchased_at = e.at;
  record(o, ctx, "purchased");
}
void on_approved(Order& o, const OrderApproved& e, pawl::context& ctx) {
  o.approved_at = e.at;
  record(o, ctx, "approved");
}
void on_shipped(Order& o, const OrderShipped& e, pawl::context& ctx) {
  o.shipped_at = e.at;
  record(o, ctx, "shipped");
}
void on_delivered(Order& o, const OrderDelivered& e, pawl::context& ctx) {
  o.delivered_at = e.at;
  record(o, ctx, "delivered");
}
void on_cancelled(Order& o, const OrderCancelled& e, pawl::context& ctx) {
  o.cancelled_at = e.at;
  o.cancel_reason = e.reason;
  record(o, ctx, "cancelled");
}

}  // namespace

std::string next_link(std::string_view chain, std::string_view message_id) {
  std::uint64_t h = 0xcbf29ce484222325;
  for (auto part : {chain, message_id})
    for (unsigned char c : part) h = (h ^ c) * 0x100000001b3;
  std::string link(16, '0');
  for (auto digit = link.rbegin(); digit != link.rend(); ++digit, h >>= 4) *digit = "0123456789abcdef"[h & 0xf];
  return link;
}

pawl::entity_type order() {
  return pawl::entity<Order>("order").on(on_purchased).on(on_approved).on(on_shipped).on(on_delivered).on(on_cancelled);
}

}  // namespace order_workflow
