#include "cli/health_check.hpp"

#include "actors/configuration/values.hpp"
#include "cli/verdict.hpp"

#include <algorithm>
#include <utility>

namespace pawl::cli {
namespace {

finding ok(std::string subject, std::string text) { return {grade::ok, std::move(subject), std::move(text), {}}; }
finding warn(std::string subject, std::string text, std::string remedy) {
  return {grade::warn, std::move(subject), std::move(text), std::move(remedy)};
}
finding fail(std::string subject, std::string text, std::string remedy) {
  return {grade::fail, std::move(subject), std::move(text), std::move(remedy)};
}

finding check_version(const store_facts& f) {
  const auto major = config::parse_count(std::string_view{f.version}.substr(0, f.version.find('.')));
  if (!major) return fail("redis", "the server does not tell its version", "is this the address of a Redis server?");
  if (*major < 7) return fail("redis", "version " + f.version, "upgrade to 7.0 or later");
  return ok("redis", "version " + f.version + ", answered in " + std::to_string(f.answered_in_ms) + " ms");
}

finding check_role(const store_facts& f) {
  if (f.mode != "standalone")
    return fail("redis role", "it runs in " + f.mode + " mode", "use a server with cluster-enabled no");
  if (f.role != "master") return fail("redis role", "it is a replica", "give the address of the primary");
  return ok("redis role", "primary, standalone");
}

finding check_aof(const store_facts& f, bool volatile_allowed) {
  if (f.aof_enabled != "1") {
    const std::string text = "no append-only file: a restart of Redis loses everything";
    if (volatile_allowed) return warn("redis aof", text + " (redis.allow_volatile accepts that)", "set appendonly yes");
    return fail("redis aof", text, "set appendonly yes");
  }
  if (!f.aof_last_write.empty() && f.aof_last_write != "ok")
    return fail("redis aof", "the last write to the append-only file failed", "look at the disk and the log of Redis");
  return ok("redis aof", "append-only file is kept");
}

finding check_fsync(const store_facts& f) {
  if (f.appendfsync.empty())
    return warn("redis fsync", "appendfsync cannot be read", "let the user run CONFIG GET, or look on the server");
  if (f.appendfsync == "no")
    return warn("redis fsync", "appendfsync no: a power loss may lose half a minute of acknowledged messages",
                "set appendfsync everysec, or always");
  if (f.appendfsync == "everysec")
    return ok("redis fsync", "everysec: a power loss may lose the last second or two of acknowledged messages");
  return ok("redis fsync", f.appendfsync);
}

finding check_eviction(const store_facts& f) {
  if (f.maxmemory_policy != "noeviction")
    return fail("redis eviction", "maxmemory-policy " + f.maxmemory_policy + " would delete data when memory is full",
                "set maxmemory-policy noeviction");
  return ok("redis eviction", "noeviction");
}

}  // namespace

std::string_view to_string(grade g) noexcept {
  switch (g) {
  case grade::ok: return "ok";
  case grade::warn: return "warn";
  case grade::fail: return "fail";
  }
  return "fail";
}

findings check_store(const store_facts& f, bool volatile_allowed) {
  // The sentences about the server and the dataset say what to do.
  if (!f.error.empty()) return {fail("redis", f.error, {})};
  findings out{check_version(f), check_role(f), check_aof(f, volatile_allowed), check_fsync(f), check_eviction(f)};
  const bool fit = std::none_of(out.begin(), out.end(), [](const finding& x) { return x.level == grade::fail; });
  // The check of the dataset stops at the first thing that is wrong with the server; that has been said already.
  if (!f.dataset_error.empty() && fit) out.push_back(fail("dataset", f.dataset_error, {}));
  else if (f.dataset_error.empty())
    out.push_back(ok("dataset", f.dataset + " with " + std::to_string(f.shards) + " shards"));
  return out;
}

findings check_agreement(const cluster_picture& p, const std::string& dataset) {
  const auto* latest = p.latest();
  if (latest == nullptr) {
    findings out;
    for (const auto& n : p.nodes)
      out.push_back(fail("nodes", n.url + ": " + n.problem, "start a node there, or name another with --node"));
    return out;
  }
  findings out;
  const auto v = judge(p);
  for (const auto& r : v.reasons)
    out.push_back({r.level == health::failed ? grade::fail : grade::warn, "cluster", r.text, "see pawl status"});
  if (v.reasons.empty())
    out.push_back(ok("cluster", std::to_string(latest->members.size()) + " nodes answer and act on view " +
                                    std::to_string(latest->view)));
  const auto shards = shards_of(p);
  const auto held = std::count_if(shards.begin(), shards.end(), [](const auto& s) { return s.holders.size() == 1; });
  const auto text = std::to_string(held) + " of " + std::to_string(shards.size()) + " are held by exactly one node";
  if (static_cast<std::size_t>(held) == shards.size()) out.push_back(ok("shards", text));
  else out.push_back(warn("shards", text, "again in a few seconds; if it stays so: pawl shards --unserved"));
  if (!dataset.empty() && dataset != latest->dataset)
    out.push_back(fail("dataset",
                       "the nodes work on dataset " + latest->dataset + ", the configuration leads to " + dataset,
                       "is it the file of these nodes, and the same Redis?"));
  for (const auto& note : v.notes) out.push_back(warn("versions", note, "finish the upgrade"));
  return out;
}

findings check_clocks(const cluster_picture& p) {
  // Messages stamped by one node's door and judged by another are refused when 5 minutes ahead.
  constexpr std::int64_t warn_ms = 1'000;
  constexpr std::int64_t fail_ms = 60'000;
  const node_picture* first = nullptr;
  const node_picture* last = nullptr;
  std::int64_t doubt = 0;
  for (const auto& n : p.nodes) {
    if (!n.clock) continue;
    if (first == nullptr || n.clock->ahead_ms < first->clock->ahead_ms) first = &n;
    if (last == nullptr || n.clock->ahead_ms > last->clock->ahead_ms) last = &n;
    doubt = std::max(doubt, n.clock->give_or_take_ms);
  }
  if (first == nullptr) {
    if (p.latest() == nullptr) return {};
    return {warn("clocks", "the nodes do not tell their clocks", "upgrade them")};
  }
  // Nodes may have clocks at any two ends of time, and a difference of those overflows.
  const auto apart =
      static_cast<std::uint64_t>(last->clock->ahead_ms) - static_cast<std::uint64_t>(first->clock->ahead_ms);
  const auto certain =
      apart > 2 * static_cast<std::uint64_t>(doubt) ? apart - 2 * static_cast<std::uint64_t>(doubt) : 0;
  if (certain > warn_ms) {
    const auto text = last->name + " is " + std::to_string(apart) + " ms ahead of " + first->name;
    const std::string remedy = "synchronise the clocks (NTP): retention and `sent_at` are judged by them";
    return {certain > fail_ms ? fail("clocks", text, remedy) : warn("clocks", text, remedy)};
  }
  return {ok("clocks",
             "the nodes agree to within " + std::to_string(apart + 2 * static_cast<std::uint64_t>(doubt)) + " ms")};
}

findings check_limits(const cluster_picture& p) {
  constexpr double nearly = 0.8;
  constexpr double few = 4'096;
  findings out;
  for (const auto& n : p.nodes) {
    if (!n.counters || n.counters->open_files_max <= 0) continue;
    const auto open = static_cast<std::uint64_t>(std::min(n.counters->open_files, 1e15));
    const auto max = static_cast<std::uint64_t>(std::min(n.counters->open_files_max, 1e15));
    const auto text = n.name + ": " + std::to_string(open) + " of " + std::to_string(max) + " files open";
    if (n.counters->open_files > nearly * n.counters->open_files_max)
      out.push_back(fail("limits", text, "raise its limit (LimitNOFILE=), or lower http.connections"));
    else if (n.counters->open_files_max < few)
      out.push_back(warn("limits", text,
                         "raise its limit (LimitNOFILE=) to " + std::to_string(static_cast<int>(few)) +
                             " or more: each client takes one"));
    else out.push_back(ok("limits", text));
  }
  return out;
}

}  // namespace pawl::cli
