#include "server_fixture.hpp"

#include <gtest/gtest.h>

// What a slow, greedy or silent client may cost.

namespace pawl {
namespace {

TEST(HttpServerLimits, HeaderAboveTheLimitIs431) {
  running_server s;
  auto c = s.connect();
  c.send("GET / HTTP/1.1\r\nX: " + std::string(1024 * 1024, 'x') + "\r\n\r\n");
  const auto answer = c.receive();
  EXPECT_EQ(answer.status, 431);
  EXPECT_EQ(answer.headers.at("content-type"), "application/problem+json");
  EXPECT_NE(answer.body.find("16384 bytes"), std::string::npos);
  auto within = s.connect();
  within.send("GET /x HTTP/1.1\r\nX: " + std::string(16'000, 'x') + "\r\n\r\n");
  EXPECT_EQ(within.receive().status, 200);
}

TEST(HttpServerLimits, BodyAboveTheLimitIs413BeforeItIsRead) {
  http_server_options o;
  o.limits.body_bytes = 1000;
  running_server s(echo, o);
  auto announced = s.connect();
  announced.send("POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_EQ(announced.receive().status, 413);
  auto chunked = s.connect();
  chunked.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n");
  EXPECT_EQ(chunked.receive().status, 413);
  auto within = s.connect();
  EXPECT_EQ(within.ask("POST", "/", std::string(1000, 'b')).status, 200);
}

TEST(HttpServerLimits, ClientThatSendsAllOfARefusedBodyStillReadsTheAnswer) {
  http_server_options o;
  o.limits.body_bytes = 1000;
  running_server s(echo, o);
  auto c = s.connect();
  c.send(request_bytes("POST", "/", std::string(4 * 1024 * 1024, 'b')));
  EXPECT_EQ(c.receive().status, 413);
}

TEST(HttpServerLimits, LargeBodiesOfAllConnectionsShareABudget) {
  http_server_options o;
  o.limits.body_bytes = 200'000;
  o.limits.bodies_bytes = 300'000;
  auto held = std::make_shared<holding_handler>();
  running_server s(handler_of(held), o);
  const std::string large(200'000, 'b');
  auto first = s.connect();
  first.send(request_bytes("POST", "/1", large));
  auto respond = held->next();
  auto second = s.connect();
  EXPECT_EQ(second.ask("POST", "/2", large).status, 503);
  auto small = s.connect();
  small.send(request_bytes("POST", "/3", "small bodies pass"));
  held->next()(text("ok"));
  EXPECT_EQ(small.receive().status, 200);
  respond(text("ok"));
  EXPECT_EQ(first.receive().status, 200);
  auto third = s.connect();
  third.send(request_bytes("POST", "/4", large));
  held->next()(text("ok"));
  EXPECT_EQ(third.receive().status, 200);
}

TEST(HttpServerLimits, SilentSlowAndHalfwayClientsAreClosed) {
  running_server s(echo, short_patience());
  auto silent = s.connect();
  auto half_header = s.connect();
  half_header.send("GET / HTTP/1.1\r\nHost:");
  auto half_body = s.connect();
  half_body.send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
  auto idle = s.connect();
  EXPECT_EQ(idle.ask("GET", "/").status, 200);
  EXPECT_TRUE(silent.ended());
  EXPECT_TRUE(half_header.ended());
  EXPECT_TRUE(half_body.ended());
  EXPECT_TRUE(idle.ended());
  EXPECT_TRUE(eventually([&] { return s.server.connections() == 0; }));
}

TEST(HttpServerLimits, HeaderThatTricklesInIsClosedAtTheTimeoutOfTheWhole) {
  running_server s(echo, short_patience());
  auto c = s.connect();
  const auto begin = clock::now();
  c.send("GET / HTTP/1.1\r\n");
  while (c.send("X: y\r\n") && clock::now() - begin < std::chrono::seconds(20))
    std::this_thread::sleep_for(milliseconds(20));  // the pace is what is tested: each byte is well within the timeout
  EXPECT_LT(clock::now() - begin, std::chrono::seconds(10));
}

TEST(HttpServerLimits, SlowHandlerIsNotTakenForASlowClient) {
  auto held = std::make_shared<holding_handler>();
  running_server s(handler_of(held), short_patience());
  auto c = s.connect();
  c.send(request_bytes("GET", "/"));
  auto respond = held->next();
  auto silent = s.connect();
  EXPECT_TRUE(silent.ended());  // one timeout has passed
  respond(text("late"));
  EXPECT_EQ(c.receive().body, "late");
}

TEST(HttpServerLimits, ConnectionsAboveTheLimitGet503) {
  http_server_options o;
  o.limits.connections = 2;
  running_server s(echo, o);
  auto one = s.connect();
  auto two = s.connect();
  EXPECT_EQ(one.ask("GET", "/").status, 200);
  EXPECT_EQ(two.ask("GET", "/").status, 200);
  auto three = s.connect();
  const auto answer = three.receive();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.headers.at("retry-after"), "1");
  EXPECT_EQ(answer.headers.at("connection"), "close");
  three.close();
  one.close();
  ASSERT_TRUE(eventually([&] { return s.server.connections() == 1; }));
  EXPECT_EQ(s.connect().ask("GET", "/").status, 200);
}

}  // namespace
}  // namespace pawl
