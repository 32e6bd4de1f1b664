// Senders over HTTP, outside of the node they send to, so that each process's CPU is its own. Orders it takes:
//
//   load     gives a workload to the door
//   check    reads every order of the last load through the door
#include "tests/bench/http_program.hpp"

#include "tests/bench/dialogue.hpp"
#include "tests/bench/http_load.hpp"

#include <CLI/CLI.hpp>

namespace pawl::bench {

using json = nlohmann::json;

int http_program(int argc, char** argv) {
  std::uint16_t port = 0;
  CLI::App app{"Senders over HTTP; takes orders on standard input"};
  app.add_option("--port", port, "of the node's door")->required();
  CLI11_PARSE(app, argc, argv);

  std::unique_ptr<http_load> last;
  dialogue orders;
  orders.on("load", [&](const json& asked) {
    last = std::make_unique<http_load>(port, workload_asked(asked), load_asked(asked), asked.value("senders", 8U));
    return last->run();
  });
  orders.on("check", [&](const json&) {
    if (!last) throw std::runtime_error("nothing was sent");
    return json{{"orders", last->check()}};
  });
  orders.serve(json::object());
  return 0;
}

}  // namespace pawl::bench
