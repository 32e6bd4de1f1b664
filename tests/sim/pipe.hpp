#pragma once

#include "tests/sim/timeline.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

namespace pawl::sim {

/// The process that holds the store, as far as connections to it are concerned.
struct server {
  std::uint64_t process = 1;  ///< another number after a restart: what was on its way to the former one is gone
  bool up = true;
  bool frozen = false;
  std::vector<timeline::action> arrived;  ///< while it was frozen, in order
};

/// One connection of a node to the server: commands are executed and answered in order, some time later. When it
/// breaks, what was sent is lost, or executed late after all; no reply comes any more either way. Made again by itself.
class pipe {
public:
  using deliver = std::function<void(timeline::action)>;
  /// Runs at the server; what it returns runs at the node, as the reply.
  using execution = std::function<timeline::action()>;

  pipe(timeline& time, server& at, dice d, deliver to_node, std::function<void(std::uint64_t)> on_connection);
  ~pipe() { abandon(); }
  pipe(const pipe&) = delete;
  pipe& operator=(const pipe&) = delete;

  void connect();
  [[nodiscard]] std::uint64_t number() const noexcept { return connection_ ? connection_->number : 0; }
  /// Only while connected. `lost` runs at the node instead of the reply, when it is clear that none will come.
  void call(execution execute, timeline::action lost);
  void break_off();
  /// While cut, nothing passes either way.
  void cut(bool on);

  static inline constexpr span timeout = 400ms;

private:
  struct pending {
    timeline::action lost;
    bool answered = false;
  };
  struct connection {
    std::uint64_t number;
    std::uint64_t process;
    bool open = true;
    bool stalled = false;  ///< a reply was swallowed: none can come any more
    bool dropped = false;  ///< broken, and what was on its way is gone
    span late{0};          ///< broken, and what was on its way comes so much later
    span executed{0}, replied{0};
    std::deque<std::shared_ptr<pending>> sent;
  };
  void arrive(const std::shared_ptr<connection>& c, const std::shared_ptr<pending>& p, const execution& execute,
              bool delayed);
  void abandon();
  [[nodiscard]] span latency();

  timeline& time_;
  server& server_;
  dice dice_;
  deliver deliver_;
  std::function<void(std::uint64_t)> on_connection_;
  std::shared_ptr<connection> connection_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::vector<timeline::action> held_;  ///< on their way into a cut
  bool cut_ = false;
  bool connecting_ = false;
  std::uint64_t numbers_ = 0;
};

}  // namespace pawl::sim
