#pragma once

#include "tests/bench/flow.hpp"
#include "tests/bench/ledger.hpp"
#include "tests/bench/load.hpp"
#include "tests/bench/outcomes.hpp"
#include "tests/bench/stream_consumer.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace pawl::bench {

/// The hand-written system: a producer that spreads messages over streams by key, and a thread for each consumer.
class stream_system {
public:
  struct setup {
    std::string socket;
    std::uint32_t streams = 8;
    std::uint32_t consumers = 8;
    bool pipelined = false;
    std::size_t read_messages = 64;
  };
  /// Creates streams and consumer groups in an empty store.
  explicit stream_system(const setup& s);

  /// Applies a workload by a short cut: states and ids are written in bulk, as if its messages had been handled. For
  /// what comes before the clock starts.
  void fill(const workload& w);
  /// Sends a workload and waits until all of it is done. @returns as `door_load::run`
  [[nodiscard]] nlohmann::json run(const workload_options& w, const load_options& l);
  /// Compares every order with what it must be. @throws std::runtime_error if one is wrong or a message is pending
  std::size_t check();

private:
  [[nodiscard]] std::uint32_t stream_of(std::string_view key) const;
  [[nodiscard]] stream_consumer& consumer_of(std::uint32_t stream) { return *consumers_[stream % consumers_.size()]; }

  setup setup_;
  redis_client server_;
  std::vector<std::string> stream_names_;
  std::vector<std::unique_ptr<stream_consumer>> consumers_;
  ledger book_;
};

}  // namespace pawl::bench
