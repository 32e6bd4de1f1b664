#include "persistence/redis/dialogue.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>

namespace pawl::redis {

std::string dialogue::sentence(std::string_view what, const std::string& why) const {
  return where_.text() + ": " + std::string{what} + ": " + why;
}

std::string dialogue::wait(short events, time until) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
    if (left <= 0) return "no answer for " + std::to_string(options_.timeout.count()) + " ms";
    pollfd p{socket_.get(), events, 0};
    const int n = ::poll(&p, 1, static_cast<int>(std::min<decltype(left)>(left, 60'000)));
    if (n > 0) return {};
    if (n < 0 && errno != EINTR) return error_text(errno);
  }
}

std::string dialogue::connect() {
  std::string error = where_.resolve();
  if (!error.empty()) return error;
  // Each of a host's addresses has its turn.
  for (std::size_t i = 0; i < std::max<std::size_t>(1, where_.addresses()); ++i) {
    error.clear();
    socket_ = where_.connect(error);
    if (!socket_.open()) continue;
    error = wait(POLLOUT, std::chrono::steady_clock::now() + options_.timeout);
    if (error.empty()) error = connect_error(socket_.get());
    if (error.empty()) return {};
  }
  return error;
}

std::string dialogue::open() {
  if (auto error = connect(); !error.empty())
    return sentence("cannot connect", error) + ". Is the server running, and is the address right?";
  if (options_.password.empty()) return {};
  if (options_.user.empty()) say({"AUTH", options_.password});
  else say({"AUTH", options_.user, options_.password});
  std::vector<reply> replies;
  if (auto error = exchange(replies); !error.empty()) return error;
  if (replies[0].is(reply::kind::error))
    return sentence("cannot log in", replies[0].text) + ". Check user and password";
  return {};
}

void dialogue::say(std::initializer_list<std::string_view> words) {
  append_command(output_, words);
  ++asked_;
}

void dialogue::say_script(const std::string& text, std::initializer_list<std::string_view> keys,
                          std::initializer_list<std::string_view> arguments) {
  append_command_head(output_, 3 + keys.size() + arguments.size());
  append_word(output_, "EVAL");
  append_word(output_, text);
  append_word(output_, std::to_string(keys.size()));
  for (auto k : keys) append_word(output_, k);
  for (auto a : arguments) append_word(output_, a);
  ++asked_;
}

std::string dialogue::exchange(std::vector<reply>& replies) {
  replies.clear();
  auto until = std::chrono::steady_clock::now() + options_.timeout;
  std::string_view rest = output_;
  std::array<char, 64 * 1024> buffer;
  while (replies.size() < asked_) {
    // Replies are read while the commands are still being written: else both sides could wait for each other.
    const bool writing = !rest.empty();
    if (auto error = wait(static_cast<short>(writing ? POLLIN | POLLOUT : POLLIN), until); !error.empty())
      return sentence("cannot talk", error);
    if (writing) {
      const auto out = send_some(socket_.get(), rest);
      if (!out.error.empty()) return sentence("cannot talk", out.error);
      rest.remove_prefix(out.bytes);
    }
    const auto in = receive_some(socket_.get(), buffer.data(), buffer.size());
    if (!in.error.empty()) return sentence("cannot talk", in.error);
    reader_.feed({buffer.data(), in.bytes});
    for (reply r; replies.size() < asked_ && reader_.next(r);) {
      replies.push_back(std::move(r));
      until = std::chrono::steady_clock::now() + options_.timeout;
    }
    if (reader_.failed()) return sentence("not a Redis server", reader_.error());
  }
  output_.clear();
  asked_ = 0;
  return {};
}

info_fields parse_info(std::string_view info) {
  info_fields all;
  while (!info.empty()) {
    const auto line = info.substr(0, info.find("\r\n"));
    if (const auto colon = line.find(':'); colon != std::string_view::npos)
      all.emplace(line.substr(0, colon), line.substr(colon + 1));
    info.remove_prefix(std::min(info.size(), line.size() + 2));
  }
  return all;
}

}  // namespace pawl::redis
