#include "cli/commands/commands.hpp"
#include "cli/session.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace pawl::cli {
namespace {

/// The mistakes found, one a line, without the program's name in front of each.
std::vector<std::string> mistakes(std::string_view text) {
  constexpr std::string_view name = "pawl: ";
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.empty()) out.emplace_back(line.starts_with(name) ? line.substr(name.size()) : line);
  }
  return out;
}

}  // namespace

exit_status run_config_check(session& s) {
  const auto file = s.words.text("FILE");
  // Without the variables of this shell: the answer is about the file.
  const auto i = parse_invocation("pawl", {"--config", file, "--check-config"}, {}, PAWL_VERSION);
  const bool valid = i.what == invocation::command::check;
  const auto errors = valid ? std::vector<std::string>{} : mistakes(i.text);
  json body;
  body["verdict"] = valid ? "healthy" : "failed";
  body["file"] = file;
  body["errors"] = errors;
  body["warnings"] = i.warnings;
  auto text = s.paint(tone::strong, printable(file)) + "  " +
              (valid ? s.paint(tone::good, "VALID") : s.paint(tone::bad, "INVALID")) + '\n';
  for (const auto& e : errors) text += "  " + s.paint(tone::bad, "-") + " " + printable(e) + '\n';
  for (const auto& w : i.warnings) text += "  " + s.paint(tone::warning, "-") + " " + printable(w) + '\n';
  s.show(text, body);
  return valid ? exit_status::healthy : exit_status::failed;
}

}  // namespace pawl::cli
