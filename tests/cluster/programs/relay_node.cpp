// A node of sources and sinks: a source sends the number of each message on to a sink, or has a timer bring it back.
// And of journals, whose messages are numbered.
#include "actors/entity.hpp"
#include "actors/runtime.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace {

struct Number {
  std::uint64_t n = 0;
  PAWL_MESSAGE(Number, n)
};
struct Emit {
  std::uint64_t n = 0;
  std::string to;
  PAWL_MESSAGE(Emit, n, to)
};
struct Alarm {
  std::uint64_t n = 0;
  PAWL_MESSAGE(Alarm, n)
};
struct Ring {
  std::uint64_t n = 0;
  PAWL_MESSAGE(Ring, n)
};
struct Numbers {
  std::vector<std::uint64_t> taken;
  std::vector<std::uint64_t> rung;
  PAWL_STATE(taken, rung)
};

}  // namespace

int main(int argc, char** argv) {
  auto source = pawl::entity<Numbers>("source")
                    .on([](Numbers& s, const Emit& m, pawl::context& ctx) {
                      s.taken.push_back(m.n);
                      ctx.send("sink", m.to, Number{m.n});
                    })
                    .on([](Numbers& s, const Alarm& m, pawl::context& ctx) {
                      s.taken.push_back(m.n);
                      ctx.schedule("alarm-" + std::to_string(m.n), std::chrono::milliseconds{20}, Ring{m.n});
                    })
                    .on([](Numbers& s, const Ring& m) { s.rung.push_back(m.n); });
  auto sink = pawl::entity<Numbers>("sink").on([](Numbers& s, const Number& m) { s.taken.push_back(m.n); });
  auto journal =
      pawl::entity<Numbers>("journal").sequenced().on([](Numbers& s, const Number& m) { s.taken.push_back(m.n); });
  return pawl::run(argc, argv, {source, sink, journal});
}
