#include "cli/completion.hpp"

#include "cli/command.hpp"
#include "tests/contract/redis_server.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

// The scripts and the manual page against the table of commands. What a shell or a formatter must say is asked of the
// real ones, where they are installed.

namespace pawl::cli {
namespace {

/// What a shell command writes; ends with its exit status on a line of its own.
std::string output_of(const std::string& command) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe{::popen((command + " 2>&1; echo \"= $?\"").c_str(), "r"),
                                                             &::pclose};
  std::string out;
  std::array<char, 4096> buffer;
  while (const auto n = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) out.append(buffer.data(), n);
  return out;
}

bool installed(const std::string& program) { return output_of("command -v " + program).ends_with("= 0\n"); }

class Completion : public ::testing::Test {
protected:
  std::string file_of(const std::string& shell) {
    auto path = folder.path() + "/" + shell;
    std::ofstream{path} << completion_script(shell);
    return path;
  }
  /// What bash offers behind these words; the last one is being typed.
  std::string offered(const std::string& words) {
    return output_of("bash -c '. " + file_of("bash") + "; COMP_WORDS=(" + words +
                     "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _pawl; echo \"${COMPREPLY[@]}\"'");
  }
  testing::temporary_directory folder;
};

TEST_F(Completion, EachScriptIsOneItsShellCanRead) {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    if (!installed(shell)) {
      EXPECT_NE(shell, "bash");
      continue;
    }
    EXPECT_EQ(output_of(shell + " -n " + file_of(shell)), "= 0\n") << shell;
  }
}

TEST_F(Completion, EachScriptNamesEachCommandAndOption) {
  for (const auto* shell : {"bash", "zsh", "fish"}) {
    const auto script = completion_script(shell);
    const auto dashes = std::string{shell} == "fish" ? "-l " : "--";
    const auto expect_named = [&](const option& o) {
      EXPECT_NE(script.find(dashes + std::string{o.name.substr(2)}), script.npos) << shell << " " << o.name;
    };
    for (const auto& c : commands()) {
      EXPECT_NE(script.find(c.name.substr(c.name.find(' ') + 1)), script.npos) << shell << " " << c.name;
      for (const auto& o : c.options) expect_named(o);
    }
    for (const auto& o : common_options()) expect_named(o);
  }
}

TEST_F(Completion, BashOffersWhatFits) {
  EXPECT_EQ(offered("pawl st"), "status\n= 0\n");
  EXPECT_EQ(offered(R"(pawl config "")"), "check\n= 0\n");
  EXPECT_EQ(offered(R"(pawl --node a:1 completion "")"), "bash zsh fish\n= 0\n");
  EXPECT_EQ(offered("pawl send --pay"), "--payload\n= 0\n");
  EXPECT_EQ(offered(R"(pawl status -o "")"), "table json\n= 0\n");
  EXPECT_EQ(offered("pawl status --pay"), "\n= 0\n") << "an option of another command";
  EXPECT_EQ(offered("pawl config check " + folder.path() + "/ba"), folder.path() + "/bash\n= 0\n");
}

TEST_F(Completion, ZshTakesItAsACompletion) {
  if (!installed("zsh")) GTEST_SKIP();
  EXPECT_EQ(output_of("zsh -f -c 'autoload -Uz compinit && compinit -u -D && source " + file_of("zsh") +
                      " && print $_comps[pawl]'"),
            "_pawl\n= 0\n");
}

TEST_F(Completion, FishOffersWhatFits) {
  if (!installed("fish")) GTEST_SKIP();
  const auto said = output_of("HOME=" + folder.path() + " fish -N -c 'source " + file_of("fish") +
                              "; complete -C \"pawl config \"; complete -C \"pawl completion \"'");
  EXPECT_NE(said.find("check\t"), said.npos) << said;
  EXPECT_NE(said.find("zsh"), said.npos) << said;
}

const std::string manual_path = PAWL_MANUAL;

std::string manual() {
  std::ifstream file{manual_path};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// In the manual `--sent-at` is `.Fl -sent-at`, and a command's heading is `.It Cm send Ar TYPE …`.
TEST(Manual, HasEachCommandAndOptionAndNoOthers) {
  const auto text = manual();
  ASSERT_FALSE(text.empty());
  std::size_t headings = 0;
  for (const auto& c : commands()) {
    auto heading = "\n.It Cm " + std::string{c.name};
    for (const auto& a : c.arguments) heading += " Ar " + std::string{a.name};
    EXPECT_NE(text.find(heading + "\n"), text.npos) << heading;
    for (const auto& o : c.options)
      EXPECT_NE(text.find(".It Fl " + std::string{o.name.substr(1)}), text.npos) << o.name;
    ++headings;
  }
  for (const auto& o : common_options())
    EXPECT_NE(text.find("Fl " + std::string{o.name.substr(1)}), text.npos) << o.name;
  for (auto at = text.find("\n.It Cm "); at != text.npos; at = text.find("\n.It Cm ", at + 1)) --headings;
  EXPECT_EQ(headings, 0u) << "the manual has another number of commands";
  for (auto at = text.find(".It Fl -"); at != text.npos; at = text.find(".It Fl -", at + 1)) {
    const auto begin = at + std::string_view{".It Fl "}.size();
    const auto name = "-" + text.substr(begin, text.find_first_of(" \n", begin) - begin);
    bool known = name == "--help" || name == "--version";
    for (const auto& o : common_options()) known = known || o.name == name;
    for (const auto& c : commands())
      for (const auto& o : c.options) known = known || o.name == name;
    EXPECT_TRUE(known) << name << " is in the manual and not in the table";
  }
}

TEST(Manual, IsFormattedWithoutAWarning) {
  if (installed("mandoc")) {
    EXPECT_EQ(output_of("mandoc -T lint -W warning " + manual_path), "= 0\n");
  }
  if (installed("man") && installed("groff")) {
    EXPECT_EQ(output_of("LC_ALL=C.UTF-8 MANWIDTH=80 man -l --warnings " + manual_path + " >/dev/null"), "= 0\n");
  }
}

}  // namespace
}  // namespace pawl::cli
