#include "persistence/codec.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace pawl::codec {
namespace {

std::string_view expected(shape kind) {
  switch (kind) {
  case shape::boolean: return "a boolean";
  case shape::signed_integer:
  case shape::unsigned_integer: return "an integer";
  case shape::floating: return "a number";
  case shape::text: return "a string";
  case shape::list: return "an array";
  case shape::map:
  case shape::record:
  case shape::optional: break;  // a value meets what the optional holds
  }
  return "a map";
}

std::string text_of(double v) {
  std::array<char, 32> digits;
  auto end = std::to_chars(digits.data(), digits.data() + digits.size(), v).ptr;
  return {digits.data(), end};
}

/// Keys come from outside and errors go to logs and JSON: keeps a short piece of plain ASCII.
void append_printable(std::string& out, std::string_view key) {
  constexpr std::size_t longest = 64;
  for (char c : key.substr(0, longest)) out.push_back(c >= ' ' && c <= '~' && c != '\'' ? c : '?');
  if (key.size() > longest) out += "...";
}

/// Writes an integer of that many bytes. Through memcpy, since the object may be an enum or one of several integers of
/// the same width.
void store(void* object, std::uint8_t bytes, std::uint64_t v) {
  auto put = [object](auto narrow) { std::memcpy(object, &narrow, sizeof narrow); };
  switch (bytes) {
  case 1: return put(static_cast<std::uint8_t>(v));
  case 2: return put(static_cast<std::uint16_t>(v));
  case 4: return put(static_cast<std::uint32_t>(v));
  default: return put(v);
  }
}

/// Fills an object while the input is walked. Knows its place as a stack of levels, one for each open map or array.
class filler final : public msgpack_visitor {
public:
  filler(const slot& type, void* object, std::string& error) : root_{&type, object}, error_(error) {}

  bool nil() override {
    auto at = next();
    if (!at.type) return true;
    if (at.type->kind != shape::optional) return mismatch(at, "null");
    at.type->reset(at.object, 0);
    return true;
  }
  bool boolean(bool v) override {
    auto at = next_value();
    if (!at.type) return true;
    if (at.type->kind != shape::boolean) return mismatch(at, "a boolean");
    *static_cast<bool*>(at.object) = v;
    return true;
  }
  bool integer(std::int64_t v) override { return integer(next_value(), v, v < 0); }
  bool unsigned_integer(std::uint64_t v) override { return integer(next_value(), v, false); }
  bool number(double v) override {
    auto at = next_value();
    if (!at.type) return true;
    switch (at.type->kind) {
    case shape::floating: return floating(at, v);
    case shape::signed_integer:
    case shape::unsigned_integer:
      if (v != std::trunc(v)) return mismatch(at, text_of(v));  // NaN as well
      // The bounds keep the conversions defined.
      if (v >= 0 && v < 0x1p64) return integer(at, static_cast<std::uint64_t>(v), false);
      if (v < 0 && v >= -0x1p63) return integer(at, static_cast<std::uint64_t>(static_cast<std::int64_t>(v)), true);
      return fail(text_of(v) + " is out of range of an integer");
    default: return mismatch(at, "a number");
    }
  }
  bool text(std::string_view v) override {
    auto at = next_value();
    if (!at.type) return true;
    if (at.type->kind != shape::text) return mismatch(at, "a string");
    static_cast<std::string*>(at.object)->assign(v);
    return true;
  }
  bool binary(std::string_view) override { return unfit("binary data"); }
  bool extension(std::int8_t, std::string_view) override { return unfit("an extension value"); }

  bool begin_array(std::uint32_t elements) override {
    auto at = next_value();
    if (at.type) {
      if (at.type->kind != shape::list) return mismatch(at, "an array");
      at.type->reset(at.object, elements);
    }
    open(at);
    return true;
  }
  bool begin_map(std::uint32_t pairs) override {
    auto at = next_value();
    if (at.type) {
      if (at.type->kind == shape::map) at.type->reset(at.object, pairs);
      else if (at.type->kind != shape::record) return mismatch(at, "a map");
    }
    open(at);
    return true;
  }
  bool end_array() override { return close(); }
  bool end_map() override { return close(); }

  bool key(std::string_view name) override {
    auto& here = levels_[depth_ - 1];
    here.child = {nullptr, nullptr};
    if (!here.self.type) return true;
    here.key = name.data();
    here.key_size = name.size();
    if (here.self.type->kind == shape::map)
      here.child = {here.self.type->inner, here.self.type->insert(here.self.object, name)};
    else find_member(here, name);
    return true;
  }

private:
  /// Where a value goes: nowhere (null) if it belongs to something that the struct does not know.
  struct place {
    const slot* type;
    void* object;
  };
  /// Plain, without initialisers: clearing 32 of them would take longer than to decode a small message.
  struct level {
    place self;
    place child;      ///< map, record: where the value of the last key goes
    const char* key;  ///< map, record: the last key
    std::size_t key_size;
    std::size_t index;   ///< list: elements begun
    std::size_t cursor;  ///< record: member after the last one found
    std::uint32_t seen;  ///< record: bit per member
  };
  static_assert(std::is_trivially_default_constructible_v<level>);

