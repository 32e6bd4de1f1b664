#pragma once

#include "persistence/codec_fields.hpp"
#include "persistence/codec_stream.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

// How the codec handles each C++ type. Writing is a template per type. Reading is one plain function (codec.cpp) that
// walks the input along tables, one `slot` for each type, so that decoding adds next to no code per message type.

namespace pawl::codec {

enum class shape : std::uint8_t {
  boolean,
  signed_integer,
  unsigned_integer,
  floating,
  text,
  optional,
  list,
  map,
  record
};

struct slot;

/// A member of a record.
struct slot_field {
  std::string_view name;
  const slot* type;
  void* (*at)(void* record);
};

/// What the reader needs to know to fill one C++ type through a `void*`.
struct slot {
  shape kind;
  std::uint8_t bytes = 0;       ///< width of a number
  const slot* inner = nullptr;  ///< of an optional, a list or a map
  /// optional: empties it. list, map: empties it and, if it can, makes room for that many. record: gives every member
  /// its default.
  void (*reset)(void* object, std::size_t elements) = nullptr;
  void* (*append)(void* object) = nullptr;                        ///< optional, list: adds a default value, returns it
  void* (*insert)(void* object, std::string_view key) = nullptr;  ///< map: as `append`, replacing what the key held
  const slot_field* fields = nullptr;
  std::size_t field_count = 0;
};

template <class T>
struct kind_of;  // how T is stored: its `make()` and `pack()`

template <class T>
concept storable = requires {
  kind_of<T>::make();
};

template <class T>
requires storable<T>
inline constexpr slot slot_of = kind_of<T>::make();

/// Whether no value of the type nests maps and arrays deeper than this. A type that contains itself never fits.
constexpr bool fits(const slot& type, std::size_t depth) {
  switch (type.kind) {
  case shape::optional: return fits(*type.inner, depth);
  case shape::list:
  case shape::map: return depth > 0 && fits(*type.inner, depth - 1);
  case shape::record:
    if (depth == 0) return false;
    for (std::size_t i = 0; i < type.field_count; ++i)
      if (!fits(*type.fields[i].type, depth - 1)) return false;
    return true;
  default: return true;
  }
}

/// Fills `object`, which must be of the type that `type` describes. See `decode_msgpack`.
[[nodiscard]] bool fill(std::string_view bytes, const slot& type, void* object, std::string& error,
                        std::size_t elements);

template <class T>
void pack(msgpack_packer& out, const T& value) {
  kind_of<T>::pack(out, value);
}

template <>
struct kind_of<bool> {
  static constexpr slot make() { return {.kind = shape::boolean}; }
  static void pack(msgpack_packer& out, bool v) { out.boolean(v); }
};

template <class T>
requires std::is_integral_v<T>
struct kind_of<T> {
  static constexpr slot make() {
    return {.kind = std::is_signed_v<T> ? shape::signed_integer : shape::unsigned_integer, .bytes = sizeof(T)};
  }
  static void pack(msgpack_packer& out, T v) {
    if constexpr (std::is_signed_v<T>) out.integer(v);
    else out.unsigned_integer(v);
  }
};

template <class T>
requires std::is_enum_v<T>
struct kind_of<T> {
  using number = std::underlying_type_t<T>;
  static constexpr slot make() { return kind_of<number>::make(); }
  static void pack(msgpack_packer& out, T v) { kind_of<number>::pack(out, static_cast<number>(v)); }
};

template <class T>
requires std::is_same_v<T, float> || std::is_same_v<T, double>
struct kind_of<T> {
  static constexpr slot make() { return {.kind = shape::floating, .bytes = sizeof(T)}; }
  static void pack(msgpack_packer& out, T v) { out.number(v); }
};

template <>
struct kind_of<std::string> {
  static constexpr slot make() { return {.kind = shape::text}; }
  static void pack(msgpack_packer& out, std::string_view v) { out.text(v); }
};

template <storable T>
struct kind_of<std::optional<T>> {
  using type = std::optional<T>;
  static_assert(kind_of<T>::make().kind != shape::optional,
                "an optional of an optional cannot be told apart when stored");
  static constexpr slot make() {
    return {.kind = shape::optional,
            .inner = &slot_of<T>,
            .reset = [](void* o, std::size_t) { static_cast<type*>(o)->reset(); },
            .append = [](void* o) -> void* { return &static_cast<type*>(o)->emplace(); }};
  }
  static void pack(msgpack_packer& out, const type& v) {
    if (v) kind_of<T>::pack(out, *v);
    else out.nil();
  }
};

template <storable T>
struct kind_of<std::vector<T>> {
  using type = std::vector<T>;
  static_assert(!std::is_same_v<T, bool>, "the elements of std::vector<bool> have no address; use std::uint8_t");
  static constexpr slot make() {
    return {.kind = shape::list,
            .inner = &slot_of<T>,
            .reset =
                [](void* o, std::size_t elements) {
                  static_cast<type*>(o)->clear();
                  static_cast<type*>(o)->reserve(elements);
                },
            .append = [](void* o) -> void* { return &static_cast<type*>(o)->emplace_back(); }};
  }
  static void pack(msgpack_packer& out, const type& v) {
    out.array(static_cast<std::uint32_t>(v.size()));
    for (const auto& element : v) kind_of<T>::pack(out, element);
  }
};

/// std::map and std::unordered_map from std::string.
template <class Map>
struct kind_of_map {
  using value = typename Map::mapped_type;
  static constexpr slot make() {
    return {.kind = shape::map,
            .inner = &slot_of<value>,
            .reset =
                [](void* o, std::size_t elements) {
                  auto& map = *static_cast<Map*>(o);
                  map.clear();
                  if constexpr (requires { map.reserve(elements); }) map.reserve(elements);
                },
            .insert = [](void* o, std::string_view key) -> void* {
              return &static_cast<Map*>(o)->insert_or_assign(std::string{key}, value{}).first->second;
            }};
  }
  static void pack(msgpack_packer& out, const Map& v) {
    out.map(static_cast<std::uint32_t>(v.size()));
    for (const auto& [key, element] : v) {
      out.text(key);
      kind_of<value>::pack(out, element);
    }
  }
};
template <storable T>
struct kind_of<std::map<std::string, T>> : kind_of_map<std::map<std::string, T>> {};
template <storable T>
struct kind_of<std::unordered_map<std::string, T>> : kind_of_map<std::unordered_map<std::string, T>> {};

template <class Record, auto Member>
constexpr slot_field make_field(codec_field<Member> field) {
  using type = std::remove_reference_t<decltype(std::declval<Record&>().*Member)>;
  static_assert(storable<type>, "this member's type cannot be stored; persistence/codec.hpp lists those that can");
  return {field.name, &slot_of<type>, [](void* o) -> void* { return &(static_cast<Record*>(o)->*Member); }};
}

template <class T>
constexpr auto make_fields() {
  return std::apply([](auto... field) { return std::array<slot_field, sizeof...(field)>{make_field<T>(field)...}; },
                    T::template pawl_fields<T>());
}
template <class T>
inline constexpr auto fields_of = make_fields<T>();

/// Under its former name, the same member. What is no member, or has two meanings, does not compile.
template <class T>
constexpr slot_field make_former(codec_former_name name) {
  for (const auto& f : fields_of<T>)
    if (f.name == name.former) throw "PAWL_FORMER_NAMES: a former name is that of a member there is now";
  for (const auto& f : fields_of<T>)
    if (f.name == name.now) return {name.former, f.type, f.at};
  throw "PAWL_FORMER_NAMES: the present name is not that of a member";
}

/// All names under which members are read.
template <class T>
constexpr auto make_read_fields() {
  if constexpr (requires { T::pawl_former_names(); }) {
    constexpr auto former = T::pawl_former_names();
    std::array<slot_field, fields_of<T>.size() + former.size()> out{};
    std::size_t n = 0;
    for (const auto& f : fields_of<T>) out[n++] = f;
    for (const auto& f : former) out[n++] = make_former<T>(f);
    return out;
  } else {
    return fields_of<T>;
  }
}
template <class T>
inline constexpr auto read_fields_of = make_read_fields<T>();

template <has_codec_fields T>
struct kind_of<T> {
  static constexpr slot make() {
    return {.kind = shape::record,
            .reset = [](void* o, std::size_t) { *static_cast<T*>(o) = T{}; },
            .fields = read_fields_of<T>.data(),
            .field_count = read_fields_of<T>.size()};
  }
  static void pack(msgpack_packer& out, const T& v) {
    out.map(static_cast<std::uint32_t>(fields_of<T>.size()));
    std::apply([&](auto... field) { (pack_member(out, field.name, v.*field.member), ...); },
               T::template pawl_fields<T>());
  }

private:
  template <class M>
  static void pack_member(msgpack_packer& out, std::string_view name, const M& member) {
    out.text(name);
    kind_of<M>::pack(out, member);
  }
};

}  // namespace pawl::codec
