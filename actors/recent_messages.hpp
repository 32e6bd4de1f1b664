#pragma once

#include "actors/message.hpp"
#include "cluster/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace pawl {

/// A message that took effect. For people, never for decisions: what is a duplicate, only the stored ids say.
struct applied_message {
  std::string id;
  std::string name;
  unix_ms at = 0;  ///< when its commit was confirmed, by the owner's clock
};

/// The messages of one entity that took effect last, as far as its owner saw them: they are not stored, and a new owner
/// begins with none. Packed, since millions of entities have one: once it is full, adding does not allocate. Not
/// thread-safe.
class recent_messages {
public:
  static constexpr std::size_t most = 4;
  static constexpr std::size_t bytes_max = 256;  ///< of more, the oldest are dropped; the last one is always kept

  void add(const message& m, unix_ms at);
  [[nodiscard]] std::vector<applied_message> newest_first() const;

private:
  std::string records_;  ///< oldest first, each a head, the id and the name
  std::uint8_t count_ = 0;
};

}  // namespace pawl
