#include "actors/caf/node_watch.hpp"

#include "metrics/log.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace pawl {
namespace {

constexpr auto look_every = std::chrono::seconds{1};
constexpr std::size_t named_max = 8;

stall_policy stall_policy_of(const node_host& host) {
  stall_policy p;
  p.limit = host.options.lease;
  p.threads = host.threads;
  p.look_max = std::min<std::chrono::milliseconds>(2 * look_every, p.limit);
  return p;
}

/// The first few, for a log line.
std::string named(const std::vector<shard_id>& shards) {
  std::string out;
  for (std::size_t i = 0; i < std::min(shards.size(), named_max); ++i)
    out += (i == 0 ? "" : ",") + std::to_string(shards[i].value);
  return shards.size() > named_max ? out + ",..." : out;
}

std::string seconds(steady_time::duration d) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(d).count());
}

}  // namespace

node_watch::node_watch(node_host& host)
    : host_(host), stalls_(host.shards, stall_policy_of(host)), turns_(host.shards), told_(host.shards) {}

std::optional<bool> node_watch::look(bool member_connected, steady_time now) {
  if (now < next_) return std::nullopt;
  next_ = now + look_every;
  for (std::uint32_t s = 0; s < host_.shards; ++s) turns_[s] = host_.sights[s].turns.load(std::memory_order_relaxed);
  auto f = stalls_.look({turns_, host_.store_up, member_connected}, now);
  tell_stalls(f, now);
  tell_unserved(now);
  return f.progressing;
}

void node_watch::tell_stalls(const stall_watch::findings& f, steady_time now) {
  for (auto s : f.began) {
    auto lasted = stalls_.in_turn(s);
    host_.sights[s.value].stuck.show(unserved{unserved_reason::stuck_handler, now - lasted});
    log::error("a handler has not returned", {{"shard", std::to_string(s.value)}, {"seconds", seconds(lasted)}});
  }
  for (auto s : f.ended) {
    host_.sights[s.value].stuck.show(std::nullopt);
    log::info("the handler has returned", {{"shard", std::to_string(s.value)}});
  }
  host_.metrics.shards_stalled = f.stalled;
  if (std::exchange(progressing_, f.progressing) == f.progressing) return;
  if (f.progressing) {
    log::info("shards progress again, beating");
  } else {
    log::error("shards do not progress, not beating: others take them over",
               {{"stalled", std::to_string(f.stalled)},
                {"workers", std::to_string(host_.threads)},
                {"shards_connected", host_.store_up ? "yes" : "no"}});
  }
}

void node_watch::tell_unserved(steady_time now) {
  auto table = host_.sight().table;
  std::map<std::string, std::vector<shard_id>> news;  // by what they wait for
  std::vector<shard_id> served;
  std::uint64_t count = 0;
  steady_time::duration longest{};
  for (std::uint32_t s = 0; s < host_.shards; ++s) {
    const auto& seen = host_.sights[s];
    auto u = seen.obstacle(now);
    if (u) {
      ++count;
      longest = std::max(longest, now - u->since);
      if (told_[s]) continue;
      const auto* owner = table->owner({s});
      auto claim = static_cast<shard_claim::state>(seen.claim.load(std::memory_order_relaxed));
      news[to_text(u->why, owner != nullptr ? owner->id.node : "", to_string(claim))].push_back({s});
    } else if (told_[s]) {
      served.push_back({s});
    }
    told_[s] = u.has_value();
  }
  host_.metrics.shards_unserved = count;
  host_.metrics.shard_unserved_max_ms =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(longest).count());
  for (const auto& [why, shards] : news)
    log::warn("shards not served",
              {{"waiting_for", why}, {"count", std::to_string(shards.size())}, {"shards", named(shards)}});
  if (!served.empty())
    log::info("shards served again", {{"count", std::to_string(served.size())}, {"shards", named(served)}});
}

}  // namespace pawl
