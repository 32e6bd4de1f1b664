#pragma once

#include <array>
#include <string_view>
#include <tuple>

// PAWL_MESSAGE, PAWL_STATE and PAWL_FIELDS: how a struct tells which of its members are stored.
//
// They go last into the body of a struct at namespace scope (a local struct cannot have the member template they add),
// take up to 32 members by name, and need no semicolon. The struct stays an aggregate:
//
//   struct line  { std::string sku; int count = 0; PAWL_FIELDS(sku, count) };
//   struct order { std::vector<line> lines;        PAWL_STATE(lines) };
//
// The names of the members are stored. Adding and removing members is no change of format: unknown names are skipped
// when read, missing ones keep their default. A member that was renamed is still read under the names that it had:
//
//   struct line  { std::string sku; int pieces = 0; PAWL_FIELDS(sku, pieces) PAWL_FORMER_NAMES({"count", "pieces"}) };
//
// What is written has the new name, which a node of the version before skips: roll a new name out once no such node is
// left, or keep the old one until then.

namespace pawl {

/// One stored member of a struct.
template <auto Member>
struct codec_field {
  static constexpr auto member = Member;
  std::string_view name;
};

/// A name that a member had in an earlier version, and the one it has.
struct codec_former_name {
  std::string_view former;
  std::string_view now;
};

/// A struct that lists its members with one of the macros below.
template <class T>
concept has_codec_fields = requires {
  T::template pawl_fields<T>();
};

/// A struct with PAWL_MESSAGE.
template <class T>
concept message_struct = has_codec_fields<T> && requires {
  T::pawl_message_name();
};

/// A struct with PAWL_STATE.
template <class T>
concept state_struct = has_codec_fields<T> && requires {
  T::pawl_is_state();
};

}  // namespace pawl

// Applies m to each argument, comma separated. Each PAWL_SCAN multiplies the rescans of the line by four; two of them
// are 16, three 64, so that the 32 allowed members fit.
#define PAWL_PARENTHESES ()
#define PAWL_SCAN_1(...) __VA_ARGS__
#define PAWL_SCAN_4(...) PAWL_SCAN_1(PAWL_SCAN_1(PAWL_SCAN_1(PAWL_SCAN_1(__VA_ARGS__))))
#define PAWL_SCAN_16(...) PAWL_SCAN_4(PAWL_SCAN_4(PAWL_SCAN_4(PAWL_SCAN_4(__VA_ARGS__))))
#define PAWL_SCAN_64(...) PAWL_SCAN_16(PAWL_SCAN_16(PAWL_SCAN_16(PAWL_SCAN_16(__VA_ARGS__))))
#define PAWL_EACH_STEP(m, first, ...) m(first) __VA_OPT__(, PAWL_EACH_AGAIN PAWL_PARENTHESES(m, __VA_ARGS__))
#define PAWL_EACH_AGAIN() PAWL_EACH_STEP
#define PAWL_EACH(m, ...) __VA_OPT__(PAWL_SCAN_64(PAWL_EACH_STEP(m, __VA_ARGS__)))

#define PAWL_FIELD(name) (::pawl::codec_field<&Self::name>{#name})
#define PAWL_FIELD_LIST(...)                                                                                           \
  template <class Self>                                                                                                \
  static constexpr auto pawl_fields() {                                                                                \
    constexpr auto fields = ::std::make_tuple(PAWL_EACH(PAWL_FIELD, __VA_ARGS__));                                     \
    static_assert(::std::tuple_size_v<decltype(fields)> <= 32, "a struct can store at most 32 members; group some");   \
    return fields;                                                                                                     \
  }

/// The struct is a part of messages or states.
#define PAWL_FIELDS(...)                                                                                               \
  PAWL_FIELD_LIST(__VA_ARGS__)                                                                                         \
  static constexpr void pawl_is_part() {}

/// The struct is a message; senders call it `Name`. `PAWL_MESSAGE(Name)` is a message without members.
#define PAWL_MESSAGE(Name, ...)                                                                                        \
  PAWL_FIELD_LIST(__VA_ARGS__)                                                                                         \
  static constexpr ::std::string_view pawl_message_name() { return #Name; }

/// Each argument is {"former", "now"}: a member is read under its former name, too. Beside one of the other macros.
#define PAWL_FORMER_NAMES(...)                                                                                         \
  static constexpr auto pawl_former_names() { return ::std::to_array<::pawl::codec_former_name>({__VA_ARGS__}); }

/// The struct is the state of an entity.
#define PAWL_STATE(...)                                                                                                \
  PAWL_FIELD_LIST(__VA_ARGS__)                                                                                         \
  static constexpr void pawl_is_state() {}
