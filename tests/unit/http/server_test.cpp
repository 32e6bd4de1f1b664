#include "server_fixture.hpp"

#include <gtest/gtest.h>

#include <random>

// The server alone, with handlers of the test behind it: what it does with good requests, with bytes that are no
// request, and with answers that come late, twice or never.

namespace pawl {
namespace {

TEST(HttpServer, AnswersSeveralRequestsOnOneConnection) {
  running_server s;
  auto c = s.connect();
  EXPECT_EQ(c.ask("GET", "/a?x=1&y=?").body, "GET /a|x=1&y=?|");
  const auto second = c.ask("POST", "/b", "content");
  EXPECT_EQ(second.body, "POST /b||content");
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(second.headers.at("cache-control"), "no-store");
}

TEST(HttpServer, TakesChunkedBodies) {
  running_server s;
  auto c = s.connect();
  c.send("POST /c HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(c.receive().body, "POST /c||abcde");
  EXPECT_EQ(c.ask("GET", "/next").body, "GET /next||");
}

TEST(HttpServer, TellsAPoliteClientToSendItsBody) {
  running_server s;
  auto c = s.connect();
  c.send("POST /e HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(c.receive().status, 100);
  c.send("abc");
  EXPECT_EQ(c.receive().body, "POST /e||abc");
}

TEST(HttpServer, HeadHasTheLengthOfGetAndNoBody) {
  running_server s;
  auto c = s.connect();
  const auto head = c.ask("HEAD", "/h");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), "8");
  EXPECT_EQ(c.ask("GET", "/h").body, "GET /h||");  // a body after HEAD would stand in front of this answer
}

TEST(HttpServer, Http10IsAnsweredAndClosed) {
  running_server s;
  auto c = s.connect();
  c.send("GET /old HTTP/1.0\r\n\r\n");
  EXPECT_EQ(c.receive().body, "GET /old||");
  EXPECT_TRUE(c.ended());
}

TEST(HttpServer, Http10WithKeepAliveStaysOpen) {
  running_server s;
  auto c = s.connect();
  for (int i = 0; i < 2; ++i) {
    c.send("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(c.receive().body, "GET /old||");
  }
}

TEST(HttpServer, PipelinedRequestsAreAnsweredInOrderOneAtATime) {
  auto held = std::make_shared<holding_handler>();
  running_server s(handler_of(held));
  auto c = s.connect();
  std::string all;
  for (int i = 0; i < 50; ++i) all += request_bytes("GET", "/" + std::to_string(i));
  c.send(all);
  for (int i = 0; i < 50; ++i) {
    auto respond = held->next();
    EXPECT_EQ(held->waiting(), 0u);  // the next request waits until this one is answered
    respond(text(std::to_string(i)));
    EXPECT_EQ(c.receive().body, std::to_string(i));
    EXPECT_EQ(held->paths()[static_cast<std::size_t>(i)], "/" + std::to_string(i));
  }
}

TEST(HttpServer, ConnectionsDoNotWaitForEachOther) {
  auto held = std::make_shared<holding_handler>();
  running_server s(handler_of(held));
  auto first = s.connect();
  first.send(request_bytes("GET", "/first"));
  auto answer_first = held->next();
  auto second = s.connect();
  second.send(request_bytes("GET", "/second"));
  held->next()(text("second"));
  EXPECT_EQ(second.receive().body, "second");
  answer_first(text("first"));
  EXPECT_EQ(first.receive().body, "first");
}

TEST(HttpServer, BytesThatAreNotHttpAre400AndClosed) {
  running_server s;
  for (const std::string_view noise :
       {std::string_view{"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 11}, std::string_view{"hello\r\n\r\n"},
        std::string_view{"GET\r\n\r\n"}, std::string_view{"\r\n\r\n\r\n"},
        std::string_view{"GET / HTTP/1.1\r\nno colon here\r\n\r\n"},
        std::string_view{"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"},
        std::string_view{"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"},
        std::string_view{"POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        std::string_view{"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}}) {
    auto c = s.connect();
    c.send(noise);
    EXPECT_EQ(c.receive().status, 400) << noise;
    EXPECT_TRUE(c.ended()) << noise;
  }
}

TEST(HttpServer, SurvivesRequestsWithRandomDamage) {
  running_server s(echo, short_patience());
  std::mt19937 random(2);
  const auto whole = request_bytes("POST", "/v1/messages?x=1", "{\"type\":\"t\"}", "application/json");
  for (int i = 0; i < 300; ++i) {
    auto damaged = whole;
    for (auto n = random() % 4; n <= 4; ++n) damaged[random() % damaged.size()] = static_cast<char>(random());
    auto c = s.connect();
    c.send(damaged.substr(0, random() % (damaged.size() + 1)));
    c.shut();
    const auto status = c.receive().status;  // 0: closed without a word, for a request that was cut
    EXPECT_TRUE(status == 0 || status == 200 || (status >= 400 && status <= 505)) << status;
  }
  EXPECT_EQ(s.connect().ask("GET", "/").status, 200);
}

TEST(HttpServer, PathsWithControlCharactersOrWithoutASlashAre400) {
  running_server s;
  for (const std::string_view target : {std::string_view{"/a\0b", 4}, std::string_view{"/a\x01"}, std::string_view{"*"},
                                        std::string_view{"http://elsewhere/a"}, std::string_view{"../../etc/passwd"}}) {
    auto c = s.connect();
    c.send("GET " + std::string{target} + " HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(c.receive().status, 400) << target;
  }
}

TEST(HttpServer, OtherVersionsAre505) {
  running_server s;
  for (const auto* request : {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTCPCP/1.0\r\n\r\n"}) {
    auto c = s.connect();
    c.send(request);
    EXPECT_EQ(c.receive().status, 505) << request;
    EXPECT_TRUE(c.ended()) << request;
  }
}

TEST(HttpServer, HandlerThatThrowsIs500) {
  running_server s([](http_request, http_respond) { throw std::runtime_error("secret detail"); });
  auto c = s.connect();
  const auto answer = c.ask("GET", "/");
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body.find("secret"), std::string::npos);
  EXPECT_EQ(c.ask("GET", "/").status, 500);
}

TEST(HttpServer, RequestThatTheHandlerDropsIs503) {
  running_server s([](http_request, http_respond) {});
  EXPECT_EQ(s.connect().ask("GET", "/").status, 503);
}

TEST(HttpServer, OnlyTheFirstAnswerOfARequestCounts) {
  running_server s([](http_request q, http_respond respond) {
    respond(text("first " + q.path));
    respond(text("second " + q.path));
  });
  auto c = s.connect();
  EXPECT_EQ(c.ask("GET", "/1").body, "first /1");
  EXPECT_EQ(c.ask("GET", "/2").body, "first /2");
}

TEST(HttpServer, ClientThatLeavesBeforeItsAnswerHarmsNobody) {
  auto held = std::make_shared<holding_handler>();
  running_server s(handler_of(held));
  auto c = s.connect();
  c.send(request_bytes("GET", "/"));
  auto respond = held->next();
  c.close();
  respond(text("nobody reads this"));
  EXPECT_TRUE(eventually([&] { return s.server.connections() == 0; }));
  auto other = s.connect();
  other.send(request_bytes("GET", "/"));
  held->next()(text("fine"));
  EXPECT_EQ(other.receive().body, "fine");
}

TEST(HttpServer, StatusOfEveryAnswerIsReported) {
  std::mutex mutex;
  std::vector<unsigned> statuses;
  http_server server({}, echo, [&](unsigned status) {
    std::lock_guard lock(mutex);
    statuses.push_back(status);
  });
  ASSERT_EQ(server.start(), "");
  EXPECT_EQ(raw_client(server.port()).ask("GET", "/").status, 200);
  raw_client noise(server.port());
  noise.send("hello\r\n\r\n");
  EXPECT_EQ(noise.receive().status, 400);
  server.stop(std::chrono::seconds(5));
  EXPECT_EQ(statuses, (std::vector<unsigned>{200, 400}));
}

}  // namespace
}  // namespace pawl
