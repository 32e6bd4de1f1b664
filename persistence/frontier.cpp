#include "persistence/frontier.hpp"

#include "cluster/bytes.hpp"

#include <algorithm>

namespace pawl {
namespace {

// version:u8 dataset:16 seq:u64 groups:varint { type:bytes trimmed:varint first:varint next:varint floor:i64 high:i64 }
// and, unless all that follows is 0, marks:varint pairs:varint records:varint timers:varint letters:varint
// and, unless the inbox was never read, ms:varint number:varint taken:varint
constexpr std::uint8_t format = 1;
constexpr std::size_t types_max = 1'024;
constexpr std::size_t type_bytes_max = 64;
// Of one type. All are loaded by a claim; many more cannot be, and only damage would say so.
constexpr std::uint64_t live_groups_max = 1u << 22;

// All but the letters are loaded by a claim.
constexpr std::uint64_t slots_max = 1u << 22;

bool plausible(const id_groups& g) {
  return g.trimmed <= g.first && g.first <= g.next && g.next - g.first <= live_groups_max && g.floor >= 0 &&
         g.floor <= g.high;
}

}  // namespace

std::string encode(const frontier& f) {
  std::string out;
  out.reserve(32 + f.groups.size() * 48);
  byte_writer w{out};
  w.u8(format);
  w.raw({reinterpret_cast<const char*>(f.dataset.data()), f.dataset.size()});
  w.u64(f.seq);
  w.varint(f.groups.size());
  for (const auto& g : f.groups) {
    w.bytes(g.type);
    w.varint(g.trimmed);
    w.varint(g.first);
    w.varint(g.next);
    w.i64(g.floor);
    w.i64(g.high);
  }
  const bool inbox = f.inbox != inbox_position{};
  if (inbox || f.slots != slot_counts{})
    for (auto n : {f.slots.marks, f.slots.pairs, f.slots.records, f.slots.timers, f.slots.letters}) w.varint(n);
  if (inbox)
    for (auto n : {f.inbox.last.ms, f.inbox.last.number, f.inbox.taken}) w.varint(n);
  return out;
}

std::optional<frontier> decode_frontier(std::string_view bytes) {
  byte_reader r{bytes};
  if (r.u8() != format) return std::nullopt;
  frontier f;
  auto id = r.raw(f.dataset.size());
  if (r.failed()) return std::nullopt;
  std::copy(id.begin(), id.end(), f.dataset.begin());
  f.seq = r.u64();
  auto count = r.varint();
  if (count > types_max) return std::nullopt;
  for (std::uint64_t i = 0; i < count && !r.failed(); ++i) {
    id_groups g;
    g.type = r.bytes(type_bytes_max);
    g.trimmed = r.varint();
    g.first = r.varint();
    g.next = r.varint();
    g.floor = r.i64();
    g.high = r.i64();
    // A second entry of a type would leave open whose floor counts.
    bool again = std::any_of(f.groups.begin(), f.groups.end(), [&g](const id_groups& o) { return o.type == g.type; });
    if (again || !plausible(g)) return std::nullopt;
    f.groups.push_back(std::move(g));
  }
  if (!r.failed() && r.left() > 0) {
    for (auto* n : {&f.slots.marks, &f.slots.pairs, &f.slots.records, &f.slots.timers, &f.slots.letters}) {
      const auto used = r.varint();
      if (used > slots_max) return std::nullopt;
      *n = static_cast<std::uint32_t>(used);
    }
    const bool inbox = !r.failed() && r.left() > 0;
    if (inbox)
      for (auto* n : {&f.inbox.last.ms, &f.inbox.last.number, &f.inbox.taken}) *n = r.varint();
    // Nothing that would have been left out.
    if (inbox ? f.inbox == inbox_position{} : f.slots == slot_counts{}) return std::nullopt;
  }
  if (!r.finished()) return std::nullopt;
  return f;
}

std::string id_group_field(std::string_view type, std::uint64_t group) {
  std::string name{"\0i", 2};
  name.append(type).append(1, '/').append(std::to_string(group));
  return name;
}

std::string reply_field(std::string_view id_part) { return std::string{"\0r", 2}.append(id_part); }

std::string entity_field(std::string_view type, std::string_view key) {
  std::string name;
  name.reserve(type.size() + key.size() + 2);
  append_entity_field(name, type, key);
  return name;
}

void append_entity_field(std::string& out, std::string_view type, std::string_view key) {
  out.append(1, 'e').append(type).append(1, '/').append(key);
}

}  // namespace pawl
