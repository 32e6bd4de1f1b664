#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

// msgpack as a stream of values, for those who have no struct to fill: the HTTP door and the typed codec itself.

namespace pawl {

/// What is accepted at most. Input beyond is refused with an error that names the limit.
namespace codec_limits {
inline constexpr std::size_t depth = 32;            ///< nested maps and arrays; the outermost one counts as 1
inline constexpr std::size_t elements = 64 * 1024;  ///< of one array; pairs of one map
/// For stored states: as many as their bytes hold, because whatever was once written must be readable for ever.
inline constexpr std::size_t stored_elements = std::numeric_limits<std::size_t>::max();
}  // namespace codec_limits

/// Takes what `walk_msgpack` meets. Views are into the input. A member that returns false stops the walk; the defaults
/// ignore everything, so that `msgpack_visitor{}` alone checks whether bytes are well-formed.
class msgpack_visitor {
public:
  virtual ~msgpack_visitor() = default;
  virtual bool nil() { return true; }
  virtual bool boolean(bool) { return true; }
  virtual bool integer(std::int64_t) { return true; }            ///< negative values only
  virtual bool unsigned_integer(std::uint64_t) { return true; }  ///< zero and above
  virtual bool number(double) { return true; }                   ///< also NaN and infinities
  virtual bool text(std::string_view) { return true; }           ///< not checked for UTF-8
  virtual bool binary(std::string_view) { return true; }
  virtual bool extension(std::int8_t /*type*/, std::string_view) { return true; }
  virtual bool begin_array(std::uint32_t /*elements*/) { return true; }
  virtual bool end_array() { return true; }
  /// Followed by `key`, value, `key`, value … and `end_map`. Keys may repeat.
  virtual bool begin_map(std::uint32_t /*pairs*/) { return true; }
  virtual bool key(std::string_view) { return true; }
  virtual bool end_map() { return true; }
};

/// Reads one msgpack value that must be all of `bytes`, and shows it to `visitor`. The bytes may come from anywhere:
/// refused are cut input, bytes after the end, 0xc1, map keys that are not strings, more than `codec_limits::depth`
/// levels, and arrays or maps of more than `elements`; an announced number of elements is believed only if the input is
/// long enough to hold them.
///
/// @returns true at the end of a good value. False with `error` set if the bytes are not good; false with `error`
/// untouched if the visitor stopped. Allocates nothing unless it fails; throws only what the visitor throws.
[[nodiscard]] bool walk_msgpack(std::string_view bytes, msgpack_visitor& visitor, std::string& error,
                                std::size_t elements = codec_limits::elements);

/// Appends single msgpack values to a string it does not own, each in its shortest form. Does not check that an
/// announced number of elements is followed by as many: see `msgpack_writer` for that.
class msgpack_packer {
public:
  explicit msgpack_packer(std::string& out) : out_(&out) {}
  void nil();
  void boolean(bool v);
  void integer(std::int64_t v);
  void unsigned_integer(std::uint64_t v);
  void number(double v);  ///< always 64 bits
  void number(float v);   ///< always 32 bits
  void text(std::string_view v);
  void array(std::uint32_t elements);  ///< followed by that many values
  void map(std::uint32_t pairs);       ///< followed by that many keys and values

private:
  std::string* out_;
};

/// Builds msgpack when the size of maps and arrays is known at their end only, as with a JSON SAX parser. Equal calls
/// yield equal bytes: every value and every header has its shortest form.
///
/// The first call that exceeds `codec_limits` makes it `failed()`; it and all later calls then append nothing.
/// @pre `key` comes before each value of a map and nowhere else; begin and end are balanced.
class msgpack_writer {
public:
  explicit msgpack_writer(std::string& out) : out_(&out), packer_(out) {}
  void nil();
  void boolean(bool v);
  void integer(std::int64_t v);
  void unsigned_integer(std::uint64_t v);
  void number(double v);
  void text(std::string_view v);
  void key(std::string_view v);
  void begin_map() { begin(true); }
  void end_map() { end(); }
  void begin_array() { begin(false); }
  void end_array() { end(); }

  [[nodiscard]] bool failed() const noexcept { return !error_.empty(); }
  /// What limit was exceeded, for people; empty unless `failed()`.
  [[nodiscard]] std::string_view error() const noexcept { return error_; }
  /// Maps and arrays begun and not ended.
  [[nodiscard]] std::size_t depth() const noexcept { return depth_; }

private:
  struct container {
    std::size_t header;    ///< where its one-byte header stands, until `end` knows how long it must be
    std::size_t elements;  ///< values of an array, pairs of a map
    bool is_map;
  };
  bool admit_value();
  bool count(container& c);
  void begin(bool is_map);
  void end();

  std::string* out_;
  msgpack_packer packer_;
  std::array<container, codec_limits::depth> open_{};
  std::size_t depth_ = 0;
  std::string_view error_;
};

}  // namespace pawl
