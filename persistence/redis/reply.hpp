#pragma once

#include "persistence/store_outcome.hpp"

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct redisReader;

namespace pawl::redis {

/// One reply of the server (RESP2).
struct reply {
  enum class kind : std::uint8_t { nil, integer, string, status, error, array };
  kind type = kind::nil;
  std::int64_t integer = 0;
  std::string text;  ///< of a string, status or error
  std::vector<reply> elements;

  [[nodiscard]] bool is(kind k) const noexcept { return type == k; }
};

/// Limits on what a server may send; beyond them its connection is broken. The largest honest reply is an `HMGET` of
/// 128 states of 1 MiB.
inline constexpr std::size_t reply_bytes_max = 256 * 1024 * 1024;
inline constexpr std::size_t reply_elements_max = 65'536;

/// Cuts a byte stream from a server nobody vouches for into replies. After an error it stays failed.
class reply_reader {
public:
  reply_reader();
  ~reply_reader();
  reply_reader(const reply_reader&) = delete;
  reply_reader& operator=(const reply_reader&) = delete;

  void feed(std::string_view bytes);
  /// Moves the next whole reply to `out`. False: more bytes are needed, or `failed()`.
  [[nodiscard]] bool next(reply& out);
  [[nodiscard]] bool failed() const noexcept { return !error_.empty(); }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  /// Forgets everything: a new connection begins.
  void reset();

private:
  struct deleter {
    void operator()(redisReader* r) const noexcept;
  };
  std::unique_ptr<redisReader, deleter> reader_;
  std::unique_ptr<reply> root_;  ///< the reply being read; its address is known to the C library
  std::string error_;
};

/// Class of an error reply, by its first word.
[[nodiscard]] store_error classify(std::string_view error_text) noexcept;
/// First word of an error reply.
[[nodiscard]] std::string_view error_code(std::string_view error_text) noexcept;

/// Encodes commands for the server. A command is a head with the number of words, then the words.
void append_command_head(std::string& out, std::size_t words);
void append_word(std::string& out, std::string_view word);
void append_command(std::string& out, std::initializer_list<std::string_view> words);

}  // namespace pawl::redis
