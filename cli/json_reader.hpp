#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace pawl::cli {

using json = nlohmann::ordered_json;

/// Arrays and objects within each other that an answer may have; an entity's state may nest 32 deep. The library parses
/// without recursion, but copies and prints what it parsed with it.
inline constexpr int json_depth_max = 64;

/// Parses a document of somebody nobody vouches for. A discarded value, with `problem` set, if it is none or nests too
/// deep.
[[nodiscard]] json read_json(std::string_view text, std::string& problem);

/// The value on one line. Bytes that are no UTF-8 are replaced, not thrown about.
[[nodiscard]] std::string json_line(const json& value);

/// The value over several lines, printable. Line breaks within its texts stay escaped.
[[nodiscard]] std::string indented(const json& value);

/// Takes the fields of a JSON object by name and type. What is missing or of another type gives an empty value, and the
/// first such field is remembered. Other fields are ignored: a later version may send more.
class json_fields {
public:
  /// @param object may be anything, an object or not; outlives this
  explicit json_fields(const json& object);

  [[nodiscard]] std::string text(const char* name, std::size_t bytes_max = 256);
  [[nodiscard]] std::uint64_t count(const char* name, std::uint64_t max = std::numeric_limits<std::uint64_t>::max());
  [[nodiscard]] bool flag(const char* name);
  /// An array of at most `size_max` elements, else an empty one.
  [[nodiscard]] const json& array(const char* name, std::size_t size_max);
  [[nodiscard]] bool has(const char* name) const;

  /// Empty, or a sentence about the first field that was not as expected.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

private:
  const json& field(const char* name, const char* type, bool (*fits)(const json&));
  void complain(std::string text);

  const json& object_;
  std::string problem_;
};

}  // namespace pawl::cli
