#include "actors/configuration/report.hpp"

#include "actors/configuration/keys.hpp"
#include "actors/configuration/values.hpp"

namespace pawl::config {

namespace {

constexpr std::string_view commands_help =
    R"(  (none)                run a node until SIGTERM, then hand its shards over and leave
  init [--shards N]     create the dataset in Redis, with 1 to 16384 shards (256); needs [redis] and --cluster
  --check-config        say whether the configuration is valid, and leave
  --print-config        print the effective configuration and where each value comes from
  --version, -h, --help

A flag wins over its variable, that over the file (--config FILE or PAWL_CONFIG, TOML), that over the default. An empty
variable counts as not set. The password of Redis is read from redis.password_file or PAWL_REDIS_PASSWORD only.
)";

constexpr std::string_view exit_help = R"(
Exit status: 0 done, 1 failed, 2 usage or configuration error.
)";

std::string_view placeholder(kind k) {
  switch (k) {
  case kind::toggle: return "";
  case kind::count: return " N";
  case kind::bytes: return " SIZE";
  case kind::duration: return " TIME";
  case kind::name: return " NAME";
  case kind::host:
  case kind::optional_host: return " HOST";
  case kind::text: return " TEXT";
  case kind::path: return " FILE";
  case kind::log_level: return " LEVEL";
  }
  return "";
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

/// Calls `section(name)` before the keys of each section.
template <class Section, class Key>
void for_each_key(Section section, Key each) {
  std::string_view current;
  for (const auto& k : keys()) {
    if (k.section() != current) section(current = k.section());
    each(k);
  }
}

}  // namespace

std::string help_text(std::string_view program) {
  std::string out = "Usage: " + printable(program) + " [init] [flags]\n\n" + std::string(commands_help);
  const node_options defaults;
  const auto section = [&](std::string_view name) { out += "\n[" + std::string(name) + "]\n"; };
  for_each_key(section, [&](const key& k) {
    out += "  " + padded(std::string(k.flag) + std::string(placeholder(k.what)), 32) + std::string(k.help) + "\n";
    out += padded("", 34) + std::string(k.name) + " = " + show(k, defaults) + "; " + k.variable() + "\n";
  });
  return out + std::string(exit_help);
}

std::string markdown_table() {
  std::string out = "| Key | Flag | Variable | Default | Allowed | Meaning |\n|---|---|---|---|---|---|\n";
  const node_options defaults;
  for (const auto& k : keys()) {
    out += "| `" + std::string(k.name) + "` | `" + std::string(k.flag) + "` | `" + k.variable() + "` | `" +
           show(k, defaults) + "` | " + allowed(k) + " | " + std::string(k.help) + " |\n";
  }
  return out + "| – | – | `" + std::string(password_variable) +
         "` | not set | at most 4096 bytes | password of Redis, if `redis.password_file` is not set |\n" +
         "| – | `--config` | `" + std::string(config_variable) +
         "` | not set | a path | the TOML file with the keys above |\n";
}

std::string effective_config(const node_options& options, const origins& from) {
  std::string out;
  const auto section = [&](std::string_view name) {
    out += std::string(out.empty() ? "[" : "\n[") + std::string(name) + "]\n";
  };
  for_each_key(section, [&](const key& k) {
    const auto origin = from.find(k.name);
    out += padded(std::string(k.leaf()) + " = " + show(k, options), 40) + " # " +
           (origin == from.end() ? "default" : printable(origin->second)) + "\n";
    if (k.name == "redis.password_file") {
      out += std::string("# the password is ") + (options.redis_password.empty() ? "not set" : "set, and not shown") +
             "\n";
    }
  });
  return out;
}

}  // namespace pawl::config
