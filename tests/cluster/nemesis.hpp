#pragma once

#include "tests/cluster/test_cluster.hpp"

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace pawl::testing {

/// Something that fails for a while.
struct fault {
  enum class kind : std::uint8_t {
    killed,           ///< SIGKILL; started again under its name at the end
    drained,          ///< SIGTERM; started again
    killed_draining,  ///< SIGTERM, and SIGKILL at the end if it is still there; started again
    stopped,          ///< SIGSTOP … SIGCONT
    cut_off,          ///< from all peers, silently
    refused,          ///< by all peers
    deaf,             ///< what peers send does not arrive
    mute,             ///< what it sends to peers does not arrive
    cut_from_one,     ///< from `other`, silently
    deaf_to_one,      ///< what `other` sends does not arrive
    cut_from_redis,
    redis_killed,  ///< SIGKILL; started again
    redis_stopped,
  };
  kind what{};
  std::chrono::milliseconds at{};  ///< since the beginning
  std::chrono::milliseconds length{};
  std::string victim;  ///< a node, or redis
  std::string other;
};
[[nodiscard]] std::string_view to_string(fault::kind what) noexcept;
std::ostream& operator<<(std::ostream& out, const fault& f);

/// Faults one after the other, at most two at a time and never two of one victim, decided by the seed alone. Their
/// lengths lie around the lease: well below, close to it, and beyond.
[[nodiscard]] std::vector<fault> make_schedule(unsigned seed, const std::vector<std::string>& nodes,
                                               std::chrono::milliseconds lease, std::chrono::milliseconds length);

/// Does to a cluster what a schedule says, and starts nodes again as a supervisor would. The cluster must be `wired`.
class nemesis {
public:
  nemesis(test_cluster& cluster, std::vector<std::string> nodes) : cluster_(cluster), nodes_(std::move(nodes)) {}

  /// Returns when all faults are over and all nodes take requests.
  /// @throws std::runtime_error if a node ends that was not told to, but for one that gives up before it is a member
  void carry_out(const std::vector<fault>& schedule);

  [[nodiscard]] const std::map<std::string_view, int>& faults() const noexcept { return faults_; }
  /// Nodes that could not start, for want of Redis or because their name seemed to be in use, and were started again.
  [[nodiscard]] int failed_starts() const noexcept { return failed_starts_; }

private:
  void begin(const fault& f);
  void end(const fault& f);
  void supervise(const std::string& node);
  [[nodiscard]] bool all_take_requests();
  [[nodiscard]] std::vector<std::string> others(const std::string& node) const;

  test_cluster& cluster_;
  std::vector<std::string> nodes_;
  std::map<std::string_view, int> faults_;
  std::set<std::string> end_explained_;  ///< they are told to end, or known to have failed to start
  std::set<std::string> held_down_;      ///< not to be started again yet
  std::set<std::string> without_redis_;  ///< cannot start
  bool redis_away_ = false;
  int failed_starts_ = 0;
};

}  // namespace pawl::testing
