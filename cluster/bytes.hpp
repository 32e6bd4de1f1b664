#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pawl {

/// Appends little-endian integers and length-prefixed byte strings to a buffer it does not own.
/// The one byte grammar of everything we write ourselves: peer frames, the frontier, id groups, blob headers.
class byte_writer {
public:
  explicit byte_writer(std::string& out) : out_(out) {}
  void u8(std::uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void u16(std::uint16_t v) { fixed(v, 2); }
  void u32(std::uint32_t v) { fixed(v, 4); }
  void u64(std::uint64_t v) { fixed(v, 8); }
  void i64(std::int64_t v) { fixed(static_cast<std::uint64_t>(v), 8); }
  /// LEB128, at most 10 bytes.
  void varint(std::uint64_t v);
  /// varint length, then the bytes.
  void bytes(std::string_view v);
  /// The bytes alone.
  void raw(std::string_view v) { out_.append(v); }

private:
  void fixed(std::uint64_t v, int width);
  std::string& out_;
};

/// Reads what `byte_writer` writes, from input that nobody vouches for. Never reads past the end: the first read that
/// would makes the reader `failed()`, and every read after it yields zero or an empty view.
class byte_reader {
public:
  explicit byte_reader(std::string_view in) : in_(in) {}
  std::uint8_t u8() { return static_cast<std::uint8_t>(fixed(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(fixed(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(fixed(4)); }
  std::uint64_t u64() { return fixed(8); }
  std::int64_t i64() { return static_cast<std::int64_t>(fixed(8)); }
  std::uint64_t varint();
  /// A view into the input. Fails if the length exceeds `longest` or what is left.
  std::string_view bytes(std::size_t longest);
  std::string_view raw(std::size_t size);
  [[nodiscard]] std::size_t left() const noexcept { return in_.size() - at_; }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  /// True when everything was read and nothing failed: bytes after the end are an error too.
  [[nodiscard]] bool finished() const noexcept { return !failed_ && at_ == in_.size(); }

private:
  std::uint64_t fixed(int width);
  std::string_view in_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace pawl
