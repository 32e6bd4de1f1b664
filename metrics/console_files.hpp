#pragma once

#include <optional>
#include <string_view>

namespace pawl {

/// A file of `metrics/console`, part of the program. All views are valid for as long as it runs.
struct console_file {
  std::string_view name;  ///< such as "console.js"
  std::string_view etag;  ///< of its content, with the quotes
  std::string_view text;
};

[[nodiscard]] std::optional<console_file> find_console_file(std::string_view name) noexcept;

}  // namespace pawl
