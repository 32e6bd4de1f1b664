#pragma once

#include "actors/ingress.hpp"
#include "tests/bench/flow.hpp"
#include "tests/bench/ledger.hpp"
#include "tests/bench/load.hpp"
#include "tests/bench/outcomes.hpp"

#include <nlohmann/json_fwd.hpp>

#include <array>
#include <atomic>
#include <chrono>

namespace pawl::bench {

/// Gives a workload to an in-process door, as a program that embeds a node would. Everything of it runs before the
/// clock starts, but for what any sender must do per message: put its words together and hand them in.
class door_load {
public:
  door_load(ingress& door, workload w, load_options l);

  /// Sends it all and waits until everything is answered.
  /// @returns seconds, rate of resolved messages, latency, and what was turned away and why
  [[nodiscard]] nlohmann::json run();
  /// Adds to the ledger what took effect.
  /// @throws std::runtime_error if an outcome is not known, or is not what it must be
  void enter_in(ledger& book) const;
  /// Of an order, encoded.
  [[nodiscard]] std::size_t state_bytes() const;

private:
  [[nodiscard]] std::size_t next_batch(std::size_t at);
  void submit(std::size_t at, std::size_t n, unix_ms stamp);

  ingress& door_;
  workload work_;
  load_options options_;
  workload::words words_;
  outcomes outcomes_;
  flow under_way_;
  pace pace_;
  std::chrono::nanoseconds late_{};  ///< by how much messages were handed in after they were due, at most
  std::atomic<std::uint64_t> unknown_{0};
  std::array<std::atomic<std::uint64_t>, 32> reasons_{};  ///< of those turned away, by reason_code
};

/// Reads every order through the door.
/// @throws std::runtime_error saying how many are not as they must be
void check_orders(ingress& door, const ledger& book);

}  // namespace pawl::bench
