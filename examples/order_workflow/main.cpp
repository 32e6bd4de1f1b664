#include "actors/runtime.hpp"
#include "examples/order_workflow/account.hpp"
#include "examples/order_workflow/checkout.hpp"
#include "examples/order_workflow/order.hpp"
#include "examples/order_workflow/ticket.hpp"

int main(int argc, char** argv) {
  using namespace order_workflow;
  return pawl::run(argc, argv, {order(), checkout(), account(), ticket()});
}
