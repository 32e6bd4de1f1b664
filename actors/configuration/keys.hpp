#pragma once

#include "actors/node_options.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

/// The one table of configuration keys. Parsing, `--help`, `--print-config` and the table in the README come from it.
namespace pawl::config {

using option_member =
    std::variant<bool node_options::*, std::string node_options::*, std::uint16_t node_options::*,
                 std::uint32_t node_options::*, std::size_t node_options::*, std::chrono::milliseconds node_options::*>;

enum class kind : std::uint8_t {
  toggle,
  count,
  bytes,
  duration,  ///< milliseconds
  name,      ///< `[a-z0-9-]{1,32}`
  host,
  optional_host,  ///< may be empty
  text,           ///< printable, without spaces; may be empty
  path,           ///< may be empty
  log_level,
};

struct key {
  std::string_view name;  ///< `section.key`, as in the file
  std::string_view flag;  ///< with its dashes
  kind what;
  option_member member;
  std::uint64_t min = 0;  ///< of counts, bytes and milliseconds; unused otherwise
  std::uint64_t max = 0;  ///< also the greatest length of text and path
  std::string_view help;

  [[nodiscard]] std::string_view section() const { return name.substr(0, name.find('.')); }
  [[nodiscard]] std::string_view leaf() const { return name.substr(name.find('.') + 1); }
  /// `PAWL_SECTION_KEY`.
  [[nodiscard]] std::string variable() const;
};

/// All keys, in the order of their sections.
[[nodiscard]] std::span<const key> keys();
[[nodiscard]] const key* find_key(std::string_view name);

/// The secret: no flag and no place in the file, so that it shows neither in `ps` nor in a repository.
inline constexpr std::string_view password_variable = "PAWL_REDIS_PASSWORD";
inline constexpr std::string_view password_key = "redis.password";
inline constexpr std::string_view config_variable = "PAWL_CONFIG";

/// A value as somebody wrote it.
struct setting {
  enum class type : std::uint8_t { untyped, string, integer, boolean, other };
  type written_as = type::untyped;  ///< untyped: a flag or a variable
  std::string text;                 ///< of `other`: what it is, such as "an array"
  std::string origin;               ///< where it stands: "--http-port", "PAWL_HTTP_PORT", "node.toml:7"
};

/// What `k` accepts, as the end of the sentence "it must be …".
[[nodiscard]] std::string allowed(const key& k);

/// Stores the value in `options`; returns an empty text, or what is wrong, where, and what is allowed.
[[nodiscard]] std::string assign(const key& k, const setting& value, node_options& options);

/// The value of `k` in `options`, as one would write it in the file.
[[nodiscard]] std::string show(const key& k, const node_options& options);

/// The key name most like `written`, or empty if none is near. `written` may lack the section.
[[nodiscard]] std::string_view nearest_key(std::string_view written);

/// Of any words: the most like `written`, or empty if none is near.
[[nodiscard]] std::string nearest(std::string_view written, std::span<const std::string> words);

}  // namespace pawl::config
