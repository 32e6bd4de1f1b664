#include "actors/http/json_text.hpp"

#include "persistence/codec_stream.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace pawl {
namespace {

constexpr bool needs_escape(char c) { return c < 0x20 || c == 0x7f || c == '"' || c == '\\'; }

std::string base64(std::string_view bytes) {
  static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t j) {
      return j < bytes.size() ? static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[j])) : 0;
    };
    const auto three = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    out += digits[three >> 18];
    out += digits[three >> 12 & 63];
    out += i + 1 < bytes.size() ? digits[three >> 6 & 63] : '=';
    out += i + 2 < bytes.size() ? digits[three & 63] : '=';
  }
  return out;
}

class json_printer final : public msgpack_visitor {
public:
  explicit json_printer(std::string& out) : out_(out) {}
  bool nil() override { return value("null"); }
  bool boolean(bool v) override { return value(v ? "true" : "false"); }
  bool integer(std::int64_t v) override { return value(std::to_string(v)); }
  bool unsigned_integer(std::uint64_t v) override { return value(std::to_string(v)); }
  bool number(double v) override { return value(std::isfinite(v) ? nlohmann::json(v).dump() : "null"); }
  bool text(std::string_view v) override {
    separate();
    append_json_string(out_, v);
    return true;
  }
  bool binary(std::string_view v) override { return text(base64(v)); }
  bool extension(std::int8_t, std::string_view v) override { return text(base64(v)); }
  bool begin_array(std::uint32_t) override { return open('['); }
  bool end_array() override { return close(']'); }
  bool begin_map(std::uint32_t) override { return open('{'); }
  bool key(std::string_view v) override {
    text(v);
    out_ += ':';
    comma_ = false;
    return true;
  }
  bool end_map() override { return close('}'); }

private:
  void separate() {
    if (comma_) out_ += ',';
    comma_ = true;
  }
  bool value(std::string_view v) {
    separate();
    out_ += v;
    return true;
  }
  bool open(char c) {
    separate();
    out_ += c;
    comma_ = false;
    return true;
  }
  bool close(char c) {
    out_ += c;
    comma_ = true;
    return true;
  }

  std::string& out_;
  bool comma_ = false;
};

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  // Almost all ids and keys are plain ASCII; a JSON value for each would be the greatest cost of a batch's answer.
  if (std::none_of(text.begin(), text.end(), needs_escape)) {
    out += '"';
    out += text;
    out += '"';
    return;
  }
  out += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool append_json_state(std::string& out, std::string_view msgpack, std::string& error) {
  json_printer printer(out);
  return walk_msgpack(msgpack, printer, error, codec_limits::stored_elements);
}

std::string_view cut_text(std::string_view text, std::size_t bytes) noexcept {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<std::uint8_t>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

}  // namespace pawl
