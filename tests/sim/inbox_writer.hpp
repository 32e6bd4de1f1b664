#pragma once

#include "tests/sim/dice.hpp"
#include "tests/sim/timeline.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pawl::sim {

class world;

/// A client of the store that puts the messages of one key into the inbox of their shard, one after the other. When it
/// does not hear whether an entry was added, it adds it again under the same id; and old ids come once more much later.
class inbox_writer {
public:
  inbox_writer(world& w, std::size_t number, std::string key);
  void start();
  [[nodiscard]] bool finished() const noexcept { return finished_; }
  [[nodiscard]] std::string describe() const;

private:
  void next();
  void add(std::size_t n);
  [[nodiscard]] std::string id(std::size_t n) const;

  world& world_;
  std::size_t number_;
  std::string key_;
  dice dice_;
  std::size_t added_ = 0;  ///< messages 0 … added_-1
  bool finished_ = false;
  std::vector<unix_ms> sent_at_;
};

}  // namespace pawl::sim
