// The command an operator types: looks at a cluster over the HTTP door of its nodes. README.md shows it at work.
#include "cli/command_line.hpp"
#include "cli/session.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace pawl::cli {
namespace {

int print(std::FILE* to, const std::string& text, exit_status status) {
  std::fputs(text.c_str(), to);
  return static_cast<int>(status);
}

std::string variable(const environment& variables, std::string_view name) {
  const auto found = variables.find(name);
  return found == variables.end() ? std::string{} : found->second;
}

/// Addresses between commas or spaces; what is none is an error.
std::vector<node_url> nodes_in(std::string_view list, std::vector<std::string>& errors) {
  constexpr std::string_view between = ", \t\n";
  std::vector<node_url> out;
  for (auto at = list.find_first_not_of(between); at != list.npos; at = list.find_first_not_of(between, at)) {
    const auto end = std::min(list.find_first_of(between, at), list.size());
    const auto word = list.substr(at, end - at);
    if (const auto url = parse_node_url(word)) out.push_back(*url);
    else errors.push_back("PAWL_NODES has '" + printable(word) + "'; it must be " + complaint(value_kind::url, word));
    at = end;
  }
  return out;
}

std::vector<node_url> nodes_to_ask(const given_words& words, const environment& variables,
                                   std::vector<std::string>& errors) {
  std::vector<node_url> out;
  for (const auto& text : words.all("--node")) out.push_back(*parse_node_url(text));
  if (out.empty()) out = nodes_in(variable(variables, "PAWL_NODES"), errors);
  if (out.empty()) out.push_back(*parse_node_url(default_node));
  return out;
}

exit_status run_again_and_again(session& s, const command& c) {
  const auto pause = s.words.duration(watch_option, std::chrono::seconds{2});
  for (bool first = true;;) {
    const bool text = s.format == session::output::for_people;
    if (text) std::fputs(s.screen ? "\x1b[H\x1b[2J" : first ? "" : "\n", stdout);
    first = false;
    if (const auto end = c.run(s); end == exit_status::usage) return end;
    if (std::ferror(stdout) != 0) return exit_status::failed;
    std::this_thread::sleep_for(pause);
  }
}

int run(const std::vector<std::string>& arguments) {
  const auto line = parse_command_line(arguments);
  if (line.version) return print(stdout, "pawl " PAWL_VERSION "\n", exit_status::healthy);
  if (line.help) return print(stdout, line.what == nullptr ? help_text() : help_text(*line.what), exit_status::healthy);
  auto errors = line.errors;
  session s;
  s.variables = process_environment();
  s.words = line.words;
  s.nodes = nodes_to_ask(s.words, s.variables, errors);
  if (!errors.empty()) {
    for (const auto& e : errors) session::say(e);
    session::say("try pawl --help");
    return static_cast<int>(exit_status::usage);
  }
  s.command = line.what->name;
  s.timeout = s.words.duration("--timeout", std::chrono::seconds{2});
  s.format = s.words.text("--output") == "json" ? session::output::for_programs : session::output::for_people;
  s.screen = ::isatty(STDOUT_FILENO) != 0;
  s.terminal = s.screen && ::isatty(STDIN_FILENO) != 0;
  s.paint = painter{s.screen && s.format == session::output::for_people && !s.words.has("--no-color") &&
                    variable(s.variables, "NO_COLOR").empty()};
  const auto status = s.words.has(watch_option) ? run_again_and_again(s, *line.what) : line.what->run(s);
  // A full disk or a closed pipe: what was to be said has not been.
  return std::ferror(stdout) != 0 ? static_cast<int>(exit_status::failed) : static_cast<int>(status);
}

}  // namespace
}  // namespace pawl::cli

int main(int argc, char** argv) {
  try {
    return pawl::cli::run({argv + (argc > 0 ? 1 : 0), argv + argc});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "pawl: %s\n", e.what());
    return 1;
  }
}
