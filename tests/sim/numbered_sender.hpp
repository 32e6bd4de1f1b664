#pragma once

#include "actors/message.hpp"
#include "tests/sim/dice.hpp"
#include "tests/sim/timeline.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pawl::sim {

class world;

/// Sends the numbered messages of one journal as many senders would who share them out: several at once, in no order,
/// each again until it is resolved, through any node; and copies much later. Where gaps are passed, some numbers are
/// never sent. After a rollback of the store it sends all of them once more.
class numbered_sender {
public:
  numbered_sender(world& w, std::size_t number, std::string key);
  void start();
  [[nodiscard]] bool finished() const noexcept;
  [[nodiscard]] std::string describe() const;

private:
  void next();
  void send(const std::vector<std::size_t>& which);
  [[nodiscard]] std::vector<std::size_t> open() const;

  world& world_;
  std::string key_;
  dice dice_;
  std::vector<bool> resolved_;  ///< by number - 1; those never sent are
  std::vector<unix_ms> sent_at_;
  std::vector<std::size_t> never_;
  std::optional<std::size_t> last_node_;
  std::uint64_t rollbacks_ = 0;
  std::uint64_t in_vain_ = 0;  ///< attempts since something was resolved
};

}  // namespace pawl::sim
