// The hand-written side of the comparison; see stream_consumer.hpp. Orders it takes:
//
//   fill     applies a workload by a short cut, before the clock starts
//   load     sends a workload through the streams
//   check    compares every order with what it must be
#include "tests/bench/streams_program.hpp"

#include "tests/bench/dialogue.hpp"
#include "tests/bench/stream_system.hpp"

#include <CLI/CLI.hpp>

namespace pawl::bench {

using json = nlohmann::json;

int streams_program(int argc, char** argv) {
  stream_system::setup s;
  CLI::App app{"A hand-written consumer on Redis Streams; takes orders on standard input"};
  app.add_option("--redis-socket", s.socket, "unix socket of an empty Redis")->required();
  app.add_option("--streams", s.streams, "messages are spread over")->capture_default_str();
  app.add_option("--consumers", s.consumers, "threads, each with a connection")->capture_default_str();
  app.add_option("--count", s.read_messages, "messages per stream and read")->capture_default_str();
  app.add_flag("--pipelined", s.pipelined, "all scripts of a read in one pipeline; else one round trip each");
  CLI11_PARSE(app, argc, argv);

  stream_system system{s};
  dialogue orders;
  orders.on("fill", [&](const json& asked) {
    system.fill(workload{workload_asked(asked)});
    return json::object();
  });
  orders.on("load", [&](const json& asked) { return system.run(workload_asked(asked), load_asked(asked)); });
  orders.on("check", [&](const json&) { return json{{"orders", system.check()}}; });
  orders.serve(json::object());
  return 0;
}

}  // namespace pawl::bench
