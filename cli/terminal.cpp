#include "cli/terminal.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace pawl::cli {
namespace {

constexpr bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// The character at the front of `text`: its bytes and its number. No bytes if the front is no UTF-8.
struct character {
  std::size_t bytes = 0;
  std::uint32_t number = 0;
};

character first_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {1, lead};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  std::uint32_t number = lead & (0xffU >> (bytes + 1));
  for (const char c : text.substr(1, bytes - 1)) {
    if (!continues(c)) return {};
    number = number << 6 | (static_cast<unsigned char>(c) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = number >= 0xd800 && number <= 0xdfff;
  return number < smallest[bytes] || number > 0x10ffff || surrogate ? character{} : character{bytes, number};
}

constexpr bool harmless(std::uint32_t c) {
  const bool control = c < 0x20 || (c >= 0x7f && c <= 0x9f);
  // Marks and overrides of direction, separators of lines, and the byte order mark: each can make a line read as
  // another.
  const bool invisible = c == 0x61c || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
                         (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
  return !control && !invisible;
}

std::string escaped(const char* format, unsigned value) {
  std::array<char, 16> out{};
  std::snprintf(out.data(), out.size(), format, value);
  return out.data();
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto c = first_of(text);
    const auto bytes = std::max<std::size_t>(c.bytes, 1);
    if (c.bytes == 0 || c.number < 0x80) {
      if (c.bytes != 0 && harmless(c.number)) out += text.front();
      else out += escaped("\\x%02x", static_cast<unsigned char>(text.front()));
    } else if (harmless(c.number)) {
      out += text.substr(0, bytes);
    } else {
      out += escaped("\\u{%x}", c.number);
    }
    text.remove_prefix(bytes);
  }
  return out;
}

std::size_t columns(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

std::string painter::operator()(tone t, std::string_view text) const {
  static constexpr std::array<std::string_view, 5> starts{"", "\x1b[1m", "\x1b[32m", "\x1b[33m", "\x1b[31m"};
  if (!colours_ || t == tone::plain || text.empty()) return std::string{text};
  return std::string{starts[static_cast<std::size_t>(t)]} + std::string{text} + "\x1b[0m";
}

}  // namespace pawl::cli
