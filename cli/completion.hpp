#pragma once

#include <string>
#include <string_view>

namespace pawl::cli {

/// A script that completes the command line of `pawl`, made from the table of commands.
/// @pre `shell` is bash, zsh or fish
[[nodiscard]] std::string completion_script(std::string_view shell);

}  // namespace pawl::cli
