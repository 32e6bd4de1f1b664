#include "actors/runtime.hpp"
#include "examples/order_workflow/order.hpp"

int main(int argc, char** argv) { return pawl::run(argc, argv, {order_workflow::order()}); }
