#include "actors/configuration.hpp"

#include "actors/configuration/checks.hpp"
#include "actors/configuration/command_line.hpp"
#include "actors/configuration/keys.hpp"
#include "actors/configuration/report.hpp"
#include "actors/configuration/toml_file.hpp"
#include "actors/configuration/values.hpp"

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

namespace pawl {

namespace {

using config::setting;

constexpr std::uint64_t most_shards = 16'384;

void append(std::vector<std::string>& to, std::vector<std::string> from) {
  std::ranges::move(from, std::back_inserter(to));
}

std::string value_of(const environment& variables, std::string_view name) {
  const auto found = variables.find(name);
  return found == variables.end() ? std::string() : found->second;
}

/// Lays the sources over each other, from the weakest to the strongest, and keeps what was wrong with any of them.
class layers {
public:
  void lay_file(const std::string& path) {
    auto file = config::read_toml_file(path);
    append(errors, std::move(file.errors));
    append(warnings, std::move(file.warnings));
    for (const auto& [name, value] : file.settings) {
      if (const auto* k = config::find_key(name)) lay(*k, value);
      else errors.push_back(unknown_key(name, value.origin));
    }
  }

  void lay_environment(const environment& variables) {
    for (const auto& k : config::keys()) {
      const auto name = k.variable();
      const auto text = value_of(variables, name);
      if (!text.empty()) lay(k, {setting::type::untyped, text, name});
    }
    warn_of_unknown(variables);
  }

  void lay_flags(const config::command_line& line) {
    for (const auto& [k, value] : line.settings) lay(*k, value);
  }

  /// To be called last: looks at the whole.
  void finish(const environment& variables) {
    auto password = config::resolve_password(options, value_of(variables, config::password_variable));
    append(errors, std::move(password.errors));
    append(warnings, std::move(password.warnings));
    if (!errors.empty()) return;
    auto together = config::check_together(options);
    append(errors, std::move(together.errors));
    append(warnings, std::move(together.warnings));
  }

  node_options options;
  config::origins origins;
  std::vector<std::string> errors;
  std::vector<std::string> warnings;

private:
  void lay(const config::key& k, const setting& value) {
    if (auto error = config::assign(k, value, options); !error.empty()) errors.push_back(std::move(error));
    else origins.insert_or_assign(std::string(k.name), value.origin);
  }

  static std::string unknown_key(std::string_view name, const std::string& origin) {
    if (name == config::password_key) {
      return "'redis.password' at " + origin + ": a password does not belong in this file; put it into a file of its " +
             "own (redis.password_file) or into " + std::string(config::password_variable) +
             ", and change it if others could read this one";
    }
    auto text = "unknown key '" + config::printable(name) + "' at " + origin;
    if (const auto meant = config::nearest_key(name); !meant.empty())
      text += "; did you mean '" + std::string(meant) + "'?";
    return text;
  }

  /// No error, for a variable may be meant for the program around us; but a misspelt one would pass unseen.
  void warn_of_unknown(const environment& variables) {
    std::vector<std::string> known{std::string(config::password_variable), std::string(config::config_variable)};
    for (const auto& k : config::keys()) known.push_back(k.variable());
    for (const auto& [name, value] : variables) {
      if (!name.starts_with("PAWL_") || std::ranges::find(known, name) != known.end()) continue;
      const auto meant = config::nearest(name, known);
      if (!meant.empty()) {
        warnings.push_back("unknown environment variable " + config::printable(name) + "; did you mean " + meant + "?");
      }
    }
  }
};

invocation text_answer(std::string text) {
  invocation out;
  out.text = std::move(text);
  return out;
}

invocation failure(std::string_view program, const std::vector<std::string>& errors) {
  invocation out;
  out.exit_code = 2;
  for (const auto& error : errors) out.text += config::printable(program) + ": " + error + "\n";
  return out;
}

invocation parse(std::string_view program, const std::vector<std::string>& arguments, const environment& variables,
                 std::string_view version) {
  const auto line = config::parse_command_line(arguments);
  if (!line.errors.empty()) {
    auto out = failure(program, line.errors);
    out.text += "Try " + config::printable(program) + " --help\n";
    return out;
  }
  if (line.help) return text_answer(config::help_text(program));
  if (line.version) return text_answer(config::printable(program) + " " + std::string(version) + "\n");
  if (line.print_table) return text_answer(config::markdown_table());

  layers all;
  const auto path = line.config_file.value_or(value_of(variables, config::config_variable));
  if (!path.empty()) all.lay_file(path);
  all.lay_environment(variables);
  all.lay_flags(line);
  all.finish(variables);

  invocation out;
  if (line.shards) {
    const auto shards = config::parse_count(*line.shards);
    if (shards && *shards >= 1 && *shards <= most_shards) out.init_shards = static_cast<std::uint32_t>(*shards);
    else
      all.errors.push_back("--shards is " + config::in_quotes(*line.shards) + "; it must be a whole number from 1 to " +
                           std::to_string(most_shards));
  }
  if (!all.errors.empty()) {
    out = failure(program, all.errors);
    out.warnings = std::move(all.warnings);
    return out;
  }
  using command = invocation::command;
  out.what = line.print_config ? command::print_config
             : line.check      ? command::check
             : line.init       ? command::init
                               : command::serve;
  if (line.print_config) out.text = config::effective_config(all.options, all.origins);
  else if (line.check) out.text = "the configuration is valid\n";
  out.options = std::move(all.options);
  out.warnings = std::move(all.warnings);
  return out;
}

/// Runs `f`; what it throws (out of memory, at most) becomes a failure like any other.
template <class F>
invocation guarded(F f) noexcept {
  try {
    return f();
  } catch (const std::exception& e) {
    return failure("configuration", {e.what()});
  }
}

}  // namespace

environment process_environment() {
  environment out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

invocation parse_invocation(int argc, const char* const* argv, std::string_view version) noexcept {
  return guarded([&] {
    const std::string_view path = argc > 0 && argv[0] != nullptr ? argv[0] : "pawl";
    const auto program = path.substr(path.find_last_of('/') + 1);
    const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
    return parse(program, arguments, process_environment(), version);
  });
}

invocation parse_invocation(std::string_view program, const std::vector<std::string>& arguments,
                            const environment& variables, std::string_view version) noexcept {
  return guarded([&] { return parse(program, arguments, variables, version); });
}

}  // namespace pawl
