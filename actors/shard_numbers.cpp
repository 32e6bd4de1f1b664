// The part of `shard` that lets early messages follow once the numbers before them have come, or were waited for long
// enough.
#include "actors/shard.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace pawl {

/// Messages that were early become a frame of their own: it is cut, undone and repeated as any other.
void shard::add_held(const held_messages::run& r, instant now) {
  frame f{id_, 0, claim_.view_of_placement(), {}, r.messages, {}};
  for (const auto& block : r.messages) f.messages.push_back(&block->messages.front());
  frames_.emplace_back(catalog_, 0, std::move(f), now.steady);
  frames_.back().held = r.on_gap;
}

void shard::add_ready(instant now) {
  for (const auto& r : held_.take_ready()) add_held(r, now);
}

/// Gaps that have lasted too long are reported, type by type, and passed if the type says so.
void shard::add_late(shard_effects& out, instant now) {
  if (auto at = held_.next_late(); !at || *at > now.steady) return;
  const auto [runs, gaps] = held_.take_late(now.steady, policy_.passivate_after);
  for (const auto& r : runs) add_held(r, now);
  for (type_index type = 0; type < catalog_.types.size(); ++type) {
    const auto of_type = [type](const held_messages::late_gap& g) { return g.type == type; };
    const auto entities = std::count_if(gaps.begin(), gaps.end(), of_type);
    if (entities == 0) continue;
    const auto& g = *std::find_if(gaps.begin(), gaps.end(), of_type);
    out.notes.push_back({shard_effects::event::gap,
                         std::to_string(entities) + " of '" + catalog_.types[type]->name() + "', among them '" + g.key +
                             "': number " + std::to_string(g.expected) + " has not come, " + std::to_string(g.held) +
                             " from " + std::to_string(g.first) + " on are held"});
  }
}

}  // namespace pawl
