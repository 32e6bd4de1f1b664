#include "persistence/redis/reply.hpp"

#include <hiredis/read.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <new>
#include <stdexcept>
#include <utility>

namespace pawl::redis {
namespace {

// The callbacks below run between frames of C code: nothing may be thrown through it. A null pointer makes the reader
// fail with "out of memory", which breaks the connection.

/// Where the object of `task` belongs: in its parent, or it is the root.
reply* place(const redisReadTask* task) noexcept {
  if (!task->parent) return static_cast<reply*>(task->privdata);
  auto& siblings = static_cast<reply*>(task->parent->obj)->elements;
  const auto index = static_cast<std::size_t>(task->idx);
  return index < siblings.size() ? &siblings[index] : nullptr;
}

void* create_string(const redisReadTask* task, char* bytes, size_t size) {
  auto* r = place(task);
  if (!r) return nullptr;
  switch (task->type) {
  case REDIS_REPLY_ERROR: r->type = reply::kind::error; break;
  case REDIS_REPLY_STATUS: r->type = reply::kind::status; break;
  default: r->type = reply::kind::string;
  }
  try {
    r->text.assign(bytes, size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  } catch (const std::length_error&) {
    return nullptr;
  }
  return r;
}

void* create_array(const redisReadTask* task, int count) {
  auto* r = place(task);
  // Checked before anything is reserved: the count is only a claim until the elements have arrived.
  if (!r || count < 0 || static_cast<std::size_t>(count) > reply_elements_max) return nullptr;
  r->type = reply::kind::array;
  try {
    r->elements.resize(static_cast<std::size_t>(count));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  return r;
}

void* create_integer(const redisReadTask* task, long long value) {
  auto* r = place(task);
  if (!r) return nullptr;
  r->type = reply::kind::integer;
  r->integer = value;
  return r;
}

void* create_nil(const redisReadTask* task) {
  auto* r = place(task);
  if (r) r->type = reply::kind::nil;
  return r;
}

void keep(void*) {}

redisReplyObjectFunctions functions{create_string, create_array, create_integer, create_nil, keep};

/// Keep up to this much of an empty read buffer: with less, large replies are copied again and again.
constexpr std::size_t idle_buffer_bytes = 1024 * 1024;

constexpr std::array<std::pair<std::string_view, store_error>, 16> error_codes{{
    {"OOM", store_error::oom},
    {"READONLY", store_error::readonly},
    {"LOADING", store_error::loading},
    {"MISCONF", store_error::misconf},
    {"NOREPLICAS", store_error::no_replicas},
    {"BUSY", store_error::busy},
    {"TRYAGAIN", store_error::try_again},
    {"CLUSTERDOWN", store_error::try_again},
    {"MASTERDOWN", store_error::try_again},
    {"MOVED", store_error::moved},
    {"ASK", store_error::moved},
    {"NOAUTH", store_error::no_auth},
    {"WRONGPASS", store_error::no_auth},
    {"NOPERM", store_error::no_auth},
    {"WRONGTYPE", store_error::wrong_type},
    {"CROSSSLOT", store_error::moved},
}};

}  // namespace

void reply_reader::deleter::operator()(redisReader* r) const noexcept { redisReaderFree(r); }

reply_reader::reply_reader() : root_(std::make_unique<reply>()) { reset(); }
reply_reader::~reply_reader() = default;

void reply_reader::reset() {
  reader_.reset(redisReaderCreateWithFunctions(&functions));
  if (!reader_) throw std::bad_alloc{};
  reader_->privdata = root_.get();
  reader_->maxbuf = idle_buffer_bytes;
  *root_ = {};
  error_.clear();
}

void reply_reader::feed(std::string_view bytes) {
  if (failed()) return;
  if (reader_->len - reader_->pos + bytes.size() > reply_bytes_max)
    error_ = "a reply is larger than " + std::to_string(reply_bytes_max) + " bytes";
  else if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) error_ = reader_->errstr;
}

bool reply_reader::next(reply& out) {
  if (failed()) return false;
  void* whole = nullptr;
  if (redisReaderGetReply(reader_.get(), &whole) != REDIS_OK) {
    error_ = std::string{"bytes that are no reply, or one with more than "} + std::to_string(reply_elements_max) +
             " elements: " + reader_->errstr;
    return false;
  }
  if (!whole) return false;
  out = std::exchange(*root_, reply{});
  return true;
}

std::string_view error_code(std::string_view error_text) noexcept { return error_text.substr(0, error_text.find(' ')); }

store_error classify(std::string_view error_text) noexcept {
  const auto code = error_code(error_text);
  const auto* found =
      std::find_if(error_codes.begin(), error_codes.end(), [code](const auto& known) { return known.first == code; });
  return found == error_codes.end() ? store_error::other : found->second;
}

namespace {

void append_number(std::string& out, char sign, std::size_t n) {
  std::array<char, 24> text{};
  const auto end = std::to_chars(text.begin(), text.end(), n).ptr;
  out.push_back(sign);
  out.append(text.begin(), end).append("\r\n");
}

}  // namespace

void append_command_head(std::string& out, std::size_t words) { append_number(out, '*', words); }

void append_word(std::string& out, std::string_view word) {
  append_number(out, '$', word.size());
  out.append(word).append("\r\n");
}

void append_command(std::string& out, std::initializer_list<std::string_view> words) {
  append_command_head(out, words.size());
  for (auto word : words) append_word(out, word);
}

}  // namespace pawl::redis
