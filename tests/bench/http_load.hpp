#pragma once

#include "tests/bench/door_connections.hpp"
#include "tests/bench/ledger.hpp"
#include "tests/bench/load.hpp"
#include "tests/bench/outcomes.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pawl::bench {

/// Gives workloads to a node's HTTP door: several senders, each with orders of its own and one batch under way at a
/// time over a connection that is kept alive. All of them are one thread.
class http_load {
public:
  /// Sender i has the prefix `<prefix><i>-` and an equal share of orders and messages.
  http_load(std::uint16_t port, const workload_options& w, const load_options& l, std::uint32_t senders);

  /// Sends it all and waits for the answers. What is turned away is given up, not sent again.
  /// @returns as `door_load::run`, with the kinds of refusal by status or result
  [[nodiscard]] nlohmann::json run();
  /// Reads every order and compares it with what its applied messages make of it.
  /// @throws std::runtime_error if one is wrong
  std::size_t check();

private:
  struct sender {
    explicit sender(const workload_options& w) : work(w), words(work), results(work.events().size()) {}
    workload work;
    workload::words words;
    outcomes results;
    std::size_t sent = 0;
    std::size_t under_way = 0;
    bench_clock::time_point since{};
  };
  void send(std::size_t index);
  void take(sender& s, int status, std::string_view body);

  std::uint16_t port_;
  door_connections* connections_ = nullptr;  ///< while it runs
  load_options options_;
  std::vector<std::unique_ptr<sender>> senders_;
  std::vector<std::string> payloads_;
  std::string stamp_, body_;
  std::map<std::string, std::uint64_t> turned_away_;
};

}  // namespace pawl::bench
