#pragma once

#include "actors/message.hpp"
#include "tests/sim/timeline.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace pawl::sim {

class process;
class world;

/// Sends the messages of one key as a careful sender does: the next after the former is resolved, an unresolved one
/// again with the same id, to whichever node. And as the world does: copies at once through another node, old ids much
/// later.
class sender {
public:
  /// The latest that a copy comes out of some buffer.
  static inline constexpr span replay_max = 2s;

  sender(world& w, std::size_t number, std::string key);
  void start();
  [[nodiscard]] bool finished() const noexcept { return resolved_ == world_messages(); }
  [[nodiscard]] std::string describe() const;

private:
  [[nodiscard]] std::size_t world_messages() const noexcept;
  void next();
  void attempt();
  using numbers = std::vector<std::size_t>;
  using callback = std::function<void(const std::vector<message_result>&)>;
  void send(process& node, const numbers& which, callback done);
  void copy(const numbers& which);
  void on_result(std::uint64_t attempt, std::size_t number, result_kind kind);
  void conclude();
  void replay();
  void read();
  [[nodiscard]] std::string id(std::size_t n) const;

  world& world_;
  std::size_t number_;
  std::string key_;
  dice dice_;
  std::size_t resolved_ = 0;  ///< messages 0 … resolved_-1
  std::deque<std::size_t> open_;
  std::map<std::size_t, result_kind> results_;  ///< of the present attempt
  std::uint64_t attempt_ = 0;
  std::optional<std::size_t> last_;  ///< where the last attempt went, if it failed
  std::vector<unix_ms> sent_at_;
};

}  // namespace pawl::sim
