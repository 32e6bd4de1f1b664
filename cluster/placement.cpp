#include "cluster/placement.hpp"

#include "cluster/invariant.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace pawl {
namespace {

// More points even out the arcs, but with 320 the moves of a join fall by less than a tenth, for twice the time.
constexpr unsigned points_per_member = 160;

// FNV-1a.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (unsigned char c : text) h = (h ^ c) * 0x100000001b3u;
  return h;
}

// SplitMix64: the numbers after a seed. The seed is the whole name's hash: with the number hashed in front of the name,
// as FNV's start, "a1" and "b1" would share all their points.
std::uint64_t ring_point(std::uint64_t seed, std::uint64_t number) {
  auto h = seed + (number + 1) * 0x9e3779b97f4a7c15u;
  h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
  h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
  return h ^ (h >> 31);
}

}  // namespace

placement::placement(view v, std::uint32_t shards) : view_(std::move(v)), owners_(shards, nobody) {
  PAWL_INVARIANT(view_.members.size() < nobody, "more members than an owner index can name");
  std::sort(view_.members.begin(), view_.members.end(), [](const member& a, const member& b) { return a.id < b.id; });

  struct point {
    std::uint64_t at;
    std::uint16_t member;
    bool operator<(const point& o) const { return std::pair{at, member} < std::pair{o.at, o.member}; }
  };
  std::vector<point> ring;
  ring.reserve(view_.members.size() * points_per_member);
  std::size_t candidates = 0;
  for (std::size_t m = 0; m < view_.members.size(); ++m) {
    if (view_.members[m].state != member_state::up) continue;
    ++candidates;
    const auto seed = hash_of(view_.members[m].id.node);
    for (unsigned i = 0; i < points_per_member; ++i)
      ring.push_back({ring_point(seed, i), static_cast<std::uint16_t>(m)});
  }
  if (ring.empty()) return;
  std::sort(ring.begin(), ring.end());

  // Room for 1.12 × the average, and always for the average: in integers, so that every machine gets the same answer.
  auto capacity = std::max((shards + candidates - 1) / candidates, 112 * std::size_t{shards} / (100 * candidates));
  std::vector<std::size_t> load(view_.members.size(), 0);
  const auto seed = hash_of("shard");
  for (std::uint32_t s = 0; s < shards; ++s) {
    auto it = std::lower_bound(ring.begin(), ring.end(), point{ring_point(seed, s), 0});
    for (;; ++it) {
      if (it == ring.end()) it = ring.begin();
      if (load[it->member] < capacity) break;
    }
    owners_[s] = it->member;
    ++load[it->member];
  }
}

}  // namespace pawl
