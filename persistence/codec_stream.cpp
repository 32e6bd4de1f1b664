#include "persistence/codec_stream.hpp"

#include "cluster/invariant.hpp"

#include <msgpack.hpp>

#include <bit>
#include <utility>

namespace pawl {
namespace {

/// Adapts msgpack-c's parser callbacks to `msgpack_visitor` and holds the input to our limits.
class walker {
public:
  walker(std::string_view bytes, msgpack_visitor& target, std::string& error, std::size_t elements)
      : target_(target), error_(error), size_(bytes.size()), elements_(elements) {}

  bool visit_nil() { return at_key_ ? bad_key("null") : target_.nil(); }
  bool visit_boolean(bool v) { return at_key_ ? bad_key("a boolean") : target_.boolean(v); }
  bool visit_positive_integer(std::uint64_t v) { return at_key_ ? bad_key("an integer") : target_.unsigned_integer(v); }
  bool visit_negative_integer(std::int64_t v) {
    if (at_key_) return bad_key("an integer");
    // Signed forms may hold values of either sign.
    return v < 0 ? target_.integer(v) : target_.unsigned_integer(static_cast<std::uint64_t>(v));
  }
  bool visit_float32(float v) { return visit_float64(v); }
  bool visit_float64(double v) { return at_key_ ? bad_key("a number") : target_.number(v); }
  bool visit_str(const char* data, std::uint32_t size) {
    return at_key_ ? target_.key({data, size}) : target_.text({data, size});
  }
  bool visit_bin(const char* data, std::uint32_t size) {
    return at_key_ ? bad_key("binary data") : target_.binary({data, size});
  }
  bool visit_ext(const char* data, std::uint32_t size) {
    if (at_key_) return bad_key("an extension value");
    return target_.extension(static_cast<std::int8_t>(*data), {data + 1, size - 1});
  }

  bool start_array(std::uint32_t elements) {
    if (at_key_) return bad_key("an array");
    return enter("an array", elements, elements) && target_.begin_array(elements);
  }
  bool start_array_item() { return true; }
  bool end_array_item() { return true; }
  bool end_array() {
    --depth_;
    return target_.end_array();
  }
  bool start_map(std::uint32_t pairs) {
    if (at_key_) return bad_key("a map");
    return enter("a map", pairs, std::uint64_t{pairs} * 2) && target_.begin_map(pairs);
  }
  bool start_map_key() { return at_key_ = true; }
  bool end_map_key() {
    at_key_ = false;
    return true;
  }
  bool start_map_value() { return true; }
  bool end_map_value() { return true; }
  bool end_map() {
    --depth_;
    return target_.end_map();
  }

  /// Required by the parser; its result says the same.
  void parse_error(std::size_t, std::size_t) {}
  void init() {}

private:
  bool bad_key(const char* what) { return fail(std::string{"a map key must be a string, but one is "} + what); }
  bool fail(std::string why) {
    error_ = std::move(why);
    return false;
  }
  bool enter(const char* what, std::uint32_t elements, std::uint64_t values) {
    if (++depth_ > codec_limits::depth)
      return fail("nested more than " + std::to_string(codec_limits::depth) + " deep");
    if (elements > elements_)
      return fail(std::string{what} + " has " + std::to_string(elements) + " elements; at most " +
                  std::to_string(elements_) + " are allowed");
    // Every value takes a byte at least, so all containers together cannot announce more than the input is long.
    // Counting over all of them also stops nested ones that each look plausible alone.
    announced_ += values;
    if (announced_ > size_)
      return fail(std::string{what} + " announces " + std::to_string(elements) +
                  " elements, more than the input holds");
    return true;
  }

