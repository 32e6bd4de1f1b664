#pragma once

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace pawl {

/// The whole text as a decimal number; nothing if it is none, or does not fit.
template <class Unsigned>
[[nodiscard]] std::optional<Unsigned> number_in(std::string_view text) {
  Unsigned n = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), n);
  if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size()) return std::nullopt;
  return n;
}

}  // namespace pawl