  void open(place at) {
    // The walk refuses more levels than the array has.
    levels_[depth_++] = {at, {nullptr, nullptr}, nullptr, 0, 0, 0, 0};
  }
  bool close() {
    --depth_;
    return true;
  }

  static void find_member(level& here, std::string_view name) {
    const auto& type = *here.self.type;
    // Members mostly come in the order of the struct: looks from behind the last one, round to where it began.
    for (std::size_t tried = 0; tried < type.field_count; ++tried) {
      if (here.cursor == type.field_count) here.cursor = 0;
      const auto i = here.cursor++;
      const auto& member = type.fields[i];
      if (member.name != name) continue;
      here.child = {member.type, member.at(here.self.object)};
      // A record is filled member by member, so the first of two would show through the second.
      const auto bit = std::uint32_t{1} << i;
      if ((here.seen & bit) != 0 && member.type->kind == shape::record) member.type->reset(here.child.object, 0);
      here.seen |= bit;
      return;
    }
  }

  place next() {
    if (depth_ == 0) return root_;
    auto& here = levels_[depth_ - 1];
    if (!here.self.type || here.self.type->kind != shape::list) return here.child;
    ++here.index;
    return {here.self.type->inner, here.self.type->append(here.self.object)};
  }
  /// As `next`, for any value but null.
  place next_value() {
    auto at = next();
    if (at.type && at.type->kind == shape::optional) at = {at.type->inner, at.type->append(at.object)};
    return at;
  }

  /// `v` is the value modulo 2^64.
  bool integer(place at, std::uint64_t v, bool negative) {
    if (!at.type) return true;
    const unsigned bits = at.type->bytes * 8u;
    const auto text = [&] { return negative ? std::to_string(static_cast<std::int64_t>(v)) : std::to_string(v); };
    switch (at.type->kind) {
    case shape::signed_integer: {
      const auto highest = ~std::uint64_t{0} >> (65 - bits);
      // Of a negative value all bits above the kept ones are set; as an unsigned comparison:
      if (negative ? v < ~highest : v > highest)
        return fail(text() + " is out of range: expected an integer from -" + std::to_string(highest + 1) + " to " +
                    std::to_string(highest));
      store(at.object, at.type->bytes, v);
      return true;
    }
    case shape::unsigned_integer: {
      const auto highest = ~std::uint64_t{0} >> (64 - bits);
      if (negative || v > highest)
        return fail(text() + " is out of range: expected an integer from 0 to " + std::to_string(highest));
      store(at.object, at.type->bytes, v);
      return true;
    }
    case shape::floating:
      return floating(at, negative ? static_cast<double>(static_cast<std::int64_t>(v)) : static_cast<double>(v));
    default: return mismatch(at, "an integer");
    }
  }

  bool floating(place at, double v) {
    if (at.type->bytes == sizeof(double)) {
      *static_cast<double*>(at.object) = v;
      return true;
    }
    if (std::isfinite(v) && std::abs(v) > std::numeric_limits<float>::max())
      return fail(text_of(v) + " is out of range of a 32-bit number");
    *static_cast<float*>(at.object) = static_cast<float>(v);
    return true;
  }

  bool unfit(std::string_view got) {
    auto at = next_value();
    return !at.type || mismatch(at, got);
  }
  bool mismatch(place at, std::string_view got) {
    return fail("expected " + std::string{expected(at.type->kind)} + ", got " + std::string{got});
  }
  bool fail(std::string_view why) {
    error_.clear();
    for (std::size_t i = 0; i < depth_; ++i) {
      const auto& l = levels_[i];
      if (l.self.type->kind == shape::list) {
        error_ += '[' + std::to_string(l.index - 1) + ']';
      } else if (l.self.type->kind == shape::map) {
        error_ += "[\"";
        append_printable(error_, {l.key, l.key_size});
        error_ += "\"]";
      } else {
        if (i > 0) error_ += '.';
        error_.append(l.key, l.key_size);  // the name of a member
      }
    }
    if (depth_ > 0) error_ = "field '" + error_ + "': ";
    error_ += why;
    return false;
  }

  place root_;
  std::string& error_;
  std::array<level, codec_limits::depth> levels_;
  std::size_t depth_ = 0;
};

}  // namespace

bool fill(std::string_view bytes, const slot& type, void* object, std::string& error, std::size_t elements) {
  filler f{type, object, error};
  return walk_msgpack(bytes, f, error, elements);
}

}  // namespace pawl::codec
