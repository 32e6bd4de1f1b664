#pragma once

#include "actors/configuration.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace pawl::testing {

/// A directory of its own for the files of one test, removed with it.
class scratch_directory {
public:
  scratch_directory() {
    std::string pattern = std::filesystem::temp_directory_path() / "pawl-configuration-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a directory like " + pattern);
    path_ = pattern;
  }
  ~scratch_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return path_ / name; }

  /// Writes a file and returns its path.
  [[nodiscard]] std::string file(const std::string& name, const std::string& content, ::mode_t mode = 0600) const {
    auto where = path(name);
    std::ofstream(where, std::ios::binary) << content;
    if (::chmod(where.c_str(), mode) != 0) throw std::runtime_error("cannot chmod " + where);
    return where;
  }

private:
  std::filesystem::path path_;
};

[[nodiscard]] inline invocation parse(const std::vector<std::string>& arguments, const environment& variables = {}) {
  return parse_invocation("orders", arguments, variables, "1.2.3");
}

/// The errors that a file of this content gives.
[[nodiscard]] inline std::string errors_of_file(const std::string& content) {
  const scratch_directory scratch;
  const auto answer = parse({"--config", scratch.file("node.toml", content)});
  return answer.exit_code == 2 ? answer.text : std::string();
}

}  // namespace pawl::testing
