#include "cli/store_probe.hpp"

#include "persistence/redis/dataset.hpp"
#include "persistence/redis/dialogue.hpp"

#include <chrono>
#include <string_view>
#include <vector>

namespace pawl::cli {
namespace {

std::string field(const redis::info_fields& info, std::string_view name) {
  const auto found = info.find(name);
  return found == info.end() ? std::string{} : found->second;
}

void read_info(const std::string& text, store_facts& out) {
  const auto info = redis::parse_info(text);
  out.version = field(info, "redis_version");
  out.mode = field(info, "redis_mode");
  out.role = field(info, "role");
  out.maxmemory_policy = field(info, "maxmemory_policy");
  out.aof_enabled = field(info, "aof_enabled");
  out.aof_last_write = field(info, "aof_last_write_status");
}

}  // namespace

store_facts probe_store(const redis_options& options, const std::string& cluster) {
  store_facts out;
  redis::dialogue server{options};
  out.error = server.open();
  if (!out.error.empty()) return out;
  const auto asked = std::chrono::steady_clock::now();
  server.say({"INFO"});
  server.say({"CONFIG", "GET", "appendfsync"});
  std::vector<redis::reply> replies;
  out.error = server.exchange(replies);
  if (!out.error.empty()) return out;
  if (replies[0].is(redis::reply::kind::error)) {
    out.error = "the server answered INFO with " + replies[0].text;
    return out;
  }
  const auto took = std::chrono::steady_clock::now() - asked;
  out.answered_in_ms = std::chrono::ceil<std::chrono::milliseconds>(took).count();
  read_info(replies[0].text, out);
  // An ACL may forbid CONFIG; the pair is then an error reply.
  if (replies[1].elements.size() == 2) out.appendfsync = replies[1].elements[1].text;

  const auto dataset = check_dataset(options, cluster, volatile_store::allow);
  out.dataset_error = dataset.error;
  if (!dataset.ok()) return out;
  out.dataset = dataset_text(dataset.info.id);
  out.shards = dataset.info.shards;
  return out;
}

}  // namespace pawl::cli
