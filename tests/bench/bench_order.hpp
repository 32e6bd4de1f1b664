#pragma once

#include "actors/entity.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// The entity that every side of a comparison applies the same messages to: through Pawl, or by hand. State, codec and
/// handler are the same code, so that only the machinery around them differs.
namespace pawl::bench {

struct OrderEvent {
  std::string status;
  std::int64_t amount = 0;
  std::string note;            ///< the last one is kept: sizes of messages and states go together
  std::uint32_t pause_us = 0;  ///< how long the handler sleeps, for measuring what a slow one does to others
  PAWL_MESSAGE(OrderEvent, status, amount, note, pause_us)
};

struct OrderState {
  std::string status;
  std::string note;
  std::int64_t total = 0;
  std::uint64_t count = 0;
  std::string chain = "0000000000000000";  ///< over the ids applied, in their order, as in examples/order_workflow
  PAWL_STATE(status, note, total, count, chain)
};

void apply(OrderState& o, const OrderEvent& e, std::string_view message_id);

/// The entity type "order" made of them.
[[nodiscard]] entity_type bench_order();

}  // namespace pawl::bench
