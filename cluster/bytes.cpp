#include "cluster/bytes.hpp"

namespace pawl {

void byte_writer::fixed(std::uint64_t v, int width) {
  for (int i = 0; i < width; ++i) out_.push_back(static_cast<char>(v >> (8 * i)));
}

void byte_writer::varint(std::uint64_t v) {
  while (v >= 0x80) {
    out_.push_back(static_cast<char>(v | 0x80));
    v >>= 7;
  }
  out_.push_back(static_cast<char>(v));
}

void byte_writer::bytes(std::string_view v) {
  varint(v.size());
  out_.append(v);
}

std::uint64_t byte_reader::fixed(int width) {
  auto part = raw(static_cast<std::size_t>(width));
  std::uint64_t v = 0;
  for (std::size_t i = 0; i < part.size(); ++i) v |= std::uint64_t{static_cast<unsigned char>(part[i])} << (8 * i);
  return v;
}

std::uint64_t byte_reader::varint() {
  std::uint64_t v = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    auto b = u8();
    if (failed_) return 0;
    // The tenth byte holds one bit only; more would be cut off without a word.
    if (shift == 63 && b > 1) break;
    v |= std::uint64_t{b & 0x7fu} << shift;
    if (b < 0x80) return v;
  }
  failed_ = true;
  return 0;
}

std::string_view byte_reader::bytes(std::size_t longest) {
  auto size = varint();
  if (size > longest) failed_ = true;
  return failed_ ? std::string_view{} : raw(static_cast<std::size_t>(size));
}

std::string_view byte_reader::raw(std::size_t size) {
  if (failed_ || size > in_.size() - at_) {
    failed_ = true;
    return {};
  }
  auto part = in_.substr(at_, size);
  at_ += size;
  return part;
}

}  // namespace pawl
