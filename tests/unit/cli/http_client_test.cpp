#include "cli/http_client.hpp"

#include "cli/closed_loop.hpp"
#include "cli/outgoing_message.hpp"
#include "cli/survey.hpp"
#include "cli/verdict.hpp"
#include "persistence/redis/socket.hpp"
#include "tests/contract/redis_server.hpp"
#include "tests/unit/http/server_fixture.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <fstream>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

// The client against servers that answer properly, not at all, or with anything but HTTP.

namespace pawl::cli {
namespace {

constexpr milliseconds soon{200};

/// Accepts connections one after the other and writes the same bytes to each; then waits for the client to go, or goes.
class rude_server {
public:
  enum class then { close, stay };
  rude_server(std::string bytes, then what) : bytes_(std::move(bytes)), what_(what) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof any;
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&any), size) != 0 || ::listen(listener_.get(), 8) != 0 ||
        ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&any), &size) != 0)
      throw std::runtime_error("cannot listen");
    port_ = ntohs(any.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~rude_server() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  [[nodiscard]] node_url url() const { return {"127.0.0.1", port_}; }

private:
  void run() {
    for (;;) {
      const redis::descriptor client{::accept(listener_.get(), nullptr, nullptr)};
      if (!client.open()) return;
      std::array<char, 4096> buffer;
      static_cast<void>(::recv(client.get(), buffer.data(), buffer.size(), 0));
      static_cast<void>(::send(client.get(), bytes_.data(), bytes_.size(), MSG_NOSIGNAL));
      while (what_ == then::stay && ::recv(client.get(), buffer.data(), buffer.size(), 0) > 0) {
      }
    }
  }

  std::string bytes_;
  then what_;
  redis::descriptor listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::uint16_t port_ = 0;
  std::thread thread_;
};

using then = rude_server::then;

TEST(HttpClient, AsksOverOneConnectionThatIsKept) {
  running_server server;
  http_client http{{"127.0.0.1", server.server.port()}, std::chrono::seconds{5}};
  EXPECT_EQ(http.get("/a?b").body, "GET /a|b|");
  EXPECT_EQ(http.post("/p", "application/json", "{}").body, "POST /p||{}");
  EXPECT_EQ(server.server.connections(), 1u);
}

TEST(HttpClient, AKeptConnectionThatWasClosedIsOpenedAgain) {
  running_server server{echo, short_patience()};
  http_client http{{"127.0.0.1", server.server.port()}, std::chrono::seconds{5}};
  EXPECT_EQ(http.get("/a").status, 200u);
  EXPECT_TRUE(eventually([&] { return server.server.connections() == 0; }));
  EXPECT_EQ(http.get("/b").body, "GET /b||");
}

TEST(HttpClient, NobodyThereIsAProblemWithAReason) {
  http_client http{{"127.0.0.1", testing::free_port()}, soon};
  const auto a = http.get("/");
  EXPECT_EQ(a.status, 0u);
  EXPECT_EQ(a.problem, "Connection refused");
}

TEST(HttpClient, SilenceEndsWithTheTimeout) {
  const rude_server server{"", then::stay};
  const auto begun = clock::now();
  const auto a = http_client{server.url(), soon}.get("/");
  EXPECT_EQ(a.status, 0u);
  EXPECT_NE(a.problem.find("within 200 ms"), std::string::npos) << a.problem;
  EXPECT_LT(clock::now() - begun, std::chrono::seconds{10});
}

TEST(HttpClient, AnAnswerThatIsCutOrNoneIsAProblem) {
  for (const auto* bytes :
       {"", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "\x16\x03\x01",
        "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 99999 Odd\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"}) {
    const rude_server server{bytes, then::close};
    const auto a = http_client{server.url(), std::chrono::seconds{5}}.get("/");
    EXPECT_EQ(a.status, 0u) << bytes;
    EXPECT_FALSE(a.problem.empty()) << bytes;
  }
}

