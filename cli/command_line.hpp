#pragma once

#include "cli/command.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pawl::cli {

/// The arguments of the program, taken apart and held against the table of commands.
struct command_line {
  const command* what = nullptr;  ///< nothing with `errors`, and if only help or the version is asked for
  given_words words;
  bool help = false;
  bool version = false;
  std::vector<std::string> errors;  ///< fit for a terminal
};

/// @param arguments without the program's name
[[nodiscard]] command_line parse_command_line(const std::vector<std::string>& arguments);

/// Of the whole program, or of one command.
[[nodiscard]] std::string help_text();
[[nodiscard]] std::string help_text(const command& c);
/// `pawl send TYPE KEY MESSAGE [OPTIONS]`.
[[nodiscard]] std::string usage_line(const command& c);

}  // namespace pawl::cli
