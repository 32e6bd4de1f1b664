// What must hold of units, which go from purse to purse: none is made, and none is lost; and of the outboxes that carry
// them, in the end: nothing is left in them.
#include "actors/outbox.hpp"
#include "tests/sim/purse.hpp"
#include "tests/sim/world.hpp"

namespace pawl::sim {

/// Of all purses together.
Purse world::all_purses() const {
  Purse all{0};
  for (std::uint64_t n = 0; n < purses; ++n) {
    const auto p = purse_in(stored_blob(purse_type, purse_key(n)));
    all.units += p.units;
    all.paid += p.paid;
    all.given += p.given;
    all.taken += p.taken;
  }
  return all;
}

void world::check_purse(const std::string& name, const std::string& before, std::string_view after) const {
  const auto old = purse_in(before), next = purse_in(after);
  if (next.paid < old.paid || next.given < old.given || next.taken < old.taken) fail("effects stay", name);
  // Sent again by one who does not know any more that he has sent it.
  if (rollbacks != 0) return;
  if (const auto all = all_purses(); all.taken > all.given)
    fail("units are conserved", std::to_string(all.taken) + " are taken, and only " + std::to_string(all.given) +
                                    " were given; the last by " + name);
}

std::string world::units_outstanding() const {
  const auto all = all_purses();
  std::uint64_t asked = 0;
  for (std::size_t k = 0; k < plan.keys; ++k)
    for (const auto& id : appended("k" + std::to_string(k))) asked += pays(number_in(id)) ? 1 : 0;
  if (all.paid != asked)
    return "purses were asked to pay " + std::to_string(asked) + " times, and have heard of " +
           std::to_string(all.paid);
  if (all.given != all.taken)
    return std::to_string(all.given) + " units were given, and " + std::to_string(all.taken) + " taken";
  if (all.units != purses * Purse::at_first)
    return "purses hold " + std::to_string(all.units) + " units of " + std::to_string(purses * Purse::at_first);
  return {};
}

/// All has been taken, and it is quiet: then each record that is stored says itself that it is over, and so does each
/// timer. (An owner that came last and has committed nothing has not removed them.)
void world::check_nothing_left(shard_id shard, const frontier& f, const store::hash& fields) const {
  outbox box{shard, plan.shards};
  box.reset(f.slots.records, f.slots.pairs);
  const auto text = "the outbox of shard " + std::to_string(shard.value);
  for (std::uint32_t i = 0; i < f.slots.pairs; ++i)
    if (const auto p = fields.find(slot_field(outbox::pair_kind, i)); p == fields.end()) box.load_no_pair(i);
    else if (!box.load_pair(i, p->second)) fail("no orphan records", text + ": a receiver is damaged");
  for (std::uint32_t i = 0; i < f.slots.records; ++i)
    if (const auto r = fields.find(slot_field(outbox::record_kind, i)); r == fields.end()) box.load_no_record(i);
    else if (!box.load_record(i, r->second)) fail("no orphan records", text + ": a record is damaged");
  for (const auto& [name, value] : fields)
    if (name.starts_with(std::string{"\0t", 2}) && !value.empty())
      fail("no orphan records", "shard " + std::to_string(shard.value) + " holds a timer, and all have fired");
  if (!box.loaded() || box.waiting() != 0)
    fail("no orphan records", text + " has not heard that all was taken, or lacks messages");
}

}  // namespace pawl::sim
