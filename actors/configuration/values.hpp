#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Text to value and back, for the notations people write in a configuration.
namespace pawl::config {

/// Digits only. A number too large for the type becomes the largest one, so that a range check names the limit.
[[nodiscard]] std::optional<std::uint64_t> parse_count(std::string_view text);

/// `8MiB`, `64KiB`, `1GiB`, `512B`, or plain bytes.
[[nodiscard]] std::optional<std::uint64_t> parse_bytes(std::string_view text);

/// `200ms`, `3s`, `5m`, `1h`, or plain milliseconds.
[[nodiscard]] std::optional<std::uint64_t> parse_milliseconds(std::string_view text);

/// `true` or `false`.
[[nodiscard]] std::optional<bool> parse_toggle(std::string_view text);

/// The shortest exact notation that the parser above reads back.
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);
[[nodiscard]] std::string format_milliseconds(std::uint64_t milliseconds);

/// `text` fit for a terminal: control and non-ASCII bytes escaped, long text cut.
[[nodiscard]] std::string printable(std::string_view text);
/// The same between double quotes.
[[nodiscard]] std::string in_quotes(std::string_view text);

/// Node and cluster names: `[a-z0-9-]{1,32}`. They become part of key names in the store.
[[nodiscard]] bool is_name(std::string_view text);

/// An IPv4 or IPv6 address, or a host name.
[[nodiscard]] bool is_host(std::string_view text);

/// An address of this machine that other machines cannot reach. Of host names only `localhost` counts: any other may
/// resolve to something else tomorrow.
[[nodiscard]] bool is_loopback(std::string_view host);

/// The addresses that mean "all interfaces" when bound, and nothing when dialled.
[[nodiscard]] bool is_any_address(std::string_view host);

}  // namespace pawl::config
