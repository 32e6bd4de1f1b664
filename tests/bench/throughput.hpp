#pragma once

namespace pawl::bench {

/// Messages per second through the in-process door, beside the same commits sent by a bare client. Returns the exit
/// status.
[[nodiscard]] int throughput(int argc, char** argv);

}  // namespace pawl::bench
