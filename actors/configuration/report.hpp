#pragma once

#include "actors/node_options.hpp"

#include <map>
#include <string>
#include <string_view>

/// The table of keys in the forms people read it.
namespace pawl::config {

[[nodiscard]] std::string help_text(std::string_view program);

/// Markdown, for the README.
[[nodiscard]] std::string markdown_table();

/// Where the value of a key came from; keys not in it have their default.
using origins = std::map<std::string, std::string, std::less<>>;

/// A file that would give the same options, with the origin of each value beside it. Never shows the password.
[[nodiscard]] std::string effective_config(const node_options& options, const origins& from);

}  // namespace pawl::config
