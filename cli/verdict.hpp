#pragma once

#include "cli/cluster_picture.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pawl::cli {

/// Ordered: of two, the later one is the worse.
enum class health : std::uint8_t {
  healthy,
  degraded,     ///< works, with less reserve than it should have, or is on its way from one state to another
  failed,       ///< some messages have not been served for longer than any takeover should take
  unreachable,  ///< no node answers: nothing is known
};
[[nodiscard]] std::string_view to_string(health h) noexcept;

struct reason {
  health level = health::degraded;
  std::string code;  ///< stable, for programs: `node_silent`, `shards_unserved`, …
  std::string text;  ///< for people; may hold what others wrote, so it is not yet fit for a terminal
};

struct verdict {
  health level = health::healthy;
  std::vector<reason> reasons;     ///< the worst first
  std::vector<std::string> notes;  ///< worth knowing, nothing to worry about
};

/// A shard that is not served for longer than this is not on its way from one owner to the next.
inline constexpr std::chrono::seconds unserved_failed_after{10};

/// Judges a cluster by what its nodes say. Pure: no I/O, no clock.
[[nodiscard]] verdict judge(const cluster_picture& p);

/// The same for one shard of it. @pre a node answered, and `shard` is below its number of shards
[[nodiscard]] verdict judge_shard(const cluster_picture& p, std::uint32_t shard);

/// `3, 7, 9` and at most a dozen.
[[nodiscard]] std::string numbers_text(const std::vector<std::uint32_t>& numbers);

}  // namespace pawl::cli
