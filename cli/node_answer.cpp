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

/// @param read takes the fields; returns what else is wrong
template <class T, class Read>
decoded<T> decode(std::string_view path, std::string_view body, Read read) {
  T out;
  std::string problem;
  const auto parsed = read_json(body, problem);
  if (problem.empty()) {
    json_fields f{parsed};
    problem = read(f, out);
    if (problem.empty()) problem = f.problem();
  }
  if (!problem.empty()) return {std::nullopt, "its answer to " + std::string{path} + " is not understood: " + problem};
  return {std::move(out), {}};
}

/// Returns what is wrong with one of them.
template <class Row>
std::string read_rows(json_fields& f, const char* name, std::size_t most, const char* what, Row (*read)(json_fields&),
                      std::vector<Row>& out) {
  for (const auto& row : f.array(name, most)) {
    json_fields fields{row};
    out.push_back(read(fields));
    if (!fields.problem().empty()) return std::string{what} + ": " + fields.problem();
  }
  return {};
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

shard_details::source read_source(json_fields& f) {
  auto name = f.text("source");
  return {std::move(name), f.count("position")};
}

}  // namespace

decoded<node_view> decode_cluster(std::string_view body) {
  return decode<node_view>("/v1/cluster", body, [](json_fields& f, node_view& out) -> std::string {
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
    auto problem = read_rows(f, "members", members_max, "a member", read_member, out.members);
    if (problem.empty() && f.problem().empty() && out.node.empty()) problem = "'node' is empty";
    return problem;
  });
}

decoded<std::vector<shard_row>> decode_shards(std::string_view body) {
  using rows = std::vector<shard_row>;
  return decode<rows>("/v1/shards", body, [](json_fields& f, rows& out) {
    auto problem = read_rows(f, "shards", shards_max, "a shard", read_shard, out);
    // Whoever reads the rows may take the place of a row for its number.
    for (std::size_t i = 0; i < out.size() && problem.empty(); ++i)
      if (out[i].shard != i) problem = "the shards are not numbered from 0";
    return problem;
  });
}

decoded<shard_details> decode_shard_details(std::string_view body) {
  return decode<shard_details>("/v1/shards/{shard}", body, [](json_fields& f, shard_details& out) {
    out.owner = f.text("owner");
    out.outbox = f.count("outbox");
    out.receivers = f.count("receivers");
    out.sources = f.count("sources");
    out.timers = f.count("timers");
    if (f.has("next_timer")) out.next_timer = static_cast<std::int64_t>(f.count("next_timer", largest_time));
    out.dead_letters = f.count("dead_letters");
    auto problem = read_rows(f, "waiting", detail_rows_max, "a receiver", read_receiver, out.waiting);
    if (problem.empty()) problem = read_rows(f, "taken", detail_rows_max, "a source", read_source, out.taken);
    return problem;
  });
}

std::string problem_detail(unsigned status, std::string_view body) {
  std::string problem;
  const auto parsed = read_json(body, problem);
  json_fields f{parsed};
  auto detail = f.text("detail", 2'048);
  return detail.empty() ? "HTTP status " + std::to_string(status) : detail;
}

}  // namespace pawl::cli
