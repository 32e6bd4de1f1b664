#include "cli/completion.hpp"

#include "cli/command.hpp"

#include <algorithm>
#include <set>
#include <vector>

// Each script first finds the command: the words before the cursor that are neither options nor values of options. Then
// it offers values after an option that takes one, else the options and what the next argument can be.

namespace pawl::cli {
namespace {

std::string first_word(std::string_view name) { return std::string{name.substr(0, name.find(' '))}; }
std::string second_word(std::string_view name) {
  const auto space = name.find(' ');
  return space == name.npos ? std::string{} : std::string{name.substr(space + 1)};
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string out;
  for (const auto& w : words) out += (out.empty() ? "" : std::string{between}) + w;
  return out;
}

std::vector<std::string> first_words() {
  std::vector<std::string> out;
  for (const auto& c : commands())
    if (const auto w = first_word(c.name); std::find(out.begin(), out.end(), w) == out.end()) out.push_back(w);
  return out;
}

/// The commands that begin with this word: one, or those of a group.
std::vector<const command*> commands_of(const std::string& first) {
  std::vector<const command*> out;
  for (const auto& c : commands())
    if (first_word(c.name) == first) out.push_back(&c);
  return out;
}

/// Empty if the word is a command by itself.
std::vector<std::string> second_words(const std::string& first) {
  std::vector<std::string> out;
  for (const auto* c : commands_of(first))
    if (auto word = second_word(c->name); !word.empty()) out.push_back(std::move(word));
  return out;
}

/// All options, each once: the same name takes the same kind of value in each command.
std::vector<option> all_options() {
  std::vector<option> out = common_options();
  std::set<std::string_view> seen;
  for (const auto& o : out) seen.insert(o.name);
  for (const auto& c : commands())
    for (const auto& o : c.options)
      if (seen.insert(o.name).second) out.push_back(o);
  return out;
}

std::vector<std::string> names_of(const std::vector<option>& options) {
  std::vector<std::string> out;
  for (const auto& o : options) {
    if (!o.letter.empty()) out.emplace_back(o.letter);
    out.emplace_back(o.name);
  }
  return out;
}

std::vector<std::string> choice_words(value_kind kind) {
  std::vector<std::string> out;
  for (const auto& c : choices(kind)) out.emplace_back(c);
  return out;
}

/// What a bash `case` does for a value of this kind.
std::string bash_values(value_kind kind) {
  if (kind == value_kind::path) return "mapfile -t COMPREPLY < <(compgen -f -- \"$current\")";
  const auto words = joined(choice_words(kind), " ");
  if (words.empty()) return "COMPREPLY=()";
  return "mapfile -t COMPREPLY < <(compgen -W '" + words + "' -- \"$current\")";
}

/// First words of the commands of two.
std::vector<std::string> groups() {
  auto out = first_words();
  std::erase_if(out, [](const std::string& first) { return second_words(first).empty(); });
  return out;
}

/// Options with a value, each with its letter, as patterns of `case`; and what to offer for each.
struct bash_options {
  std::vector<std::string> patterns;
  std::string cases;

  bash_options() {
    for (const auto& o : all_options()) {
      if (!o.takes_value()) continue;
      patterns.push_back(joined(names_of({o}), " | "));
      cases += "    " + patterns.back() + ")\n      " + bash_values(o.kind) + "\n      return\n      ;;\n";
    }
  }
};

/// What to offer behind each command.
std::string bash_commands() {
  std::string out = "    '') words='" + joined(first_words(), " ") + "' ;;\n";
  for (const auto& first : groups()) out += "    " + first + ") words='" + joined(second_words(first), " ") + "' ;;\n";
  for (const auto& c : commands()) {
    out += "    '" + std::string{c.name} + "')\n      options+=' " + joined(names_of(c.options), " ") + "'\n";
    if (!c.arguments.empty()) {
      const auto kind = c.arguments.front().kind;
      if (const auto words = joined(choice_words(kind), " "); !words.empty()) out += "      words='" + words + "'\n";
      if (kind == value_kind::path) out += "      files=1\n";
    }
    out += "      ;;\n";
  }
  return out;
}

std::string bash_script() {
  const bash_options options;
  return "# bash completion for pawl; made by: pawl completion bash\n"
         "_pawl() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
         "  local command='' words='' files='' i\n"
         "  local options='" +
         joined(names_of(common_options()), " ") +
         " --help --version'\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case ${COMP_WORDS[i]} in\n"
         "      " +
         joined(options.patterns, " | ") +
         ") ((i++)) ;;\n"
         "      -*) ;;\n"
         "      *)\n"
         "        command+=${command:+ }${COMP_WORDS[i]}\n"
         "        case $command in\n"
         "          " +
         joined(groups(), " | ") +
         ") ;;\n"
         "          *) break ;;\n"
         "        esac\n"
         "        ;;\n"
         "    esac\n"
         "  done\n"
         "  case $previous in\n" +
         options.cases +
         "  esac\n"
         "  case $command in\n" +
         bash_commands() +
         "  esac\n"
         "  if [[ $current == -* ]]; then words=$options; fi\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
         "  if [[ -n $files && $current != -* ]]; then mapfile -t COMPREPLY < <(compgen -f -- \"$current\"); fi\n"
         "}\n"
         "complete -o filenames -F _pawl pawl\n";
}

/// In single quotes of zsh and fish, and within a spec of `_arguments`.
std::string spec_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':') out += '\\';
    if (c == '\'') out += "'\\''";
    else out += c;
  }
  return out;
}

std::string zsh_action(value_kind kind) {
  if (kind == value_kind::path) return "_files";
  const auto words = joined(choice_words(kind), " ");
  return words.empty() ? " " : "(" + words + ")";
}

