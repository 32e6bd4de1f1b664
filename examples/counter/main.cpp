// The smallest whole program: one entity, one node of a cluster.
#include "actors/entity.hpp"
#include "actors/runtime.hpp"

struct Add {
  std::int64_t amount = 0;
  PAWL_MESSAGE(Add, amount)
};
struct Reset {
  PAWL_MESSAGE(Reset)
};
struct Counter {
  std::int64_t value = 0;
  PAWL_STATE(value)
};

int main(int argc, char** argv) {
  auto counter = pawl::entity<Counter>("counter")
                     .on([](Counter& c, const Add& m) { c.value += m.amount; })
                     .on([](Counter& c, const Reset&) { c.value = 0; });
  return pawl::run(argc, argv, {counter});
}
