#pragma once

#include "actors/configuration/keys.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pawl::config {

/// The arguments of a program, taken apart. Values are not yet checked against the table of keys.
struct command_line {
  std::vector<std::pair<const key*, setting>> settings;
  std::optional<std::string> config_file;
  bool help = false;
  bool version = false;
  bool check = false;
  bool print_config = false;
  bool print_table = false;
  bool init = false;
  std::optional<std::string> shards;
  std::vector<std::string> errors;
};

[[nodiscard]] command_line parse_command_line(const std::vector<std::string>& arguments);

}  // namespace pawl::config
