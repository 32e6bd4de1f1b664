#include "actors/http/json_object.hpp"

#include "actors/http/json_payload.hpp"
#include "actors/message.hpp"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <cstdint>

namespace pawl {
namespace {

/// What the parser calls; false stops it.
class object_reader {
public:
  using length = rapidjson::SizeType;
  bool Null() { return value(nullptr); }
  bool Bool(bool v) { return value(v); }
  bool Int(int v) { return value(std::int64_t{v}); }
  bool Uint(unsigned v) { return value(std::uint64_t{v}); }
  bool Int64(std::int64_t v) { return value(v); }
  bool Uint64(std::uint64_t v) { return value(v); }
  bool Double(double v) { return value(v); }
  bool RawNumber(const char*, length, bool) { return false; }  // only if asked for
  bool String(const char* text, length size, bool) { return value(std::string_view{text, size}); }
  bool Key(const char* text, length size, bool) {
    payload_.key({text, size});
    return payload_.problem().empty();
  }
  bool StartObject() {
    if (!deeper()) return false;
    payload_.begin_object();
    return payload_.problem().empty();
  }
  bool EndObject(length) {
    --depth_;
    payload_.end_object();
    return payload_.problem().empty();
  }
  bool StartArray() {
    if (depth_ == 0 || !deeper()) return false;
    payload_.begin_array();
    return payload_.problem().empty();
  }
  bool EndArray(length) {
    --depth_;
    payload_.end_array();
    return payload_.problem().empty();
  }

  [[nodiscard]] std::string problem() const {
    if (!payload_.problem().empty()) return payload_.problem();
    if (too_deep_) return "nested deeper than " + std::to_string(limits::payload_depth) + " levels";
    return "must be a JSON object";
  }
  [[nodiscard]] std::string_view bytes() const noexcept { return payload_.bytes(); }

private:
  bool value(const json_scalar& v) {
    if (depth_ == 0) return false;
    payload_.put(v);
    return payload_.problem().empty();
  }
  bool deeper() {
    too_deep_ = depth_ == limits::payload_depth;
    if (!too_deep_) ++depth_;
    return !too_deep_;
  }

  json_payload payload_;
  std::size_t depth_ = 0;
  bool too_deep_ = false;
};

}  // namespace

std::string msgpack_of_json(std::string_view json, std::string& out) {
  // Iterative: what somebody nests does not use our stack. Of numbers all digits count.
  constexpr unsigned flags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag | rapidjson::kParseFullPrecisionFlag;
  object_reader reader;
  rapidjson::Reader parser;
  rapidjson::MemoryStream in{json.data(), json.size()};
  const auto end = parser.Parse<flags>(in, reader);
  if (end.IsError() && end.Code() != rapidjson::kParseErrorTermination)
    return "not valid JSON at byte " + std::to_string(end.Offset()) + ": " + rapidjson::GetParseError_En(end.Code());
  if (end.IsError()) return reader.problem();
  out += reader.bytes();
  return {};
}

}  // namespace pawl
