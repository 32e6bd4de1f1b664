#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct redisContext;
struct redisReply;

namespace pawl::bench {

/// A connection as a program without Pawl would have it: hiredis, blocking, pipelining by hand. Errors are thrown.
/// Not thread-safe.
class redis_client {
public:
  struct release {
    void operator()(redisContext* c) const noexcept;
    void operator()(redisReply* r) const noexcept;
  };
  using reply = std::unique_ptr<redisReply, release>;

  explicit redis_client(const std::string& socket);

  /// Queues a command; it is sent by the next `flush` or `take`.
  void say(std::span<const std::string_view> words);
  void say(std::initializer_list<std::string_view> words) { say(std::span{words.begin(), words.size()}); }
  /// Sends what is queued.
  void flush();
  /// The next reply, waited for. An error reply is thrown.
  reply take();

  reply ask(std::initializer_list<std::string_view> words);
  [[nodiscard]] std::string text(std::initializer_list<std::string_view> words);

private:
  std::unique_ptr<redisContext, release> connection_;
  std::vector<const char*> words_;  // kept for their capacity
  std::vector<std::size_t> sizes_;
};

}  // namespace pawl::bench
