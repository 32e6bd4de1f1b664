#include "actors/configuration/command_line.hpp"

#include "actors/configuration/values.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <iterator>
#include <memory>

namespace pawl::config {

namespace {

/// One flag of the table and the text given for it.
struct flag {
  const key* k = nullptr;
  std::string text;
  const CLI::Option* option = nullptr;
};

/// All values are taken as text: the table of keys checks them, in the same words as those of the file.
std::vector<std::unique_ptr<flag>> add_table(CLI::App& app) {
  std::vector<std::unique_ptr<flag>> flags;
  for (const auto& k : keys()) {
    auto& f = *flags.emplace_back(std::make_unique<flag>(flag{&k, {}, nullptr}));
    const std::string name(k.flag);
    f.option = k.what == kind::toggle ? app.add_flag(name, f.text) : app.add_option(name, f.text);
  }
  return flags;
}

std::vector<std::string> known_words(const CLI::App& app) {
  std::vector<std::string> words{"init"};
  for (const auto* option : app.get_options()) words.push_back("--" + option->get_lnames().front());
  return words;
}

std::vector<std::string> complaints(std::vector<std::string> rest, const CLI::App& app) {
  std::vector<std::string> out;
  // What stands behind an unknown flag is most likely its value: naming it as well would confuse.
  const auto is_flag = [](const std::string& word) { return word.starts_with('-'); };
  if (std::ranges::any_of(rest, is_flag)) std::erase_if(rest, [&](const std::string& word) { return !is_flag(word); });
  for (const auto& word : rest) {
    const auto name = word.substr(0, word.find('='));
    auto text = (is_flag(word) ? "unknown flag " : "unexpected argument ") + in_quotes(name);
    const auto candidates = known_words(app);
    const auto meant = nearest(name, candidates);
    if (name == "--shards") text += "; it goes with 'init'";
    else if (name == "--redis-password")
      text += "; a password on the command line is seen by every user of the machine: use " +
              std::string(password_variable) + " or --redis-password-file";
    else if (!meant.empty()) text += "; did you mean '" + meant + "'?";
    out.push_back(std::move(text));
  }
  return out;
}

}  // namespace

command_line parse_command_line(const std::vector<std::string>& arguments) {
  command_line out;
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  app.add_flag("-h,--help", out.help);
  app.add_flag("--version", out.version);
  app.add_flag("--check-config", out.check);
  app.add_flag("--print-config", out.print_config);
  app.add_flag("--print-config-table", out.print_table);
  const auto* config = app.add_option("--config", out.config_file);
  const auto flags = add_table(app);

  auto* init = app.add_subcommand("init");
  init->fallthrough();
  init->add_option("--shards", out.shards);

  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ArgumentMismatch& e) {
    const std::string_view text(e.what());
    out.errors.push_back(printable(text.substr(0, text.find(':'))) + " takes one value, and may be given once");
    return out;
  } catch (const CLI::ParseError& e) {
    out.errors.push_back(printable(e.what()));
    return out;
  }
  if (config->count() != 0 && out.config_file->empty()) out.errors.emplace_back("--config needs the name of a file");
  out.init = init->parsed();
  std::ranges::move(complaints(app.remaining(true), app), std::back_inserter(out.errors));
  for (const auto& f : flags) {
    if (f->option->count() == 0) continue;
    // CLI11 takes the next flag for the value of one that lacks it, and "--cluster" would even pass for a node name.
    if (f->text.starts_with("--")) {
      out.errors.push_back(std::string(f->k->flag) + " needs a value; " + in_quotes(f->text) + " follows");
    }
    out.settings.emplace_back(f->k, setting{setting::type::untyped, f->text, std::string(f->k->flag)});
  }
  return out;
}

}  // namespace pawl::config