TEST(HttpClient, AnAnswerBeyondTheLimitIsNotRead) {
  const rude_server server{"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nabc", then::stay};
  const auto a = http_client{server.url(), std::chrono::seconds{5}}.get("/");
  EXPECT_EQ(a.status, 0u);
  EXPECT_NE(a.problem.find("longer than"), std::string::npos) << a.problem;
  const rude_server headers{"HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'), then::stay};
  EXPECT_EQ((http_client{headers.url(), std::chrono::seconds{5}}.get("/").status), 0u);
}

TEST(Survey, WhatIsNoNodeIsInThePictureWithTheReason) {
  running_server server{[](http_request, http_respond respond) { respond(text(R"({"cluster":"\u001b[2J"})")); }};
  const auto p =
      survey({{"127.0.0.1", server.server.port()}, {"127.0.0.1", testing::free_port()}}, std::chrono::seconds{5});
  ASSERT_EQ(p.nodes.size(), 2u);
  for (const auto& n : p.nodes) EXPECT_FALSE(n.problem.empty());
  EXPECT_EQ(judge(p).level, health::unreachable);
}

TEST(SendOnce, TellsWhatBecameOfTheMessage) {
  struct row {
    unsigned status;
    const char* body;
    send_result::kind what;
  };
  using kind = send_result::kind;
  const std::vector<row> table{
      {200, R"({"id":"1","result":"applied"})", kind::applied},
      {200, R"({"id":"1","result":"duplicate"})", kind::duplicate},
      {422, R"({"id":"1","result":"refused","reason":"sold out","code":"handler_refused"})", kind::refused},
      {429, R"({"id":"1","result":"busy"})", kind::unresolved},
      {503, R"({"id":"1","result":"unknown"})", kind::unresolved},
      {200, R"({"id":"1","result":"something new"})", kind::unresolved},
      {200, "<html>", kind::unresolved},
      {503, R"({"detail":"too many connections"})", kind::unresolved},
      {400, R"({"detail":"not JSON"})", kind::rejected},
      {404, "no such route", kind::rejected},
  };
  for (const auto& r : table) {
    running_server server{[&](http_request, http_respond respond) {
      auto a = text(r.body);
      a.status = r.status;
      respond(std::move(a));
    }};
    http_client http{{"127.0.0.1", server.server.port()}, std::chrono::seconds{5}};
    EXPECT_EQ(static_cast<int>(send_once(http, {}).what), static_cast<int>(r.what)) << r.body;
  }
}

TEST(OutgoingMessage, KeepsThePayloadAsItWasGiven) {
  outgoing_message m{"order", "k\"", "M", "7", R"({"n":12345678901234567890,"x":1.0})", 5, 0};
  EXPECT_EQ(
      m.text(),
      R"({"type":"order","key":"k\"","message":"M","id":"7","sent_at":5,"payload":{"n":12345678901234567890,"x":1.0}})");
  EXPECT_NE(random_id(), random_id());
}

TEST(OutgoingMessage, PayloadsAreObjectsFromTheLineOrFromAFile) {
  const testing::temporary_directory folder;
  std::ofstream{folder.path() + "/p.json"} << R"({"a":1})";
  std::string payload, problem;
  EXPECT_TRUE(read_payload("@" + folder.path() + "/p.json", payload, problem)) << problem;
  EXPECT_EQ(payload, R"({"a":1})");
  for (const auto& wrong :
       {std::string{"[1]"}, std::string{"{"}, std::string{"@/nowhere/p.json"}, "@" + folder.path()}) {
    problem.clear();
    EXPECT_FALSE(read_payload(wrong, payload, problem)) << wrong;
    EXPECT_FALSE(problem.empty());
  }
}

TEST(ClosedLoop, SendsEachNumberOnceAndCountsWhatBecameOfThem) {
  std::mutex mutex;
  std::set<std::string> bodies;
  std::atomic<int> refuse_first{3};
  running_server server{[&](http_request q, http_respond respond) {
    if (refuse_first.fetch_sub(1) > 0) return respond(text(R"({"result":"busy","reason":"full"})"));
    const std::lock_guard lock{mutex};
    bodies.insert(q.body);
    respond(text(R"({"result":"applied"})"));
  }};
  closed_loop_plan plan;
  plan.nodes = {{"127.0.0.1", server.server.port()}};
  plan.type = "order";
  plan.message = "M";
  plan.payload = R"({"n":{n}})";
  plan.count = 200;
  plan.length = std::chrono::seconds{20};
  plan.connections = 4;
  plan.keys = 10;
  plan.timeout = std::chrono::seconds{5};
  const auto r = run_closed_loop(plan);
  EXPECT_EQ(r.applied, 200u);
  EXPECT_EQ(r.retries, 3u);
  EXPECT_EQ(r.problem, "busy: full");
  EXPECT_EQ(bodies.size(), 200u);
  EXPECT_GT(r.per_second(), 0);
  EXPECT_LE(r.latency_ms(0.5), r.latency_ms(1.0));
}

}  // namespace
}  // namespace pawl::cli
