#include "tests/cluster/proxy.hpp"

#include "tests/cluster/until.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>

namespace pawl::testing {
namespace {

constexpr auto patience_ms = static_cast<int>(std::chrono::milliseconds{patience}.count());

/// One end of a TCP connection. Blocks for as long as a test may.
class end_of_line {
public:
  explicit end_of_line(redis::descriptor fd) : fd_(std::move(fd)) {}
  void say(std::string_view words) const { EXPECT_GT(::send(fd_.get(), words.data(), words.size(), MSG_NOSIGNAL), 0); }
  /// As many bytes; fewer if the connection ends first.
  [[nodiscard]] std::string hear(std::size_t bytes) const {
    std::string out;
    for (std::array<char, 256> buffer; out.size() < bytes;) {
      pollfd p{fd_.get(), POLLIN, 0};
      if (::poll(&p, 1, patience_ms) <= 0) break;
      const auto n = ::recv(fd_.get(), buffer.data(), std::min(buffer.size(), bytes - out.size()), 0);
      if (n <= 0) break;
      out.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return out;
  }
  [[nodiscard]] bool nothing_to_hear() const {
    char byte = 0;
    return ::recv(fd_.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0 && errno == EAGAIN;
  }
  /// Waits for the end; true if it was a reset.
  [[nodiscard]] bool was_reset() const {
    pollfd p{fd_.get(), POLLIN, 0};
    char byte = 0;
    return ::poll(&p, 1, patience_ms) > 0 && ::recv(fd_.get(), &byte, 1, 0) < 0 && errno == ECONNRESET;
  }

private:
  redis::descriptor fd_;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  out.sin_port = htons(port);
  return out;
}

/// A target, and a proxy before it to which callers say their name, which is one letter, first.
class Proxy : public ::testing::Test {
protected:
  Proxy() : target_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    auto name = loopback(0);
    socklen_t size = sizeof name;
    EXPECT_EQ(::bind(target_.get(), reinterpret_cast<sockaddr*>(&name), size), 0);
    EXPECT_EQ(::listen(target_.get(), 16), 0);
    EXPECT_EQ(::getsockname(target_.get(), reinterpret_cast<sockaddr*>(&name), &size), 0);
    proxy_.emplace(listening_place{{}, "127.0.0.1", 0}, listening_place{{}, "127.0.0.1", ntohs(name.sin_port)},
                   [](std::string_view first) -> std::optional<std::string> {
                     if (first.empty()) return std::nullopt;
                     return std::string{first.front()};
                   });
  }

  [[nodiscard]] int dial(redis::descriptor& fd) const {
    fd = redis::descriptor{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const auto name = loopback(proxy_->port());
    return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0 ? 0 : errno;
  }
  [[nodiscard]] end_of_line call() const {
    redis::descriptor fd;
    EXPECT_EQ(dial(fd), 0);
    return end_of_line{std::move(fd)};
  }
  [[nodiscard]] end_of_line answer() const {
    return end_of_line{redis::descriptor{::accept(target_.get(), nullptr, nullptr)}};
  }
  [[nodiscard]] bool nobody_calls() const {
    pollfd p{target_.get(), POLLIN, 0};
    return ::poll(&p, 1, 0) == 0;
  }
  /// Returns when the proxy has had every reason to pass on what it was given before: it has done so for another.
  void another_is_served() const {
    const auto caller = call();
    caller.say("z");
    const auto callee = answer();
    EXPECT_EQ(callee.hear(1), "z");
    callee.say("Z");
    EXPECT_EQ(caller.hear(1), "Z");
  }

  redis::descriptor target_;
  std::optional<proxy> proxy_;
};

TEST_F(Proxy, passes_on_bytes_and_the_end_of_each_direction) {
  std::optional caller{call()};
  caller->say("a hello");
  const auto callee = answer();
  EXPECT_EQ(callee.hear(7), "a hello");
  callee.say("welcome");
  EXPECT_EQ(caller->hear(7), "welcome");
  caller.reset();
  EXPECT_EQ(callee.hear(1), "");
}

TEST_F(Proxy, holds_one_direction_of_one_caller_and_delivers_late) {
  const auto caller = call();
  caller.say("a1");
  const auto callee = answer();
  ASSERT_EQ(callee.hear(2), "a1");

  proxy_->set("a", [](passage& p) { p.there_held = true; });
  caller.say("2");
  callee.say("back");
  EXPECT_EQ(caller.hear(4), "back");
  another_is_served();
  EXPECT_TRUE(callee.nothing_to_hear());

  proxy_->set("a", [](passage& p) { p = {.back_held = true}; });
  EXPECT_EQ(callee.hear(1), "2");
  callee.say("late");
  another_is_served();
  EXPECT_TRUE(caller.nothing_to_hear());
  proxy_->set("a", [](passage& p) { p = {}; });
  EXPECT_EQ(caller.hear(4), "late");
}

TEST_F(Proxy, lets_a_held_caller_connect_and_the_target_knows_nothing_of_it) {
  proxy_->set("a", [](passage& p) { p.there_held = true; });
  const auto patient = call();
  patient.say("a!");
  { call().say("a?"); }
  another_is_served();
  EXPECT_TRUE(nobody_calls());

  proxy_->set("a", [](passage& p) { p.there_held = false; });
  EXPECT_EQ(answer().hear(2), "a!");
  another_is_served();
  EXPECT_TRUE(nobody_calls()) << "one that had left was announced";
}

TEST_F(Proxy, resets_the_connections_of_a_refused_caller_and_of_nobody_else) {
  const auto caller = call();
  caller.say("a");
  const auto callee = answer();
  ASSERT_EQ(callee.hear(1), "a");

  proxy_->set("a", [](passage& p) { p.refused = true; });
  EXPECT_TRUE(caller.was_reset());
  EXPECT_TRUE(callee.was_reset());
  const auto again = call();
  again.say("a");
  EXPECT_TRUE(again.was_reset());
  another_is_served();
}

TEST_F(Proxy, refuses_everybody_while_it_does_not_listen) {
  const auto port = proxy_->port();
  proxy_->stop_listening();
  redis::descriptor fd;
  EXPECT_EQ(dial(fd), ECONNREFUSED);
  proxy_->listen();
  EXPECT_EQ(proxy_->port(), port);
  another_is_served();
}

}  // namespace
}  // namespace pawl::testing
