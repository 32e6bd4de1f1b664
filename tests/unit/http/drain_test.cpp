#include "actors/http/api.hpp"

#include "fake_ingress.hpp"
#include "server_fixture.hpp"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <string>

// POST /v1/drain ends a process, so it must not be had by accident: neither by a page in a browser of this machine, nor
// by a request that was meant for another node.

namespace pawl {
namespace {

class HttpDrain : public ::testing::Test {
protected:
  HttpDrain() { door.status.node = "n1"; }
  raw_answer post(const std::string& body, const std::string& host = "127.0.0.1:7420",
                  const std::string& type = "application/json") {
    auto c = server.connect();
    c.send("POST /v1/drain HTTP/1.1\r\nHost: " + host + "\r\n" +
           (type.empty() ? "" : "Content-Type: " + type + "\r\n") + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body);
    return c.receive();
  }

  fake_ingress door;
  std::atomic<int> drains{0};
  running_server server{
      make_http_api(door, {[] { return std::string{}; }, [] { return unix_ms{0}; }, [this] { ++drains; }})};
};

TEST_F(HttpDrain, BeginsWhenTheNodeIsNamedOnItsOwnMachine) {
  const auto a = post(R"({"node":"n1"})");
  EXPECT_EQ(a.status, 202);
  EXPECT_EQ(a.body, "{\"node\":\"n1\",\"state\":\"draining\"}\n");
  EXPECT_EQ(drains, 1);
  EXPECT_EQ(post(R"({"node":"n1"})", "localhost").status, 202) << "again is no error";
  EXPECT_EQ(post(R"({"node":"n1"})", "[::1]:7420", "application/json; charset=utf-8").status, 202);
}

TEST_F(HttpDrain, AnotherMachineIsRefused) {
  const auto api = make_http_api(door, {[] { return std::string{}; }, [] { return unix_ms{0}; }, [this] { ++drains; }});
  http_request request{"POST", "/v1/drain", "", "application/json", "", "127.0.0.1:7420", false, R"({"node":"n1"})"};
  unsigned status = 0;
  api(request, [&](http_response r) { status = r.status; });
  EXPECT_EQ(status, 403u);
  request.from_loopback = true;
  api(request, [&](http_response r) { status = r.status; });
  EXPECT_EQ(status, 202u);
  EXPECT_EQ(drains, 1);
}

TEST_F(HttpDrain, ATypeThatABrowserSendsUnaskedIsRefused) {
  for (const auto* type : {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"})
    EXPECT_EQ(post(R"({"node":"n1"})", "127.0.0.1", type).status, 415) << type;
  EXPECT_EQ(drains, 0);
}

TEST_F(HttpDrain, ANameThatSomebodyLetsPointHereIsRefused) {
  for (const auto* host : {"", "evil.example", "evil.example:7420", "127.0.0.1.evil.example", "127.evil.example",
                           "10.0.0.1", "[::2]", "localhost.evil.example"})
    EXPECT_EQ(post(R"({"node":"n1"})", host).status, 403) << host;
  EXPECT_EQ(drains, 0);
}

TEST_F(HttpDrain, ABodyThatDoesNotNameThisNodeIsRefused) {
  const auto deep = R"({"node":)" + std::string(1'000'000, '[');
  for (const auto& body :
       {std::string{}, std::string{"{}"}, std::string{"n1"}, std::string{"\"n1\""}, std::string{R"({"node":1})"},
        std::string{R"({"node":"n2"})"}, std::string{R"({"node":["n1"]})"}, std::string{"\xff"}, deep})
    EXPECT_EQ(post(body).status, 409) << body.substr(0, 40);
  EXPECT_EQ(drains, 0);
}

TEST_F(HttpDrain, IsNotThereForGetAndNotWithoutAFunctionForIt) {
  EXPECT_EQ(server.connect().ask("GET", "/v1/drain").status, 405);
  running_server without{make_http_api(door, {[] { return std::string{}; }, [] { return unix_ms{0}; }})};
  EXPECT_EQ(without.connect().ask("POST", "/v1/drain", R"({"node":"n1"})", "application/json").status, 404);
}

}  // namespace
}  // namespace pawl
