#include "tests/bench/bench_order.hpp"

#include "examples/order_workflow/order.hpp"

#include <chrono>
#include <thread>

namespace pawl::bench {

void apply(OrderState& o, const OrderEvent& e, std::string_view message_id) {
  if (e.pause_us != 0) std::this_thread::sleep_for(std::chrono::microseconds{e.pause_us});
  o.status = e.status;
  o.note = e.note;
  o.total += e.amount;
  ++o.count;
  o.chain = order_workflow::next_link(o.chain, message_id);
}

entity_type bench_order() {
  return entity<OrderState>("order").on(
      [](OrderState& o, const OrderEvent& e, context& ctx) { apply(o, e, ctx.message_id()); });
}

}  // namespace pawl::bench