std::string zsh_option(const option& o) {
  std::string out;
  std::vector<std::string_view> names{o.name};
  if (!o.letter.empty()) names.insert(names.begin(), o.letter);
  for (const auto& name : names) {
    out += " \\\n      '" + std::string{o.repeats ? "*" : ""} + std::string{name} + (o.value_optional() ? "=-" : "") +
           "[" + spec_text(o.help) + "]";
    if (o.takes_value()) out += ":" + spec_text(o.value) + ":" + zsh_action(o.kind);
    if (o.value_optional()) out += "::SECONDS: ";
    out += "'";
  }
  return out;
}

std::string zsh_arguments(const command& c) {
  std::string specs;
  for (const auto& o : c.options) specs += zsh_option(o);
  for (std::size_t i = 0; i < c.arguments.size(); ++i) {
    const auto& a = c.arguments[i];
    specs += " \\\n      '" + std::to_string(i + 1) + ":" + spec_text(a.name) + ":" + zsh_action(a.kind) + "'";
  }
  return "_arguments $common" + specs + " ;;\n";
}

/// What to offer behind the first word. Within a group the second word takes the place of the first.
std::string zsh_case(const std::string& first) {
  const auto all = commands_of(first);
  const auto seconds = second_words(first);
  if (seconds.empty()) return "    " + first + ") " + zsh_arguments(*all.front());
  auto out = "    " + first + ")\n      if ((CURRENT == 2)); then compadd " + joined(seconds, " ") +
             "; return; fi\n      shift words; ((CURRENT--))\n      case $words[1] in\n";
  for (const auto* c : all) out.append("      ").append(second_word(c->name)).append(") ").append(zsh_arguments(*c));
  return out + "      esac ;;\n";
}

std::string zsh_script() {
  std::string options;
  for (const auto& o : common_options()) options += zsh_option(o);
  std::string names;
  std::string cases;
  for (const auto& first : first_words()) {
    names += "    '" + first + ":" + spec_text(commands_of(first).front()->help) + "'\n";
    cases += zsh_case(first);
  }
  return "#compdef pawl\n"
         "# zsh completion for pawl; made by: pawl completion zsh\n"
         "_pawl() {\n"
         "  local state line\n"
         "  local -a commands common\n"
         "  commands=(\n" +
         names +
         "  )\n"
         "  common=(" +
         options +
         " \\\n      '--help[what a command takes]')\n"
         "  _arguments -C $common '1:command:->command' '*::argument:->argument'\n"
         "  case $state in\n"
         "    command) _describe command commands ;;\n"
         "    argument)\n"
         "  case $words[1] in\n" +
         cases +
         "  esac ;;\n"
         "  esac\n"
         "}\n"
         "if [ \"$funcstack[1]\" = _pawl ]; then _pawl \"$@\"; else compdef _pawl pawl; fi\n";
}

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

/// One rule: under this condition, offer that.
std::string fish_rule(const std::string& condition, const std::string& offer) {
  return "complete -c pawl" + (condition.empty() ? "" : " -n " + condition) + offer + "\n";
}

std::string fish_word(std::string_view word, std::string_view help) {
  return " -a " + fish_quoted(word) + " -d " + fish_quoted(help);
}

std::string fish_choices(value_kind kind) {
  const auto words = joined(choice_words(kind), " ");
  return words.empty() ? std::string{} : " -a " + fish_quoted(words);
}

std::string fish_option(const std::string& condition, const option& o) {
  auto out = " -l " + std::string{o.name.substr(2)};
  if (!o.letter.empty()) out += " -s " + std::string{o.letter.substr(1)};
  if (o.takes_value()) out += o.kind == value_kind::path ? " -r -F" : " -x";
  return fish_rule(condition, out + fish_choices(o.kind) + " -d " + fish_quoted(o.help));
}

std::string fish_command(const command& c) {
  const auto second = second_word(c.name);
  // Behind the last word of its name; in a group that word alone could stand for another command's argument.
  auto within = "'__fish_seen_subcommand_from " + first_word(c.name);
  if (!second.empty()) within += "; and __fish_seen_subcommand_from " + second;
  within += "'";
  std::string out;
  for (const auto& o : c.options) out += fish_option(within, o);
  if (c.arguments.empty()) return out;
  const auto kind = c.arguments.front().kind;
  if (kind == value_kind::path) out += fish_rule(within, " -F");
  if (const auto words = fish_choices(kind); !words.empty()) out += fish_rule(within, words);
  return out;
}

std::string fish_names(const std::string& first) {
  const auto all = commands_of(first);
  auto out = fish_rule("__fish_use_subcommand", fish_word(first, all.front()->help));
  const auto seconds = second_words(first);
  if (seconds.empty()) return out;
  const auto within =
      "'__fish_seen_subcommand_from " + first + "; and not __fish_seen_subcommand_from " + joined(seconds, " ") + "'";
  for (const auto* c : all) out += fish_rule(within, fish_word(second_word(c->name), c->help));
  return out;
}

std::string fish_script() {
  auto out = "# fish completion for pawl; made by: pawl completion fish\n" + fish_rule("", " -f");
  for (const auto& o : common_options()) out += fish_option("", o);
  out += fish_rule("", " -l help -s h -d 'what a command takes'");
  for (const auto& first : first_words()) out += fish_names(first);
  for (const auto& c : commands()) out += fish_command(c);
  return out;
}

}  // namespace

std::string completion_script(std::string_view shell) {
  if (shell == "zsh") return zsh_script();
  if (shell == "fish") return fish_script();
  return bash_script();
}

}  // namespace pawl::cli
