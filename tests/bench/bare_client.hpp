#pragma once

#include "tests/bench/recorder.hpp"

#include <string>
#include <vector>

namespace pawl::bench {

/// Sends the same commits over one connection, `window` of them under way at a time: no decisions, no ids, no ordering,
/// no handlers. What any client could reach at most. Returns the seconds it took.
[[nodiscard]] double send_bare(const std::string& socket, const std::vector<recorded_commit>& commits,
                               std::size_t window);

}  // namespace pawl::bench
