#include "cli/node_url.hpp"

#include "actors/configuration/values.hpp"

#include <array>
#include <cctype>
#include <cstdio>

namespace pawl::cli {

std::string node_url::authority() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string node_url::text() const { return "http://" + authority(); }

std::optional<node_url> parse_node_url(std::string_view text) {
  constexpr std::string_view scheme = "http://";
  if (text.starts_with(scheme)) text.remove_prefix(scheme.size());
  if (text.ends_with('/')) text.remove_suffix(1);
  node_url out;
  out.port = 7420;
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos) return std::nullopt;
    out.host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (out.host.find(':') == std::string::npos || (!text.empty() && text.front() != ':')) return std::nullopt;
    if (!text.empty()) port = text.substr(1);
    if (!text.empty() && port.empty()) return std::nullopt;
  } else {
    const auto colon = text.find(':');
    out.host = text.substr(0, colon);
    if (out.host.find(':') != std::string::npos) return std::nullopt;
    if (colon != text.npos) {
      port = text.substr(colon + 1);
      if (port.empty()) return std::nullopt;
    }
  }
  if (!config::is_host(out.host)) return std::nullopt;
  if (!port.empty()) {
    const auto number = config::parse_count(port);
    if (!number || *number == 0 || *number > 65'535) return std::nullopt;
    out.port = static_cast<std::uint16_t>(*number);
  }
  return out;
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) != 0 || std::string_view{"-._~"}.find(c) != std::string_view::npos)) {
      out += c;
      continue;
    }
    std::array<char, 4> escaped{};
    std::snprintf(escaped.data(), escaped.size(), "%%%02X", byte);
    out += escaped.data();
  }
  return out;
}

}  // namespace pawl::cli
