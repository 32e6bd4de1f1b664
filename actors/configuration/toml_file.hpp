#pragma once

#include "actors/configuration/keys.hpp"

#include <string>
#include <utility>
#include <vector>

namespace pawl::config {

/// What stands in a configuration file. Keys are `section.key` and not yet checked against the table.
struct file_content {
  std::vector<std::pair<std::string, setting>> settings;
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
};

/// Reads a TOML file of at most 1 MiB. Only regular files: opening a pipe or a device could block for ever.
[[nodiscard]] file_content read_toml_file(const std::string& path);

/// A file opened and read whole, or why not, as the end of the sentence "cannot read X: …".
struct file_bytes {
  std::string bytes;
  std::string error;
  unsigned mode = 0;  ///< permission bits
};
[[nodiscard]] file_bytes read_small_file(const std::string& path, std::size_t limit);

}  // namespace pawl::config
