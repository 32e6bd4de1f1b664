#include "actors/trace_context.hpp"

#include <algorithm>
#include <optional>

namespace pawl {
namespace {

constexpr std::size_t id_bytes = 16;
constexpr std::size_t parent_bytes = 8;
constexpr std::size_t header_size = 55;  // of version 00: 2 + 1 + 32 + 1 + 16 + 1 + 2
constexpr char flags_known = 0x03;

/// Lower case only: upper case is not valid in this header.
std::optional<unsigned> digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  return std::nullopt;
}

/// Appends the bytes that pairs of digits stand for; false if there are other characters.
bool append_bytes(std::string& out, std::string_view digits) {
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    const auto high = digit(digits[i]), low = digit(digits[i + 1]);
    if (!high || !low) return false;
    out += static_cast<char>(*high * 16 + *low);
  }
  return true;
}

void append_digits(std::string& out, std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (const unsigned char b : bytes) {
    out += digits[b >> 4];
    out += digits[b & 15];
  }
}

bool all_zero(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; });
}

}  // namespace

std::string parse_traceparent(std::string_view header) {
  if (header.size() < header_size || header[2] != '-' || header[35] != '-' || header[52] != '-') return {};
  std::string version;
  if (!append_bytes(version, header.substr(0, 2)) || version == "\xff") return {};
  // Version 00 ends here; of a later one more may follow.
  if (header.size() > header_size && (version == std::string(1, '\0') || header[header_size] != '-')) return {};
  std::string trace;
  const bool good = append_bytes(trace, header.substr(3, 2 * id_bytes)) &&
                    append_bytes(trace, header.substr(36, 2 * parent_bytes)) &&
                    append_bytes(trace, header.substr(53, 2));
  if (!good || !is_trace(trace)) return {};
  trace.back() = static_cast<char>(trace.back() & flags_known);
  return trace;
}

bool is_trace(std::string_view bytes) noexcept {
  return bytes.size() == limits::trace_bytes && !all_zero(bytes.substr(0, id_bytes)) &&
         !all_zero(bytes.substr(id_bytes, parent_bytes));
}

std::string to_traceparent(std::string_view trace) {
  std::string out;
  if (trace.size() != limits::trace_bytes) return out;
  out = "00-";
  append_digits(out, trace.substr(0, id_bytes));
  out += '-';
  append_digits(out, trace.substr(id_bytes, parent_bytes));
  out += '-';
  append_digits(out, trace.substr(id_bytes + parent_bytes));
  return out;
}

std::string trace_id(std::string_view trace) {
  std::string out;
  if (trace.size() == limits::trace_bytes) append_digits(out, trace.substr(0, id_bytes));
  return out;
}

}  // namespace pawl
