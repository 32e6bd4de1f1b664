#pragma once

#include "tests/bench/workload.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>

namespace pawl::bench {

/// How a workload is given to what is measured.
struct load_options {
  double rate = 0;             ///< messages per second, due at fixed times; 0: as fast as the window allows
  std::size_t window = 4'096;  ///< messages handed in and not answered; with a rate: no bound
  std::size_t batch = 256;     ///< messages handed in at once, at most
};

/// From an order's JSON; what it lacks keeps its default.
[[nodiscard]] workload_options workload_asked(const nlohmann::json& asked);
[[nodiscard]] load_options load_asked(const nlohmann::json& asked);

}  // namespace pawl::bench
