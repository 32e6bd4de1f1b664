#include "cli/command_line.hpp"

#include "actors/configuration/keys.hpp"
#include "cli/terminal.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>

namespace pawl::cli {
namespace {

/// What CLI11 collected for one option.
struct slot {
  const option* what = nullptr;
  std::vector<std::string> values;
  std::string last;  ///< of a switch, or of an option whose value may be left out
  const CLI::Option* parsed = nullptr;
};

using slots = std::vector<std::unique_ptr<slot>>;

std::string in_ticks(std::string_view text) { return "'" + printable(text) + "'"; }

/// CLI11 collects words; what they must be is in the table, and is said in one way.
void add_option(CLI::App& app, const option& o, slots& to) {
  auto& s = *to.emplace_back(std::make_unique<slot>(slot{&o, {}, {}, nullptr}));
  const auto names = (o.letter.empty() ? "" : std::string{o.letter} + ",") + std::string{o.name};
  // A flag of CLI11 takes a value behind '=' only, so that the word behind it stays an argument.
  if (o.takes_value())
    s.parsed = app.add_option(names, s.values)
                   ->expected(1)
                   ->allow_extra_args(false)
                   ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  else s.parsed = app.add_flag(names, s.last);
}

/// The app of one command, and what it collected.
struct branch {
  const command* what = nullptr;
  CLI::App* app = nullptr;
  std::vector<std::string> words;
  slots options;
};

using branches = std::vector<std::unique_ptr<branch>>;

CLI::App* child(CLI::App& parent, const std::string& name) {
  for (auto* sub : parent.get_subcommands([&](CLI::App* s) { return s->get_name() == name; })) return sub;
  auto* sub = parent.add_subcommand(name);
  sub->set_help_flag();
  sub->fallthrough();
  return sub;
}

/// `config check` becomes a command within a command.
CLI::App* descend(CLI::App& root, std::string_view name) {
  const auto space = name.find(' ');
  auto* app = child(root, std::string{name.substr(0, space)});
  if (space == name.npos) return app;
  app->require_subcommand(0, 1);
  return child(*app, std::string{name.substr(space + 1)});
}

branches add_commands(CLI::App& root) {
  branches out;
  for (const auto& c : commands()) {
    auto& b = *out.emplace_back(std::make_unique<branch>());
    b.what = &c;
    b.app = descend(root, c.name);
    // All that there are, so that too many are found where too few are.
    b.app->add_option("arguments", b.words)->expected(0, 1'000'000);
    for (const auto& o : c.options) add_option(*b.app, o, b.options);
  }
  return out;
}

void check_value(const std::string& name, value_kind kind, const std::string& text, command_line& out) {
  if (const auto allowed = complaint(kind, text); !allowed.empty())
    out.errors.push_back(name + " is " + in_ticks(text) + "; it must be " + allowed);
}

void take_options(const slots& given, command_line& out) {
  for (const auto& s : given) {
    if (s->parsed->count() == 0) continue;
    const auto& o = *s->what;
    const std::string name{o.name};
    if (!o.takes_value()) {
      // "true" is what CLI11 has for a flag without a value.
      const bool bare = s->last == "true";
      if (!bare && o.value_optional()) check_value(name, o.kind, s->last, out);
      else if (!bare) out.errors.push_back(name + " takes no value");
      out.words.add(name, bare ? std::string{} : s->last);
      continue;
    }
    if (s->values.size() > 1 && !o.repeats) out.errors.push_back(name + " may be given once");
    for (const auto& v : s->values) {
      // CLI11 takes the next option for the value of one that lacks it.
      if (v.starts_with("--")) out.errors.push_back(name + " needs a value; " + in_ticks(v) + " follows");
      else check_value(name, o.kind, v, out);
      out.words.add(name, v);
    }
  }
}

void take_arguments(const branch& b, command_line& out) {
  const auto& wanted = b.what->arguments;
  for (std::size_t i = 0; i < std::min(wanted.size(), b.words.size()); ++i) {
    check_value(std::string{wanted[i].name}, wanted[i].kind, b.words[i], out);
    out.words.add(wanted[i].name, b.words[i]);
  }
  for (auto i = wanted.size(); i < b.words.size(); ++i)
    out.errors.push_back("unexpected argument " + in_ticks(b.words[i]));
  for (auto i = b.words.size(); i < wanted.size(); ++i)
    out.errors.push_back(std::string{wanted[i].name} + " is missing: " + std::string{wanted[i].help});
}

/// Words that fit nowhere, with what was probably meant.
void take_rest(const CLI::App& root, const branch* chosen, command_line& out) {
  std::vector<std::string> known;
  if (chosen == nullptr)
    for (const auto& c : commands()) known.emplace_back(c.name.substr(0, c.name.find(' ')));
  for (const auto& o : common_options()) known.emplace_back(o.name);
  if (chosen != nullptr)
    for (const auto& o : chosen->what->options) known.emplace_back(o.name);
  auto rest = root.remaining(true);
  // What stands behind an unknown option is most likely its value: naming it as well would confuse.
  const auto is_option = [](const std::string& word) { return word.starts_with('-'); };
  if (std::any_of(rest.begin(), rest.end(), is_option))
    std::erase_if(rest, [&](const std::string& word) { return !is_option(word); });
  for (const auto& word : rest) {
    const bool flag = is_option(word);
    auto text = (flag                ? "unknown option "
                 : chosen == nullptr ? "unknown command "
                                     : "unexpected argument ") +
                in_ticks(word);
    if (const auto meant = config::nearest(word.substr(0, word.find('=')), known); !meant.empty())
      text += "; did you mean '" + meant + "'?";
    out.errors.push_back(std::move(text));
  }
}

std::string option_column(const option& o) {
  std::string out = o.letter.empty() ? "" : std::string{o.letter} + ", ";
  out += o.name;
  if (o.value_optional()) out += "[=" + std::string{o.value.substr(1)};
  else if (o.takes_value()) out += " " + std::string{o.value};
  return out;
}

std::string rows(const std::vector<std::pair<std::string, std::string_view>>& pairs) {
  std::size_t width = 0;
  for (const auto& [left, _] : pairs) width = std::max(width, left.size());
  std::string out;
  for (const auto& [left, right] : pairs)
    out += "  " + left + std::string(width - left.size() + 2, ' ') + std::string{right} + "\n";
  return out;
}

std::string option_rows(const std::vector<option>& options) {
  std::vector<std::pair<std::string, std::string_view>> pairs;
  pairs.reserve(options.size());
  for (const auto& o : options) pairs.emplace_back(option_column(o), o.help);
  return rows(pairs);
}

}  // namespace

command_line parse_command_line(const std::vector<std::string>& arguments) {
  command_line out;
  CLI::App root;
  root.set_help_flag();
  root.allow_extras();
  // At most one: behind it, a word that is also the name of a command is an argument.
  root.require_subcommand(0, 1);
  root.add_flag("-h,--help", out.help);
  root.add_flag("--version", out.version);
  slots common;
  for (const auto& o : common_options()) add_option(root, o, common);
  const auto all = add_commands(root);

  // CLI11 would give what follows to the root, since a command may be content with the arguments it has.
  const auto end = std::find(arguments.begin(), arguments.end(), "--");
  try {
    root.parse(std::vector<std::string>(std::make_reverse_iterator(end), arguments.rend()));
  } catch (const CLI::ParseError& e) {
    out.errors.push_back(printable(e.what()));
    return out;
  }
  const auto chosen = std::find_if(all.begin(), all.end(), [](const auto& b) { return b->app->parsed(); });
  auto* b = chosen == all.end() ? nullptr : chosen->get();
  if (out.help || out.version) {
    out.what = b == nullptr ? nullptr : b->what;
    return out;
  }
  take_rest(root, b, out);
  if (b == nullptr) {
    if (out.errors.empty()) out.errors.emplace_back("a command is missing");
    return out;
  }
  if (end != arguments.end()) b->words.insert(b->words.end(), end + 1, arguments.end());
  take_options(common, out);
  take_options(b->options, out);
  take_arguments(*b, out);
  if (out.errors.empty()) out.what = b->what;
  return out;
}

std::string usage_line(const command& c) {
  std::string out = "pawl " + std::string{c.name};
  for (const auto& a : c.arguments) out += " " + std::string{a.name};
  return out + (c.options.empty() ? "" : " [OPTIONS]");
}

std::string help_text() {
  std::vector<std::pair<std::string, std::string_view>> pairs;
  for (const auto& c : commands()) {
    auto left = usage_line(c).substr(std::string_view{"pawl "}.size());
    pairs.emplace_back(left.substr(0, left.find(" [OPTIONS]")), c.help);
  }
  return "Usage: pawl COMMAND [OPTIONS]\n\nLooks at a Pawl cluster and works with it, over the HTTP door of its "
         "nodes.\n\n"
         "Commands; pawl COMMAND --help has more:\n" +
         rows(pairs) + "\nOptions of all commands:\n" + option_rows(common_options()) +
         "\nExit status: 0 healthy or done, 1 failed, 2 wrong usage, 3 degraded, 4 no node answers.\n";
}

std::string help_text(const command& c) {
  auto out = "Usage: " + usage_line(c) + "\n\n" + std::string{c.help} + ".\n";
  std::vector<std::pair<std::string, std::string_view>> pairs;
  for (const auto& a : c.arguments) pairs.emplace_back(a.name, a.help);
  if (!pairs.empty()) out += "\nArguments:\n" + rows(pairs);
  if (!c.options.empty()) out += "\nOptions:\n" + option_rows(c.options);
  return out + "\nOptions of all commands:\n" + option_rows(common_options());
}

}  // namespace pawl::cli
