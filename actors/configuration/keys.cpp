#include "actors/configuration/keys.hpp"

#include "actors/configuration/values.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <type_traits>
#include <utility>

namespace pawl::config {

namespace {

using o = node_options;

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;
constexpr std::uint64_t gib = 1024 * mib;
constexpr std::uint64_t second = 1'000;
constexpr std::uint64_t minute = 60 * second;
constexpr std::uint64_t hour = 60 * minute;

// clang-format off
constexpr key table[] = {
  {"node.name", "--node", kind::name, &o::node, 0, 0, "name of this node, unique in the cluster"},
  {"node.cluster", "--cluster", kind::name, &o::cluster, 0, 0, "name of the cluster; part of every key in the store"},
  {"node.insecure", "--insecure", kind::toggle, &o::insecure, 0, 0, "let peers.address be other than loopback, though peers are not authenticated"},

  {"http.address", "--http-address", kind::host, &o::http_address, 0, 0, "address the HTTP door listens on"},
  {"http.port", "--http-port", kind::count, &o::http_port, 0, 65'535, "its port; 0: any free port"},
  {"http.body_bytes", "--http-body-bytes", kind::bytes, &o::http_body_bytes, kib, gib, "largest request body"},
  {"http.timeout", "--http-timeout", kind::duration, &o::http_timeout, 100, hour, "idle connection, slow header or slow body"},
  {"http.connections", "--http-connections", kind::count, &o::http_connections, 1, 1'000'000, "open connections at most"},
  {"http.threads", "--http-threads", kind::count, &o::http_threads, 1, 256, "threads of the HTTP door"},

  {"peers.address", "--peer-address", kind::host, &o::peer_address, 0, 0, "address peers connect to; beyond loopback only with node.insecure"},
  {"peers.port", "--peer-port", kind::count, &o::peer_port, 0, 65'535, "its port; 0: any free port"},
  {"peers.advertise", "--advertise", kind::optional_host, &o::advertise, 0, 0, "host that other nodes dial; empty: peers.address"},

  // sun_path holds 108 bytes with the terminating NUL.
  {"redis.socket", "--redis-socket", kind::path, &o::redis_socket, 0, 107, "unix socket of Redis; wins over host and port"},
  {"redis.host", "--redis-host", kind::host, &o::redis_host, 0, 0, "host of Redis"},
  {"redis.port", "--redis-port", kind::count, &o::redis_port, 1, 65'535, "its port"},
  {"redis.user", "--redis-user", kind::text, &o::redis_user, 0, 128, "ACL user; empty: the default user"},
  {"redis.password_file", "--redis-password-file", kind::path, &o::redis_password_file, 0, 4'095, "file with the password; else PAWL_REDIS_PASSWORD"},
  {"redis.timeout", "--redis-timeout", kind::duration, &o::redis_timeout, 50, 10 * minute, "no reply for this long breaks the connection"},
  {"redis.connections", "--redis-connections", kind::count, &o::redis_connections, 1, 64, "connections to Redis"},
  {"redis.allow_volatile", "--allow-volatile", kind::toggle, &o::allow_volatile, 0, 0, "accept a Redis without AOF: a restart of it loses data"},

  {"cluster.beat", "--cluster-beat", kind::duration, &o::beat, 10, minute, "time between two signs of life"},
  {"cluster.lease", "--cluster-lease", kind::duration, &o::lease, 100, 10 * minute, "a member silent for this long is evicted; more than three beats"},
  {"cluster.settle", "--cluster-settle", kind::duration, &o::settle, 0, minute, "wait before the first claims of a cold start"},
  {"cluster.handoff", "--cluster-handoff", kind::duration, &o::handoff, 20, 10 * minute, "a live owner may hold a moved shard this long; at least two beats"},
  {"cluster.drain", "--cluster-drain", kind::duration, &o::drain, 20, hour, "after SIGTERM: leave by then, shards or not; at least two beats"},

  {"messages.request_timeout", "--request-timeout", kind::duration, &o::request_timeout, 10, 10 * minute, "unresolved after this: the caller is told busy or unknown"},
  {"messages.shard_queue_messages", "--shard-queue-messages", kind::count, &o::shard_queue_messages, 1, 10'000'000, "messages waiting per shard; beyond: busy"},
  // Below, a message at the payload limit of 1 MiB could never enter the queue.
  {"messages.shard_queue_bytes", "--shard-queue-bytes", kind::bytes, &o::shard_queue_bytes, 2 * mib, 4 * gib, "bytes waiting per shard; beyond: busy"},
  {"messages.node_queue_messages", "--node-queue-messages", kind::count, &o::node_queue_messages, 1, 100'000'000, "messages waiting at the node; one shard gets as many at most as are left; beyond: busy"},
  {"messages.node_queue_bytes", "--node-queue-bytes", kind::bytes, &o::node_queue_bytes, 2 * mib, 64 * gib, "bytes waiting at the node; beyond: busy"},

  {"entities.passivate_after", "--passivate-after", kind::duration, &o::passivate_after, 100, 720 * hour, "an entity idle for this long leaves memory"},
  {"entities.resident_per_shard", "--resident-per-shard", kind::count, &o::resident_per_shard, 1, 100'000'000, "entities in memory per shard at most"},
  // A commit holds at most 8 MiB: the state, its neighbours in the batch and their ids must fit.
  {"entities.state_bytes", "--state-bytes", kind::bytes, &o::state_bytes, kib, 4 * mib, "largest encoded state; a message that grows it beyond is refused"},

  {"inbox.enabled", "--inbox", kind::toggle, &o::inbox, 0, 0, "read the shards' streams in Redis, where other programs may put messages"},
  {"inbox.patience", "--inbox-patience", kind::duration, &o::inbox_patience, 0, 720 * hour, "an entry of an unknown type holds its inbox up for this long, then it is a dead letter"},

  {"runtime.threads", "--threads", kind::count, &o::threads, 0, 1'024, "worker threads; 0: one per core, at least 2"},

  {"log.level", "--log-level", kind::log_level, &o::log_level, 0, 0, "least severe lines to write"},
};
// clang-format on

constexpr std::array<std::string_view, 5> log_levels{"trace", "debug", "info", "warn", "error"};

std::string_view written_as(setting::type t) {
  switch (t) {
  case setting::type::string: return " (a string)";
  case setting::type::integer: return " (an integer)";
  case setting::type::boolean: return " (a boolean)";
  default: return "";
  }
}

std::string rejected(const key& k, const setting& value) {
  std::string shown = value.written_as == setting::type::other || value.written_as == setting::type::integer ||
                              value.written_as == setting::type::boolean
                          ? value.text
                          : in_quotes(value.text);
  return "'" + std::string(k.name) + "' at " + value.origin + " is " + shown +
         std::string(written_as(value.written_as)) + "; it must be " + allowed(k);
}

/// Files are typed: a quoted port is a mistake there, while flags and variables have only text.
bool type_fits(kind k, setting::type t) {
  using type = setting::type;
  if (t == type::untyped) return true;
  switch (k) {
  case kind::toggle: return t == type::boolean;
  case kind::count: return t == type::integer;
  case kind::bytes:
  case kind::duration: return t == type::integer || t == type::string;
  default: return t == type::string;
  }
}

bool text_fits(const key& k, std::string_view text) {
  const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  const auto printable = [](char c) { return c > ' ' && c <= '~'; };
  switch (k.what) {
  case kind::name: return is_name(text);
  case kind::host: return is_host(text);
  case kind::optional_host: return text.empty() || is_host(text);
  case kind::text: return text.size() <= k.max && std::ranges::all_of(text, printable);
  case kind::path: return text.size() <= k.max && std::ranges::none_of(text, is_control);
  case kind::log_level: return std::ranges::find(log_levels, text) != log_levels.end();
  default: return false;
  }
}

std::optional<std::uint64_t> parse_number(const key& k, std::string_view text) {
  auto value = k.what == kind::bytes      ? parse_bytes(text)
               : k.what == kind::duration ? parse_milliseconds(text)
                                          : parse_count(text);
  return value && *value >= k.min && *value <= k.max ? value : std::nullopt;
}

/// False, with `options` unchanged, if the text is not a value of the key.
bool store(const key& k, std::string_view text, node_options& options) {
  const auto into = [&](auto member) {
    auto& target = options.*member;
    using target_type = std::remove_reference_t<decltype(target)>;
    if constexpr (std::is_same_v<target_type, bool>) {
      const auto toggle = parse_toggle(text);
      if (toggle) target = *toggle;
      return toggle.has_value();
    } else if constexpr (std::is_same_v<target_type, std::string>) {
      const bool fits = text_fits(k, text);
      if (fits) target = text;
      return fits;
    } else {
      const auto number = parse_number(k, text);
      if (number) target = target_type(*number);
      return number.has_value();
    }
  };
  return std::visit(into, k.member);
}

/// The text was checked when it was stored: no control characters.
std::string as_toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

/// Levenshtein, cut off at 64 characters: what is longer is no misspelling of ours.
std::size_t distance(std::string_view a, std::string_view b) {
  constexpr std::size_t longest = 64;
  if (a.size() > longest || b.size() > longest) return longest;
  std::array<std::size_t, longest + 1> row{};
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row[b.size()];
}

/// A suggestion further away than a third of the word would puzzle more than it helps.
bool near(std::size_t d, std::string_view written) { return d <= std::max<std::size_t>(2, written.size() / 3); }

}  // namespace

std::string key::variable() const {
  std::string out = "PAWL_";
  for (const char c : name) out += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::span<const key> keys() { return table; }

const key* find_key(std::string_view name) {
  const auto* found = std::ranges::find(table, name, &key::name);
  return found == std::end(table) ? nullptr : found;
}

std::string allowed(const key& k) {
  switch (k.what) {
  case kind::toggle: return "true or false";
  case kind::count: return "a whole number from " + std::to_string(k.min) + " to " + std::to_string(k.max);
  case kind::bytes:
    return "a size from " + format_bytes(k.min) + " to " + format_bytes(k.max) + ", such as \"8MiB\" or plain bytes";
  case kind::duration:
    return "a time from " + format_milliseconds(k.min) + " to " + format_milliseconds(k.max) +
           ", such as \"200ms\", \"3s\", \"5m\" or plain milliseconds";
  case kind::name: return "1 to 32 of the characters a-z, 0-9 and -";
  case kind::host: return "an IP address or a host name";
  case kind::optional_host: return "an IP address, a host name or empty";
  case kind::text: return "at most " + std::to_string(k.max) + " printable characters without spaces";
  case kind::path: return "a path of at most " + std::to_string(k.max) + " bytes without control characters";
  case kind::log_level: return "trace, debug, info, warn or error";
  }
  return {};
}

std::string assign(const key& k, const setting& value, node_options& options) {
  return type_fits(k.what, value.written_as) && store(k, value.text, options) ? std::string() : rejected(k, value);
}

std::string show(const key& k, const node_options& options) {
  return std::visit(
      [&](auto member) -> std::string {
        const auto& value = options.*member;
        using value_type = std::remove_cvref_t<decltype(value)>;
        if constexpr (std::is_same_v<value_type, bool>) return value ? "true" : "false";
        else if constexpr (std::is_same_v<value_type, std::string>) return as_toml_string(value);
        else if constexpr (std::is_same_v<value_type, std::chrono::milliseconds>)
          return '"' + format_milliseconds(static_cast<std::uint64_t>(value.count())) + '"';
        else return k.what == kind::bytes ? '"' + format_bytes(value) + '"' : std::to_string(value);
      },
      k.member);
}

std::string_view nearest_key(std::string_view written) {
  const auto apart = [&](const key& k) { return std::min(distance(written, k.name), distance(written, k.leaf())); };
  const auto* best = std::ranges::min_element(table, {}, apart);
  return near(apart(*best), written) ? best->name : std::string_view();
}

std::string nearest(std::string_view written, std::span<const std::string> words) {
  const auto best = std::ranges::min_element(words, {}, [&](const std::string& w) { return distance(written, w); });
  return best != words.end() && near(distance(written, *best), written) ? *best : std::string();
}

}  // namespace pawl::config