  msgpack_visitor& target_;
  std::string& error_;
  std::uint64_t size_;
  std::size_t elements_;
  std::uint64_t announced_ = 0;
  std::size_t depth_ = 0;
  bool at_key_ = false;
};

/// msgpack-c's parser with a stack that outlives the call. `msgpack::parse` does the same work but allocates that stack
/// each time, which would be the only allocation of a decode besides the user's own.
class reusable_parser : public msgpack::detail::context<reusable_parser> {
public:
  walker& visitor() { return *walker_; }
  msgpack::parse_return run(std::string_view bytes, walker& w, std::size_t& offset) {
    walker_ = &w;
    init();
    return execute(bytes.data(), bytes.size(), offset);
  }
  bool busy = false;

private:
  walker* walker_ = nullptr;
};

msgpack::parse_return parse(std::string_view bytes, walker& w, std::size_t& offset) {
  thread_local reusable_parser shared;
  // A visitor that fills user types may run user code, which may decode in turn.
  if (shared.busy) return reusable_parser{}.run(bytes, w, offset);
  struct lock {
    bool& busy;
    explicit lock(bool& b) : busy(b) { busy = true; }
    ~lock() { busy = false; }
  } hold{shared.busy};
  return shared.run(bytes, w, offset);
}

/// What msgpack-c's packer wants to write to.
struct string_sink {
  std::string& out;
  void write(const char* data, std::size_t size) { out.append(data, size); }
};

auto pack_into(string_sink& sink) { return msgpack::packer<string_sink>(sink); }

template <class Unsigned>
void append_big_endian(std::string& out, Unsigned v) {
  for (int shift = 8 * sizeof(v) - 8; shift >= 0; shift -= 8) out.push_back(static_cast<char>(v >> shift));
}

}  // namespace

bool walk_msgpack(std::string_view bytes, msgpack_visitor& visitor, std::string& error, std::size_t elements) {
  if (bytes.empty()) {  // not a case the parser knows
    error = "the input is empty";
    return false;
  }
  walker w{bytes, visitor, error, elements};
  std::size_t offset = 0;
  switch (parse(bytes, w, offset)) {
  case msgpack::PARSE_SUCCESS:
    if (offset == bytes.size()) return true;
    error = "the value ends at byte " + std::to_string(offset) + ", but the input is longer";
    return false;
  case msgpack::PARSE_STOP_VISITOR: return false;
  case msgpack::PARSE_PARSE_ERROR: error = "byte " + std::to_string(offset) + " is not msgpack"; return false;
  default: error = "the input ends within a value"; return false;
  }
}

void msgpack_packer::nil() {
  string_sink sink{*out_};
  pack_into(sink).pack_nil();
}
void msgpack_packer::boolean(bool v) {
  string_sink sink{*out_};
  v ? pack_into(sink).pack_true() : pack_into(sink).pack_false();
}
void msgpack_packer::integer(std::int64_t v) {
  string_sink sink{*out_};
  pack_into(sink).pack_int64(v);
}
void msgpack_packer::unsigned_integer(std::uint64_t v) {
  string_sink sink{*out_};
  pack_into(sink).pack_uint64(v);
}
// By hand: msgpack-c's packer turns whole numbers into integers, which loses the sign of -0.0 and the type, and its
// conversion of 2^64 is undefined.
void msgpack_packer::number(double v) {
  out_->push_back('\xcb');
  append_big_endian(*out_, std::bit_cast<std::uint64_t>(v));
}
void msgpack_packer::number(float v) {
  out_->push_back('\xca');
  append_big_endian(*out_, std::bit_cast<std::uint32_t>(v));
}
void msgpack_packer::text(std::string_view v) {
  string_sink sink{*out_};
  pack_into(sink)
      .pack_str(static_cast<std::uint32_t>(v.size()))
      .pack_str_body(v.data(), static_cast<std::uint32_t>(v.size()));
}
void msgpack_packer::array(std::uint32_t elements) {
  string_sink sink{*out_};
  pack_into(sink).pack_array(elements);
}
void msgpack_packer::map(std::uint32_t pairs) {
  string_sink sink{*out_};
  pack_into(sink).pack_map(pairs);
}

bool msgpack_writer::admit_value() {
  if (failed()) return false;
  if (depth_ == 0) return true;
  auto& c = open_[depth_ - 1];
  // The pairs of a map are counted by their keys.
  if (c.is_map) return true;
  return count(c);
}

bool msgpack_writer::count(container& c) {
  if (c.elements == codec_limits::elements) {
    error_ = "an array or map has more than 65536 elements";
    return false;
  }
  ++c.elements;
  return true;
}

void msgpack_writer::nil() {
  if (admit_value()) packer_.nil();
}
void msgpack_writer::boolean(bool v) {
  if (admit_value()) packer_.boolean(v);
}
void msgpack_writer::integer(std::int64_t v) {
  if (admit_value()) packer_.integer(v);
}
void msgpack_writer::unsigned_integer(std::uint64_t v) {
  if (admit_value()) packer_.unsigned_integer(v);
}
void msgpack_writer::number(double v) {
  if (admit_value()) packer_.number(v);
}
void msgpack_writer::text(std::string_view v) {
  if (admit_value()) packer_.text(v);
}

void msgpack_writer::key(std::string_view v) {
  if (failed()) return;
  PAWL_INVARIANT(depth_ > 0 && open_[depth_ - 1].is_map, "a key belongs into a map");
  if (count(open_[depth_ - 1])) packer_.text(v);
}

void msgpack_writer::begin(bool is_map) {
  if (!admit_value()) return;
  if (depth_ == codec_limits::depth) {
    error_ = "nested more than 32 deep";
    return;
  }
  open_[depth_++] = {out_->size(), 0, is_map};
  out_->push_back('\0');
}

void msgpack_writer::end() {
  if (failed()) return;
  PAWL_INVARIANT(depth_ > 0, "only what was begun can end");
  const auto& c = open_[--depth_];
  // The one byte kept free holds up to 15 elements. A longer header moves the content, once for each enclosing
  // container that needs one: at most `depth` times.
  std::string header;
  msgpack_packer p{header};
  const auto elements = static_cast<std::uint32_t>(c.elements);
  c.is_map ? p.map(elements) : p.array(elements);
  out_->replace(c.header, 1, header);
}

}  // namespace pawl
