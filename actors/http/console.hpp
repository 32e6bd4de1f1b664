#pragma once

#include "actors/http/exchange.hpp"

#include <string_view>

namespace pawl {

inline constexpr std::string_view console_prefix = "/console/";

/// A file of the console, `index.html` for the folder itself; 304 if the client has it already. The answer tells the
/// browser to load nothing but such files and to ask nobody but this node, whatever text the page comes to show.
///
/// @pre the path starts with `console_prefix`
[[nodiscard]] http_response console_answer(const http_request& request);

}  // namespace pawl
