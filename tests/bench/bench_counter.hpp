#pragma once

#include "actors/entity.hpp"

#include <cstdint>
#include <string>

/// The entity of the part `workflow` that counts what comes to it, and passes on what it is told to.
namespace pawl::bench {

struct Count {
  std::string note;  ///< only makes the message as large as others
  PAWL_MESSAGE(Count, note)
};
struct Pass {
  std::string to;  ///< counter that is sent `Count{note}`
  std::string note;
  PAWL_MESSAGE(Pass, to, note)
};

struct Counter {
  std::uint64_t counted = 0;
  std::uint64_t passed = 0;
  PAWL_STATE(counted, passed)
};

/// The entity type "counter".
[[nodiscard]] inline entity_type bench_counter() {
  return entity<Counter>("counter")
      .on([](Counter& c, const Count&) { ++c.counted; })
      .on([](Counter& c, const Pass& m, context& ctx) {
        ++c.passed;
        ctx.send("counter", m.to, Count{m.note});
      });
}

[[nodiscard]] inline std::string counter_key(std::size_t counter) { return "c-" + std::to_string(counter); }

/// As other messages of the benchmarks: some 180 bytes of payload.
[[nodiscard]] inline std::string counter_note() { return std::string(160, 'n'); }

}  // namespace pawl::bench
