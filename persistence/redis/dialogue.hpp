#pragma once

#include "persistence/redis/options.hpp"
#include "persistence/redis/reply.hpp"
#include "persistence/redis/socket.hpp"

#include <chrono>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::redis {

/// A short-lived conversation with the server that blocks: for starting and setting up, never for the work itself.
/// After an error it is over. Not thread-safe.
class dialogue {
public:
  explicit dialogue(const redis_options& options) : options_(options), where_(options) {}

  /// Connects and logs in. An empty text, or a sentence that says what is wrong.
  [[nodiscard]] std::string open();

  /// Adds a command to what is sent by the next `exchange`.
  void say(std::initializer_list<std::string_view> words);
  void say_script(const std::string& text, std::initializer_list<std::string_view> keys,
                  std::initializer_list<std::string_view> arguments);

  /// Sends all that was said and waits for one reply to each command, in `replies`. An empty text, or a sentence. An
  /// error reply is a reply like others.
  [[nodiscard]] std::string exchange(std::vector<reply>& replies);

private:
  using time = std::chrono::steady_clock::time_point;
  [[nodiscard]] std::string connect();
  [[nodiscard]] std::string wait(short events, time until);
  [[nodiscard]] std::string sentence(std::string_view what, const std::string& why) const;

  redis_options options_;
  endpoint where_;
  descriptor socket_;
  reply_reader reader_;
  std::string output_;
  std::size_t asked_ = 0;
};

/// The lines `name:value` of an `INFO` reply.
using info_fields = std::map<std::string, std::string, std::less<>>;
[[nodiscard]] info_fields parse_info(std::string_view info);

}  // namespace pawl::redis
