#include "actors/stall_watch.hpp"

#include "cluster/invariant.hpp"

#include <algorithm>
#include <utility>

namespace pawl {

stall_watch::stall_watch(std::uint32_t shards, stall_policy policy) : policy_(policy), watched_(shards) {}

stall_watch::findings stall_watch::look(const sight& s, steady_time now) {
  PAWL_INVARIANT(s.turns.size() == watched_.size(), "every shard is looked at");
  findings out;
  auto gone_by =
      looked_ ? std::min<steady_time::duration>(now - looked_at_, policy_.look_max) : steady_time::duration{};
  looked_ = true;
  looked_at_ = now;

  for (std::uint32_t i = 0; i < watched_.size(); ++i) {
    auto& w = watched_[i];
    // A turn is timed from the look that first sees it, so it lasts at least as long as is said here.
    bool same = s.turns[i] == w.turn;
    w.turn = s.turns[i];
    w.lasted = same && w.turn % 2 == 1 ? w.lasted + gone_by : steady_time::duration{};
    bool stalled = w.lasted > policy_.limit;
    if (std::exchange(w.stalled, stalled) != stalled) (stalled ? out.began : out.ended).push_back({i});
    out.stalled += stalled ? 1 : 0;
  }

  bool cut_off = s.member_connected && !s.shards_connected;
  disconnected_ = cut_off ? disconnected_ + gone_by : steady_time::duration{};
  out.progressing = 2 * out.stalled <= policy_.threads && disconnected_ <= policy_.limit;
  return out;
}

}  // namespace pawl
