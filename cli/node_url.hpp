#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pawl::cli {

/// Where a node takes HTTP requests.
struct node_url {
  std::string host;  ///< without the brackets of an IPv6 address
  std::uint16_t port = 0;

  auto operator<=>(const node_url&) const = default;
  /// As it is written: `http://127.0.0.1:7420`.
  [[nodiscard]] std::string text() const;
  /// Host and port, as in a `Host` header.
  [[nodiscard]] std::string authority() const;
};

inline constexpr std::string_view default_node = "http://127.0.0.1:7420";

/// `http://HOST:PORT`, with or without the scheme and a last `/`; without a port it is 7420. Nothing if it is neither.
[[nodiscard]] std::optional<node_url> parse_node_url(std::string_view text);

/// Keeps letters, digits and `-._~`; writes any other byte as %XX.
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace pawl::cli
