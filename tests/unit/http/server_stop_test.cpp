#include "server_fixture.hpp"

#include <gtest/gtest.h>

#include <atomic>

// Where the server may listen, and how it ends.

namespace pawl {
namespace {

TEST(HttpServerStartAndStop, StopSendsAnswersThatAreUnderWay) {
  auto held = std::make_shared<holding_handler>();
  running_server s(handler_of(held));
  auto c = s.connect();
  c.send(request_bytes("GET", "/") + request_bytes("GET", "/too-late"));
  auto respond = held->next();
  auto idle = s.connect();
  std::thread stopping([&] { s.server.stop(std::chrono::seconds(20)); });
  EXPECT_TRUE(idle.ended());  // so stop has begun
  respond(text("still answered"));
  const auto answer = c.receive();
  EXPECT_EQ(answer.body, "still answered");
  EXPECT_EQ(answer.headers.at("connection"), "close");
  c.close();
  stopping.join();
  EXPECT_EQ(held->paths().size(), 1u);
  EXPECT_THROW(raw_client(s.server.port()), std::runtime_error);
}

TEST(HttpServerStartAndStop, StopWaitsForAnswersNoLongerThanItsGrace) {
  auto held = std::make_shared<holding_handler>();
  auto s = std::make_unique<running_server>(handler_of(held));
  auto c = s->connect();
  c.send(request_bytes("GET", "/"));
  auto respond = held->next();
  const auto begin = clock::now();
  s->server.stop(milliseconds(50));
  EXPECT_LT(clock::now() - begin, std::chrono::seconds(10));
  EXPECT_EQ(c.receive().status, 0);
  s.reset();
  respond(text("to a server that is gone"));  // must be harmless; the sanitizers would tell
}

TEST(HttpServerStartAndStop, StopUnderLoadEndsCleanly) {
  http_server_options o;
  o.threads = 2;
  running_server s(echo, o);
  std::atomic<int> answered{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i)
    clients.emplace_back([&] {
      auto c = s.connect();
      while (c.ask("GET", "/load").status == 200) ++answered;
    });
  EXPECT_TRUE(eventually([&] { return answered > 100; }));
  s.server.stop(std::chrono::seconds(5));
  for (auto& t : clients) t.join();
  EXPECT_EQ(s.server.connections(), 0u);
}

TEST(HttpServerStartAndStop, TakesItsAddressAndLimitsFromTheNodeOptions) {
  node_options node;
  node.http_address = "::1";
  node.http_port = 7999;
  node.http_threads = 3;
  node.http_body_bytes = 1000;
  node.http_connections = 7;
  node.http_timeout = milliseconds(1234);
  const http_server_options o(node);
  EXPECT_EQ(o.address, "::1");
  EXPECT_EQ(o.port, 7999);
  EXPECT_EQ(o.threads, 3u);
  EXPECT_EQ(o.limits.body_bytes, 1000u);
  EXPECT_EQ(o.limits.bodies_bytes, 32'000u);
  EXPECT_EQ(o.limits.connections, 7u);
  EXPECT_EQ(o.limits.timeout, milliseconds(1234));
}

TEST(HttpServerStartAndStop, PortInUseIsAnErrorThatNamesIt) {
  running_server s;
  http_server_options o;
  o.port = s.server.port();
  http_server second(o, echo);
  const auto error = second.start();
  EXPECT_NE(error.find("127.0.0.1"), std::string::npos) << error;
  EXPECT_NE(error.find(std::to_string(o.port)), std::string::npos) << error;
  EXPECT_NE(error.find("errno 98"), std::string::npos) << error;
}

TEST(HttpServerStartAndStop, AddressOfAnotherMachineIsAnErrorThatNamesIt) {
  http_server_options o;
  o.address = "192.0.2.1";
  const auto error = http_server(o, echo).start();
  EXPECT_NE(error.find("192.0.2.1"), std::string::npos) << error;
  EXPECT_NE(error.find("errno 99"), std::string::npos) << error;
}

TEST(HttpServerStartAndStop, PortIsFreeAgainAfterStop) {
  std::uint16_t port = 0;
  {
    running_server s;
    port = s.server.port();
    EXPECT_EQ(s.connect().ask("GET", "/").status, 200);
    s.server.stop(milliseconds(0));
  }
  http_server_options o;
  o.port = port;
  running_server again(echo, o);
  EXPECT_EQ(again.connect().ask("GET", "/").status, 200);
}

}  // namespace
}  // namespace pawl
