#pragma once

#include "persistence/message_digest.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace pawl {

/// A flat hash set of digests, equal by their id part (96 bits); what lies behind is a kept open-addressing set.
/// Digests come from a keyed hash, so their own bytes are the hash: no sender can make them collide.
class id_set {
public:
  id_set();
  ~id_set();
  id_set(id_set&&) noexcept;
  id_set& operator=(id_set&&) noexcept;

  /// Null if no digest with that id part is in the set. Valid until the next change.
  [[nodiscard]] const message_digest* find(const message_digest& d) const noexcept;
  /// False if one with that id part is there already.
  bool insert(const message_digest& d);
  [[nodiscard]] std::size_t size() const noexcept;
  void clear() noexcept;
  /// Adds the id parts of those whose message was replied to.
  void collect_replied(std::vector<std::string>& out) const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace pawl
