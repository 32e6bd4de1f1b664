#pragma once

#include "actors/node_options.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pawl {

/// What a command line asks for, with everything needed to do it.
struct invocation {
  enum class command : std::uint8_t {
    serve,         ///< run a node with `options`
    init,          ///< create the dataset with `init_shards` shards, then leave
    check,         ///< the configuration is valid; print `text`
    print_config,  ///< print `text`: effective values and where they come from
    show_text,     ///< print `text`: help, version, or what is wrong
  };
  command what = command::show_text;
  node_options options;             ///< valid for every command except show_text
  std::uint32_t init_shards = 256;  ///< 1 … 16384
  std::string text;                 ///< ends with a newline; to stdout if `exit_code` is 0, else to stderr
  std::vector<std::string> warnings;
  int exit_code = 0;  ///< of check, print_config and show_text: 0 fine, 2 usage or configuration error
};

/// Environment variables by name.
using environment = std::map<std::string, std::string, std::less<>>;

/// Those of the process. To be called before other threads change them.
[[nodiscard]] environment process_environment();

/// Reads flags, the environment and the file named by `--config` or PAWL_CONFIG into an invocation; a flag wins over
/// the environment, that over the file, that over the defaults of `node_options`. Prints nothing, never exits, never
/// throws: whatever is wrong comes back as `show_text` with exit code 2 and one line for each mistake found.
/// Reads the environment of the process: call it before other threads change that.
[[nodiscard]] invocation parse_invocation(int argc, const char* const* argv, std::string_view version) noexcept;

/// The same for given arguments (without the program's name) and environment.
[[nodiscard]] invocation parse_invocation(std::string_view program, const std::vector<std::string>& arguments,
                                          const environment& variables, std::string_view version) noexcept;

}  // namespace pawl
