#include "actors/configuration/values.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <limits>
#include <span>

namespace pawl::config {

namespace {

constexpr auto largest = std::numeric_limits<std::uint64_t>::max();

struct unit {
  std::string_view suffix;
  std::uint64_t factor;
};

// Ascending: formatting takes the last one that divides the value.
constexpr std::array byte_units{unit{"", 1}, unit{"KiB", 1ULL << 10}, unit{"MiB", 1ULL << 20}, unit{"GiB", 1ULL << 30}};
constexpr std::array time_units{unit{"ms", 1}, unit{"s", 1'000}, unit{"m", 60'000}, unit{"h", 3'600'000}};

std::optional<std::uint64_t> parse_with_unit(std::string_view text, std::span<const unit> units,
                                             std::string_view plain_suffix) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  auto number = parse_count(text.substr(0, digits));
  if (!number) return std::nullopt;
  const auto suffix = text.substr(digits);
  if (suffix.empty() || suffix == plain_suffix) return number;
  const auto found = std::ranges::find(units, suffix, &unit::suffix);
  if (found == units.end()) return std::nullopt;
  return *number > largest / found->factor ? largest : *number * found->factor;
}

std::string format_with_unit(std::uint64_t value, std::span<const unit> units) {
  const auto* best = &units.front();
  for (const auto& u : units) {
    if (value != 0 && value % u.factor == 0) best = &u;
  }
  return std::to_string(value / best->factor) + std::string(best->suffix);
}

bool is_ipv4(const std::string& text, in_addr& out) { return inet_pton(AF_INET, text.c_str(), &out) == 1; }
bool is_ipv6(const std::string& text, in6_addr& out) { return inet_pton(AF_INET6, text.c_str(), &out) == 1; }

}  // namespace

std::optional<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (stop != end || text.empty()) return std::nullopt;
  if (error == std::errc::result_out_of_range) return largest;
  return error == std::errc{} ? std::optional(value) : std::nullopt;
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) { return parse_with_unit(text, byte_units, "B"); }

std::optional<std::uint64_t> parse_milliseconds(std::string_view text) {
  return parse_with_unit(text, time_units, "ms");
}

std::optional<bool> parse_toggle(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::string format_bytes(std::uint64_t bytes) { return format_with_unit(bytes, byte_units); }
std::string format_milliseconds(std::uint64_t milliseconds) { return format_with_unit(milliseconds, time_units); }

std::string printable(std::string_view text) {
  constexpr std::size_t longest = 240;
  std::string out;
  for (const char c : text.substr(0, longest)) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c >= ' ' && c <= '~') {
      out += c;
    } else {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\x%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
      out += escaped.data();
    }
  }
  if (text.size() > longest) out += "...";
  return out;
}

std::string in_quotes(std::string_view text) { return '"' + printable(text) + '"'; }

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 32 &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

bool is_host(std::string_view text) {
  const std::string host(text);
  in_addr v4{};
  in6_addr v6{};
  // inet_pton stops at a NUL: "127.0.0.1\0…" must not pass for an address.
  if (text.find('\0') != std::string_view::npos) return false;
  if (is_ipv4(host, v4) || is_ipv6(host, v6)) return true;
  return !text.empty() && text.size() <= 253 && text.front() != '-' && text.front() != '.' &&
         std::ranges::all_of(text, [](unsigned char c) {
           return c < 128 && (std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_');
         });
}

bool is_loopback(std::string_view host) {
  const std::string text(host);
  in_addr v4{};
  in6_addr v6{};
  if (is_ipv4(text, v4)) return (ntohl(v4.s_addr) >> 24) == 127;
  if (is_ipv6(text, v6)) return IN6_IS_ADDR_LOOPBACK(&v6);
  return host == "localhost";
}

bool is_any_address(std::string_view host) {
  const std::string text(host);
  in_addr v4{};
  in6_addr v6{};
  if (is_ipv4(text, v4)) return v4.s_addr == INADDR_ANY;
  return is_ipv6(text, v6) && IN6_IS_ADDR_UNSPECIFIED(&v6);
}

}  // namespace pawl::config
