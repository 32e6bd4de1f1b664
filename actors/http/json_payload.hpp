#pragma once

#include "persistence/codec_stream.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pawl {

/// A JSON value that is neither object nor array.
using json_scalar = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, std::string_view>;

/// Builds the msgpack of one message's payload from the events of a JSON parser. After the first problem it takes
/// further events and does nothing.
class json_payload {
public:
  json_payload() = default;
  json_payload(const json_payload&) = delete;  // the writer points to the buffer
  json_payload& operator=(const json_payload&) = delete;

  void reset();
  void put(const json_scalar& value);
  void key(std::string_view name);
  void begin_object();
  void end_object();
  void begin_array();
  void end_array();

  [[nodiscard]] std::string_view bytes() const noexcept { return bytes_; }
  /// What is wrong, empty if nothing: a limit, or a key that one object has twice.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

private:
  struct text_range {
    std::size_t at, size;
  };
  void check_limits();
  void check_repeated_keys(std::size_t first);

  std::string bytes_;
  msgpack_writer writer_{bytes_};
  std::string problem_;
  std::vector<text_range> keys_;          ///< of the objects that are open, as places in `bytes_`
  std::vector<std::size_t> object_keys_;  ///< for each open object, its first entry in `keys_`
};

}  // namespace pawl
