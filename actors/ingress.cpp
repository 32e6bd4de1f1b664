#include "actors/ingress.hpp"

#include <algorithm>
#include <utility>

namespace pawl {
namespace {

/// Reads one UTF-8 code point at the front of `s` and removes it. False if there is none: cut, overlong, a surrogate,
/// or above U+10FFFF.
bool take_code_point(std::string_view& s, std::uint32_t& out) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(s[i]); };
  const auto first = byte(0);
  std::size_t size = 1;
  std::uint32_t smallest = 0;
  if (first < 0x80) out = first;
  else if ((first & 0xe0) == 0xc0) size = 2, smallest = 0x80, out = first & 0x1f;
  else if ((first & 0xf0) == 0xe0) size = 3, smallest = 0x800, out = first & 0x0f;
  else if ((first & 0xf8) == 0xf0) size = 4, smallest = 0x10000, out = first & 0x07;
  else return false;
  if (s.size() < size) return false;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return false;
    out = out << 6 | (byte(i) & 0x3f);
  }
  s.remove_prefix(size);
  return out >= smallest && out <= 0x10ffff && (out < 0xd800 || out > 0xdfff);
}

constexpr bool is_control(std::uint32_t c) { return c < 0x20 || (c >= 0x7f && c <= 0x9f); }

constexpr bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
}

std::string check_name(std::string_view field, std::string_view value) {
  if (!value.empty() && value.size() <= limits::name_bytes &&
      std::all_of(value.begin(), value.end(), is_name_character))
    return {};
  return std::string{field} + " must be 1 to " + std::to_string(limits::name_bytes) +
         " characters out of A-Z a-z 0-9 _ . -";
}

std::string check_id(std::string_view field, std::string_view value) {
  std::string name{field};
  if (value.empty()) return name + " must not be empty";
  if (value.size() > limits::id_bytes)
    return name + " has " + std::to_string(value.size()) + " bytes; at most " + std::to_string(limits::id_bytes) +
           " are allowed";
  while (!value.empty()) {
    std::uint32_t c = 0;
    if (!take_code_point(value, c)) return name + " must be valid UTF-8";
    if (is_control(c)) return name + " must not contain control characters";
  }
  return {};
}

std::string check_payload(std::string_view payload) {
  if (payload.size() > limits::payload_bytes)
    return "payload has " + std::to_string(payload.size()) + " bytes as msgpack; at most " +
           std::to_string(limits::payload_bytes) + " are allowed";
  const auto first = payload.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(payload.front());
  const bool map = (first >= 0x80 && first <= 0x8f) || first == 0xde || first == 0xdf;
  return map ? std::string{} : "payload must be a msgpack map";
}

}  // namespace

std::string check_message(const message& m) {
  for (auto problem : {check_name("type", m.type), check_id("key", m.key), check_name("message", m.name),
                       check_id("id", m.id), check_payload(m.payload)})
    if (!problem.empty()) return problem;
  return {};
}

}  // namespace pawl
