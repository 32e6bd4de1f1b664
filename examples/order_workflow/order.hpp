#pragma once

#include "actors/entity.hpp"

#include <cstdint>
#include <string>

/// An order and the events of its life. Times are text as in the input, e.g. 2017-10-02T10:56.
namespace order_workflow {

struct OrderPurchased {
  std::string customer;
  std::string at;
  PAWL_MESSAGE(OrderPurchased, customer, at)
};
struct OrderApproved {
  std::string at;
  PAWL_MESSAGE(OrderApproved, at)
};
struct OrderShipped {
  std::string at;
  PAWL_MESSAGE(OrderShipped, at)
};
struct OrderDelivered {
  std::string at;
  PAWL_MESSAGE(OrderDelivered, at)
};
struct OrderCancelled {
  std::string reason;
  std::string at;
  PAWL_MESSAGE(OrderCancelled, reason, at)
};

struct Order {
  std::string status = "none";  ///< none, purchased, approved, shipped, delivered; cancelled is final
  std::string customer;
  std::string purchased_at;
  std::string approved_at;
  std::string shipped_at;
  std::string delivered_at;
  std::string cancelled_at;
  std::string cancel_reason;
  std::uint64_t events = 0;  ///< how many took effect, also those that came after a cancellation
  /// Hash over the ids of all events that took effect, in their order: equal to the one computed from the input only
  /// if none was lost, none applied twice and none out of order. See `next_link`.
  std::string chain = "0000000000000000";
  PAWL_STATE(status, customer, purchased_at, approved_at, shipped_at, delivered_at, cancelled_at, cancel_reason, events,
             chain)
};

/// FNV-1a (64 bits) over the 16 characters of `chain` and then the bytes of `message_id`, as 16 lowercase hex digits.
[[nodiscard]] std::string next_link(std::string_view chain, std::string_view message_id);

/// The entity type "order". Follows the events as they come and refuses none: the sender decides what happens to an
/// order. Only a cancellation is final: later events leave their times, but not their status.
[[nodiscard]] pawl::entity_type order();

}  // namespace order_workflow
