#pragma once

#include "actors/ingress.hpp"
#include "tests/bench/flow.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace pawl::bench {

struct outgoing {
  std::string type;
  std::string key;
  std::string name;
  std::string id;
  std::string payload;
};

/// When a message that was handed in is no longer under way: whoever learns of its effect lets it leave, or its answer.
/// One that is turned away has no effect, and leaves with its answer.
enum class leaves : std::uint8_t { answered, elsewhere };

/// Gives messages 0 … n-1 to a door, at most 256 at once, and waits until all are answered. Each enters `under_way`
/// just before it is handed in; `entered`, if any, is told its number then.
/// @throws std::runtime_error unless all are answered `applied`
void hand_in(ingress& door, std::size_t n, flow& under_way, leaves when,
             const std::function<outgoing(std::size_t)>& message_of,
             const std::function<void(std::size_t)>& entered = {});

/// Reads entities 0 … n-1, and looks at each of them.
/// @throws std::runtime_error saying how many `right` denies, or could not be read
void check_entities(ingress& door, const std::string& type, std::size_t n,
                    const std::function<std::string(std::size_t)>& key_of,
                    const std::function<bool(std::size_t, const entity_answer&)>& right);

}  // namespace pawl::bench
