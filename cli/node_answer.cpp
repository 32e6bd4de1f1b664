#include "cli/node_answer.hpp"

#include "cli/json_reader.hpp"
#include "cluster/shard_map.hpp"

#include <nlohmann/json.hpp>

#include <limits>
#include <utility>

namespace pawl::cli {
namespace {

constexpr std::uint64_t longest_wait_ms = 1'000ULL * 60 * 60 * 24 * 365;
constexpr auto largest_time = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

template <class T>
decoded<T> refused(std::string_view path, const std::string& why) {
  return {std::nullopt, "its answer to " + std::string{path} + " is not understood: " + why};
}

member_row read_member(json_fields& f) {
  return {f.text("node"), f.count("incarnation"), f.text("state"), f.text("peer_address", 512),
          f.text("http_address", 512)};
}

shard_row read_shard(json_fields& f) {
  shard_row out;
  out.shard = static_cast<std::uint32_t>(f.count("shard", shards_max - 1));
  out.owner = f.text("owner");
  out.local = f.flag("local");
  out.claim = f.text("claim");
  out.queued = f.count("queued");
  out.entities = f.count("entities");
  out.commits = f.count("commits");
  if (f.has("waiting_for")) {
    out.waiting_for = f.text("waiting_for", 1'024);
    out.waiting = std::chrono::milliseconds{f.count("waiting_ms", longest_wait_ms)};
  }
  return out;
}

shard_details::receiver read_receiver(json_fields& f) {
  shard_details::receiver out;
  out.shard = static_cast<std::uint32_t>(f.count("shard", shards_max - 1));
  out.messages = f.count("messages");
  out.stopped = f.flag("stopped");
  out.type = f.text("type");
  out.key = f.text("key");
  out.message = f.text("message");
  out.sent_at = static_cast<std::int64_t>(f.count("sent_at", largest_time));
  return out;
}

}  // namespace

decoded<node_view> decode_cluster(std::string_view body) {
  constexpr std::string_view path = "/v1/cluster";
  std::string problem;
  const auto parsed = read_json(body, problem);
  if (!problem.empty()) return refused<node_view>(path, problem);
  json_fields f{parsed};
  node_view out;
  out.cluster = f.text("cluster");
  out.dataset = f.text("dataset");
  out.node = f.text("node");
  out.incarnation = f.count("incarnation");
  out.state = f.text("state");
  out.version = f.text("version");
  out.store_up = f.flag("store_up");
  out.shards = static_cast<std::uint32_t>(f.count("shards", shards_max));
  out.shards_owned = static_cast<std::uint32_t>(f.count("shards_owned", shards_max));
  out.view = f.count("view");
  if (f.has("time_ms")) out.time_ms = static_cast<std::int64_t>(f.count("time_ms", largest_time));
  for (const auto& row : f.array("members", members_max)) {
    json_fields m{row};
    out.members.push_back(read_member(m));
    if (!m.problem().empty()) return refused<node_view>(path, "a member: " + m.problem());
  }
  if (!f.problem().empty()) return refused<node_view>(path, f.problem());
  if (out.node.empty()) return refused<node_view>(path, "'node' is empty");
  return {std::move(out), {}};
}

decoded<std::vector<shard_row>> decode_shards(std::string_view body) {
  using rows = std::vector<shard_row>;
  constexpr std::string_view path = "/v1/shards";
  std::string problem;
  const auto parsed = read_json(body, problem);
  if (!problem.empty()) return refused<rows>(path, problem);
  json_fields f{parsed};
  rows out;
  for (const auto& row : f.array("shards", shards_max)) {
    json_fields s{row};
    out.push_back(read_shard(s));
    if (!s.problem().empty()) return refused<rows>(path, "a shard: " + s.problem());
    // Whoever reads the rows may take the place of a row for its number.
    if (out.back().shard + 1 != out.size()) return refused<rows>(path, "the shards are not numbered from 0");
  }
  if (!f.problem().empty()) return refused<rows>(path, f.problem());
  return {std::move(out), {}};
}

decoded<shard_details> decode_shard_details(std::string_view body) {
  constexpr std::string_view path = "/v1/shards/{shard}";
  std::string problem;
  const auto parsed = read_json(body, problem);
  if (!problem.empty()) return refused<shard_details>(path, problem);
  json_fields f{parsed};
  shard_details out;
  out.owner = f.text("owner");
  out.outbox = f.count("outbox");
  out.receivers = f.count("receivers");
  for (const auto& row : f.array("waiting", detail_rows_max)) {
    json_fields w{row};
    out.waiting.push_back(read_receiver(w));
    if (!w.problem().empty()) return refused<shard_details>(path, "a receiver: " + w.problem());
  }
  out.sources = f.count("sources");
  for (const auto& row : f.array("taken", detail_rows_max)) {
    json_fields t{row};
    auto name = t.text("source");
    out.taken.push_back({std::move(name), t.count("position")});
    if (!t.problem().empty()) return refused<shard_details>(path, "a source: " + t.problem());
  }
  out.timers = f.count("timers");
  if (f.has("next_timer")) out.next_timer = static_cast<std::int64_t>(f.count("next_timer", largest_time));
  out.dead_letters = f.count("dead_letters");
  if (!f.problem().empty()) return refused<shard_details>(path, f.problem());
  return {std::move(out), {}};
}

std::string problem_detail(unsigned status, std::string_view body) {
  std::string problem;
  const auto parsed = read_json(body, problem);
  json_fields f{parsed};
  auto detail = f.text("detail", 2'048);
  return detail.empty() ? "HTTP status " + std::to_string(status) : detail;
}

}  // namespace pawl::cli
