#include "cluster/placement.hpp"

#include "cluster/invariant.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace pawl {
namespace {

// More points even out the arcs; with 160, measured over 3 to 64 members, fewer than a tenth of the shards meet a full
// member and walk on.
constexpr unsigned points_per_member = 160;

// FNV-1a, then the finaliser of SplitMix64: FNV alone leaves near-equal names near each other on the ring.
std::uint64_t ring_hash(std::string_view text, std::uint64_t salt) {
  std::uint64_t h = 0xcbf29ce484222325u ^ salt;
  for (unsigned char c : text) h = (h ^ c) * 0x100000001b3u;
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
  std::size_t candidates = 0;
  for (std::size_t m = 0; m < view_.members.size(); ++m) {
    if (view_.members[m].state != member_state::up) continue;
    ++candidates;
    for (unsigned i = 0; i < points_per_member; ++i)
      ring.push_back({ring_hash(view_.members[m].id.node, i + 1), static_cast<std::uint16_t>(m)});
  }
  if (ring.empty()) return;
  std::sort(ring.begin(), ring.end());

  // Room for 1.12 × the average, and always for the average: in integers, so that every machine gets the same answer.
  auto capacity = std::max((shards + candidates - 1) / candidates, 112 * std::size_t{shards} / (100 * candidates));
  std::vector<std::size_t> load(view_.members.size(), 0);
  for (std::uint32_t s = 0; s < shards; ++s) {
    auto at = ring_hash("shard", (std::uint64_t{s} + 1) * 0x9e3779b97f4a7c15u);
    auto it = std::lower_bound(ring.begin(), ring.end(), point{at, 0});
    for (;; ++it) {
      if (it == ring.end()) it = ring.begin();
      if (load[it->member] < capacity) break;
    }
    owners_[s] = it->member;
    ++load[it->member];
  }
}

}  // namespace pawl
