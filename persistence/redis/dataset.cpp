#include "persistence/redis/dataset.hpp"

#include "cluster/shard_map.hpp"
#include "persistence/keys.hpp"
#include "persistence/redis/dialogue.hpp"
#include "persistence/redis/numbers.hpp"
#include "persistence/redis/scripts.hpp"

#include <algorithm>
#include <optional>
#include <sodium.h>
#include <utility>
#include <vector>

namespace pawl {
namespace {

using redis::dialogue;
using redis::parse_u64;
using redis::reply;
using redis::script;

using bytes16 = std::array<std::uint8_t, 16>;
using fields = redis::info_fields;

/// Shards created in one round trip.
constexpr std::uint32_t shards_per_exchange = 512;

std::string hex(const bytes16& bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (auto b : bytes) text.append({digits[b >> 4], digits[b & 15]});
  return text;
}

std::optional<bytes16> parse_hex(std::string_view text) {
  bytes16 bytes{};
  std::size_t size = 0;
  if (text.size() != 2 * bytes.size() ||
      ::sodium_hex2bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &size, nullptr) != 0 ||
      size != bytes.size())
    return std::nullopt;
  return bytes;
}

bytes16 random_bytes() {
  bytes16 bytes{};
  ::randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

dataset_result failed(std::string why) { return {{}, std::move(why)}; }

std::string value_of(const fields& all, std::string_view name) {
  const auto found = all.find(name);
  return found == all.end() ? std::string{} : found->second;
}

/// Asks one thing. An empty text, or a sentence; an error reply counts as an error, with `what` before it.
std::string ask(dialogue& server, std::string_view what, reply& answer) {
  std::vector<reply> replies;
  if (auto error = server.exchange(replies); !error.empty()) return error;
  answer = std::move(replies[0]);
  if (!answer.is(reply::kind::error)) return {};
  auto text = "cannot " + std::string{what} + ": the store answered " + answer.text;
  switch (redis::classify(answer.text)) {
  case store_error::no_auth:
    return text + ". Configure user and password, and the rights listed in persistence/SCHEMA.md";
  case store_error::wrong_type: return text + ". Another program uses names that begin with \"pawl:\"";
  case store_error::readonly: return text + ". Give the address of the primary";
  default: return text;
  }
}

/// What any use of the store needs: connected, logged in, a server that can run the scripts.
std::string open_server(dialogue& server, fields& info) {
  if (auto error = server.open(); !error.empty()) return error;
  server.say({"INFO"});
  reply answer;
  if (auto error = ask(server, "read the state of the store", answer); !error.empty()) return error;
  info = redis::parse_info(answer.text);
  const auto version = value_of(info, "redis_version");
  const auto major = parse_u64(std::string_view{version}.substr(0, version.find('.')));
  if (!major) return "the store does not tell its version in INFO: is this a Redis server?";
  if (*major < 7) return "the store is Redis " + version + ", but 7.0 or later is needed. Upgrade the server";
  if (value_of(info, "redis_mode") != "standalone")
    return "the store runs in " + value_of(info, "redis_mode") +
           " mode, which is not supported yet. Use a server with \"cluster-enabled no\"";
  if (value_of(info, "loading") == "1") return "the store is still loading its data. Try again when it is done";
  if (value_of(info, "role") != "master") return "the store is a replica. Give the address of the primary";
  return {};
}

fields pairs_of(const reply& answer) {
  fields all;
  for (std::size_t i = 0; i + 1 < answer.elements.size(); i += 2)
    all.emplace(answer.elements[i].text, answer.elements[i + 1].text);
  return all;
}

/// Reads what `cfg` says. An error text, or `info` is filled in.
std::string understand(const fields& config, const std::string& cluster, dataset_info& info) {
  const auto name = "the dataset of cluster \"" + cluster + "\"";
  const auto format = value_of(config, "format");
  const auto digest = value_of(config, "digest");
  if (parse_u64(format) != dataset_format)
    return name + " has format \"" + format + "\", this program knows " + std::to_string(dataset_format) +
           ". Use the version that wrote it";
  if (digest != dataset_digest)
    return name + " hashes ids with \"" + digest + "\", this program knows " + std::string{dataset_digest} +
           ". Use the version that wrote it";
  const auto id = parse_hex(value_of(config, "dataset"));
  const auto secret = parse_hex(value_of(config, "secret"));
  const auto shards = parse_u64(value_of(config, "shards"));
  if (!id || !secret || !shards || *shards == 0 || *shards > shards_max)
    return name + " has a damaged description. Restore it from a backup";
  info.id = *id;
  info.secret = *secret;
  info.shards = static_cast<std::uint32_t>(*shards);
  return {};
}

std::string create_shards(dialogue& server, const key_names& keys, const dataset_info& info) {
  frontier nothing;
  nothing.dataset = info.id;
  const auto empty = encode(nothing);
  std::vector<reply> replies;
  for (std::uint32_t at = 0; at < info.shards; at += shards_per_exchange) {
    for (auto i = at; i < std::min(info.shards, at + shards_per_exchange); ++i) {
      const fencing_token token{"0-init-" + hex(random_bytes())};
      server.say_script(redis::text_of(script::create_shard),
                        {keys.record({i}), keys.live({i}, token), keys.data({i}, token)}, {token.text(), empty});
    }
    if (auto error = server.exchange(replies); !error.empty()) return error;
    for (std::size_t i = 0; i < replies.size(); ++i)
      if (!replies[i].is(reply::kind::integer))
        return "cannot create shard " + std::to_string(at + i) + ": the store answered " + replies[i].text +
               ". Remove the cause and run init again: it goes on where it stopped";
  }
  return {};
}

void fill_server(const fields& server, dataset_info& info) {
  info.run_id = value_of(server, "run_id");
  info.version = value_of(server, "redis_version");
}

/// What may not be so when data lives here.
std::string unsafe(const fields& info, volatile_store without_aof) {
  if (const auto policy = value_of(info, "maxmemory_policy"); policy != "noeviction")
    return "the store evicts data when its memory is full (maxmemory-policy " + policy +
           "). Set \"maxmemory-policy noeviction\"";
  if (value_of(info, "aof_enabled") != "1" && without_aof == volatile_store::refuse)
    return "the store keeps no append-only file, so a restart loses data. Set \"appendonly yes\", or pass "
           "--allow-volatile if that is meant";
  return {};
}

}  // namespace

std::string dataset_text(const dataset_id& id) { return hex(id); }

dataset_result init_dataset(const redis_options& options, const std::string& cluster, std::uint32_t shards) {
  if (!valid_name(cluster)) return failed("the cluster name \"" + cluster + "\" must be [a-z0-9-]{1,32}");
  if (shards == 0 || shards > shards_max)
    return failed("the number of shards must be 1 … " + std::to_string(shards_max));
  if (::sodium_init() < 0) return failed("libsodium finds no source of randomness");
  const key_names keys{cluster};
  dialogue server{options};
  fields info;
  if (auto error = open_server(server, info); !error.empty()) return failed(error);

  server.say_script(redis::text_of(script::create_config), {keys.config(), keys.view(), keys.incarnation()},
                    {hex(random_bytes()), hex(random_bytes()), std::to_string(shards), std::to_string(dataset_format),
                     dataset_digest});
  reply answer;
  if (auto error = ask(server, "create the dataset", answer); !error.empty()) return failed(error);
  const auto config = pairs_of(answer);
  dataset_result result;
  result.error = understand(config, cluster, result.info);
  if (!result.ok()) return result;
  if (value_of(config, "complete") == "1")
    return failed("cluster \"" + cluster + "\" has a dataset already: " + hex(result.info.id) + " with " +
                  std::to_string(result.info.shards) + " shards. Nothing was changed");
  if (result.info.shards != shards)
    return failed("an earlier init of cluster \"" + cluster + "\" with " + std::to_string(result.info.shards) +
                  " shards was not finished. Run init --shards " + std::to_string(result.info.shards) +
                  " to finish it, or use another cluster name");

  if (auto error = create_shards(server, keys, result.info); !error.empty()) return failed(error);
  server.say_script(redis::text_of(script::complete_config), {keys.config()}, {hex(result.info.id)});
  if (auto error = ask(server, "complete the dataset", answer); !error.empty()) return failed(error);
  if (answer.integer != 1) return failed("the dataset was replaced by another program during init");
  fill_server(info, result.info);
  return result;
}

dataset_result check_dataset(const redis_options& options, const std::string& cluster, volatile_store without_aof) {
  if (!valid_name(cluster)) return failed("the cluster name \"" + cluster + "\" must be [a-z0-9-]{1,32}");
  dialogue server{options};
  fields info;
  if (auto error = open_server(server, info); !error.empty()) return failed(error);
  if (auto error = unsafe(info, without_aof); !error.empty()) return failed(error);
  const key_names keys{cluster};
  server.say({"HGETALL", keys.config()});
  reply answer;
  if (auto error = ask(server, "read the dataset", answer); !error.empty()) return failed(error);
  const auto config = pairs_of(answer);
  if (config.empty())
    return failed("the store holds no dataset of cluster \"" + cluster + "\". Create it: <program> init --shards N");
  dataset_result result;
  result.error = understand(config, cluster, result.info);
  if (result.ok() && value_of(config, "complete") != "1")
    result.error = "the dataset of cluster \"" + cluster + "\" was not finished. Run: <program> init --shards " +
                   std::to_string(result.info.shards);
  fill_server(info, result.info);
  return result;
}

}  // namespace pawl
