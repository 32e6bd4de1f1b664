#pragma once

#include "actors/entity.hpp"

#include <cstdint>
#include <string>

/// What the kitchen has to cook for one order.
namespace order_workflow {

// From the order's checkout.
struct CreateTicket {
  std::int64_t items = 0;
  PAWL_MESSAGE(CreateTicket, items)
};
struct ConfirmTicket {
  PAWL_MESSAGE(ConfirmTicket)
};
struct RejectTicket {
  PAWL_MESSAGE(RejectTicket)
};

/// More is too much for the kitchen.
inline constexpr std::int64_t kitchen_items_max = 50;

struct Ticket {
  std::string status = "none";  ///< none, created; confirmed, rejected and declined (by the kitchen) are final
  std::int64_t items = 0;
  PAWL_STATE(status, items)
};

/// The entity type "ticket"; its key is the order.
[[nodiscard]] pawl::entity_type ticket();

}  // namespace order_workflow
