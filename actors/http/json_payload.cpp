#include "actors/http/json_payload.hpp"

#include "actors/http/json_text.hpp"
#include "actors/message.hpp"

#include <algorithm>

namespace pawl {
namespace {

// Up to so many, all pairs of an object's keys are compared; of 64 Ki keys that would stop the door for seconds.
constexpr std::size_t few_keys = 16;

}  // namespace

void json_payload::reset() {
  bytes_.clear();
  writer_ = msgpack_writer(bytes_);
  problem_.clear();
  keys_.clear();
  object_keys_.clear();
}

void json_payload::put(const json_scalar& value) {
  if (!problem_.empty()) return;
  struct {
    msgpack_writer& to;
    void operator()(std::nullptr_t) const { to.nil(); }
    void operator()(bool v) const { to.boolean(v); }
    void operator()(std::int64_t v) const { to.integer(v); }
    void operator()(std::uint64_t v) const { to.unsigned_integer(v); }
    void operator()(double v) const { to.number(v); }
    void operator()(std::string_view v) const { to.text(v); }
  } write{writer_};
  std::visit(write, value);
  check_limits();
}

void json_payload::key(std::string_view name) {
  if (!problem_.empty()) return;
  writer_.key(name);
  keys_.push_back({bytes_.size() - name.size(), name.size()});
  check_limits();
}

void json_payload::begin_object() {
  if (!problem_.empty()) return;
  object_keys_.push_back(keys_.size());
  writer_.begin_map();
  check_limits();
}

void json_payload::end_object() {
  if (!problem_.empty()) return;
  // Before the writer closes the map: to make room for its header it may move the keys.
  check_repeated_keys(object_keys_.back());
  keys_.resize(object_keys_.back());
  object_keys_.pop_back();
  writer_.end_map();
  check_limits();
}

void json_payload::begin_array() {
  if (!problem_.empty()) return;
  writer_.begin_array();
  check_limits();
}

void json_payload::end_array() {
  if (!problem_.empty()) return;
  writer_.end_array();
  check_limits();
}

void json_payload::check_limits() {
  if (writer_.failed()) problem_ = writer_.error();
  else if (bytes_.size() > limits::payload_bytes)
    problem_ = "more than " + std::to_string(limits::payload_bytes) + " bytes as msgpack";
}

void json_payload::check_repeated_keys(std::size_t first) {
  const auto name_of = [this](const text_range& k) { return std::string_view{bytes_}.substr(k.at, k.size); };
  const auto twice = [this](std::string_view name) {
    problem_ = "key \"" + std::string{cut_text(name, 64)} + "\" stands twice in one object";
  };
  if (keys_.size() - first <= few_keys) {
    for (auto i = first; i < keys_.size(); ++i)
      for (auto j = first; j < i; ++j)
        if (name_of(keys_[i]) == name_of(keys_[j])) return twice(name_of(keys_[i]));
    return;
  }
  std::vector<std::string_view> names;
  names.reserve(keys_.size() - first);
  for (auto i = first; i < keys_.size(); ++i) names.push_back(name_of(keys_[i]));
  std::sort(names.begin(), names.end());
  const auto found = std::adjacent_find(names.begin(), names.end());
  if (found != names.end()) twice(*found);
}

}  // namespace pawl
