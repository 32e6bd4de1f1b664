#pragma once

#include "persistence/codec_fields.hpp"
#include "persistence/codec_slots.hpp"
#include "persistence/codec_stream.hpp"

#include <string>
#include <string_view>

// Structs as msgpack maps, from member name to value. A member may be: bool, an integer, an enum (stored as its
// number), float, double, std::string, another struct with PAWL_FIELDS, std::optional, std::vector, and std::map or
// std::unordered_map from std::string to any of these.

namespace pawl {

namespace codec {
// Else a value could be stored that cannot be read any more.
template <class T>
inline constexpr bool readable_again = fits(slot_of<T>, codec_limits::depth);
}  // namespace codec

/// Reads `bytes` into `value`, a struct with PAWL_MESSAGE, PAWL_STATE or PAWL_FIELDS. Members the input lacks keep what
/// `value` held; what the struct does not know is skipped; of a key that comes twice the last one counts.
///
/// Strict where a silent change would be worse: an integer must fit its type (`1.0` is taken for 1, 1.5 is not), null
/// is for optionals only, nothing else is converted but integers to floating point. See `walk_msgpack` for what is
/// refused besides, and for `elements`.
///
/// @returns false with `error` set if it does not fit, e.g. "field 'items[2].price': expected an integer, got a
/// string"; `value` is then partly filled. Allocates only what the members need, besides that text. Thread-safe.
template <has_codec_fields T>
[[nodiscard]] bool decode_msgpack(std::string_view bytes, T& value, std::string& error,
                                  std::size_t elements = codec_limits::elements) {
  static_assert(codec::readable_again<T>, "a struct may nest 32 levels at most, and so must not contain itself");
  return codec::fill(bytes, codec::slot_of<T>, &value, error, elements);
}

/// Appends `value` to `out`, members in the order of its macro. What was encoded can be decoded, given
/// `codec_limits::stored_elements`. Equal values yield equal bytes, except with std::unordered_map.
template <has_codec_fields T>
void encode_msgpack(const T& value, std::string& out) {
  static_assert(codec::readable_again<T>, "a struct may nest 32 levels at most, and so must not contain itself");
  msgpack_packer packer{out};
  codec::pack(packer, value);
}

}  // namespace pawl
