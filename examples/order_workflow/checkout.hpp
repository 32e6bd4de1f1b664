#pragma once

#include "actors/entity.hpp"
#include "examples/order_workflow/money.hpp"

#include <cstdint>
#include <string>

/// The checkout of one order: a saga over the customer's account and the kitchen's ticket.
///
///                      ┌─ HoldFunds ───▶ account ─ FundsHeld | PaymentRefused ──┐
///     PlaceOrder ─▶ pending                                                     ├─▶ both there: approved
///                      └─ CreateTicket ▶ ticket ── TicketCreated | TicketDeclined ┘
///
///     approved   CaptureFunds, ConfirmTicket
///     rejected   payment refused or ticket declined: ReleaseFunds, RejectTicket
///     cancelled  CancelOrder while pending: the same
///     expired    not approved in time: the same
///
/// These four are final. Whatever comes later, a copy of an old message or the answer to a question that does not
/// matter any more, changes nothing.
namespace order_workflow {

// From customers.
struct PlaceOrder {
  std::string customer;
  cents amount = 0;
  std::int64_t items = 1;
  std::int64_t expires_ms = 15 * 60 * 1000;  ///< to be approved within this time
  PAWL_MESSAGE(PlaceOrder, customer, amount, items, expires_ms)
};
struct CancelOrder {
  PAWL_MESSAGE(CancelOrder)
};

// From the account and the ticket.
struct FundsHeld {
  PAWL_MESSAGE(FundsHeld)
};
struct PaymentRefused {
  std::string reason;
  PAWL_MESSAGE(PaymentRefused, reason)
};
struct TicketCreated {
  PAWL_MESSAGE(TicketCreated)
};
struct TicketDeclined {
  std::string reason;
  PAWL_MESSAGE(TicketDeclined, reason)
};

/// From the checkout's timer.
struct OrderExpired {
  PAWL_MESSAGE(OrderExpired)
};

struct Checkout {
  std::string status = "none";  ///< none, pending; approved, rejected, cancelled and expired are final
  std::string customer;         ///< empty: it was cancelled before it was placed
  cents amount = 0;
  std::int64_t items = 0;
  bool funds_held = false;
  bool ticket_created = false;
  std::string reason;  ///< of a rejection
  PAWL_STATE(status, customer, amount, items, funds_held, ticket_created, reason)
};

/// Reply to PlaceOrder and CancelOrder: what the order is after it.
struct OrderStatus {
  std::string status;
  PAWL_FIELDS(status)
};

inline constexpr std::int64_t expires_ms_max = 7ll * 24 * 60 * 60 * 1000;

/// The entity type "checkout"; its key is the order.
[[nodiscard]] pawl::entity_type checkout();

}  // namespace order_workflow
