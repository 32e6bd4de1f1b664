// The console's files as a browser gets them, and the routes of other members: whom a node asks, and what it passes on.

#include "actors/http/api.hpp"
#include "actors/http/server.hpp"
#include "fake_ingress.hpp"
#include "raw_client.hpp"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl {
namespace {

using nlohmann::json;

class HttpConsole : public ::testing::Test {
protected:
  HttpConsole() {
    door.status.node = "n1";
    door.status.current = {view_number{7},
                           {{{"n1", 1}, member_state::up, "127.0.0.1:1", "127.0.0.1:11"},
                            {{"n2", 2}, member_state::up, "10.0.0.2:2", "10.0.0.2:12"},
                            {{"n3", 3}, member_state::draining, "10.0.0.3:3", "0.0.0.0:13"},
                            {{"n4", 4}, member_state::up, "10.0.0.4:4", ""},
                            {{"n5", 5}, member_state::up, "10.0.0.5:5", "[fd00::5]:15"}}};
    const auto error = server.start();
    if (!error.empty()) throw std::runtime_error(error);
  }
  raw_answer get(std::string_view target) { return raw_client(server.port()).ask("GET", target); }
  raw_answer get(std::string_view target, std::string_view if_none_match) {
    raw_client c(server.port());
    c.send("GET " + std::string{target} + " HTTP/1.1\r\nHost: test\r\nIf-None-Match: " + std::string{if_none_match} +
           "\r\n\r\n");
    // 304 has no body, whatever its length says.
    return c.receive(true);
  }

  struct question {
    std::string host;
    std::uint16_t port;
    std::string path;
    bool operator==(const question&) const = default;
  };
  std::vector<question> asked;
  member_reply reply{200, "{}\n", {}};
  std::vector<recent_event> events;
  fake_ingress door;
  http_server server{{},
                     make_http_api(door, {[] { return std::string{}; },
                                          [] { return unix_ms{0}; },
                                          {},
                                          [this] { return events; },
                                          [this](std::string host, std::uint16_t port, std::string path, auto done) {
                                            asked.push_back({std::move(host), port, std::move(path)});
                                            done(reply);
                                          }})};
};

TEST_F(HttpConsole, FolderIsThePageAndFilesHaveTheirTypes) {
  const std::vector<std::pair<std::string, std::string>> types{
      {"/console/", "text/html; charset=utf-8"},
      {"/console/index.html", "text/html; charset=utf-8"},
      {"/console/console.css", "text/css; charset=utf-8"},
      {"/console/console.js", "text/javascript; charset=utf-8"}};
  for (const auto& [path, type] : types) {
    const auto a = get(path);
    EXPECT_EQ(a.status, 200) << path;
    EXPECT_EQ(a.headers.at("content-type"), type);
    EXPECT_EQ(a.headers.at("x-content-type-options"), "nosniff");
    EXPECT_EQ(a.headers.at("cache-control"), "no-cache");
    EXPECT_FALSE(a.body.empty());
  }
  EXPECT_EQ(get("/console/").body.rfind("<!doctype html>", 0), 0u);
}

TEST_F(HttpConsole, PolicyAllowsNothingButThisNode) {
  const auto policy = get("/console/").headers.at("content-security-policy");
  EXPECT_EQ(policy.rfind("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; ", 0), 0u);
  EXPECT_NE(policy.find("base-uri 'none'"), policy.npos);
  EXPECT_NE(policy.find("frame-ancestors 'none'"), policy.npos);
  EXPECT_EQ(policy.find("unsafe"), policy.npos);
}

TEST_F(HttpConsole, PageNeedsNothingThatThePolicyForbids) {
  const auto page = get("/console/").body;
  EXPECT_EQ(page.find("style="), page.npos);
  EXPECT_EQ(page.find("<style"), page.npos);
  EXPECT_EQ(page.find("<script>"), page.npos);
  EXPECT_EQ(page.find("onclick"), page.npos);
}

TEST_F(HttpConsole, EveryModuleThatThePageNamesIsThere) {
  std::vector<std::string> waiting{"console.js"};
  std::vector<std::string> seen;
  while (!waiting.empty()) {
    const auto name = waiting.back();
    waiting.pop_back();
    if (std::ranges::find(seen, name) != seen.end()) continue;
    seen.push_back(name);
    const auto a = get("/console/" + name);
    ASSERT_EQ(a.status, 200) << name;
    for (auto at = a.body.find("from \"./"); at != a.body.npos; at = a.body.find("from \"./", at + 1))
      waiting.push_back(a.body.substr(at + 8, a.body.find('"', at + 8) - at - 8));
  }
  EXPECT_GE(seen.size(), 10u);
}

TEST_F(HttpConsole, FileThatTheBrowserHasIsNotSentAgain) {
  const auto first = get("/console/console.js");
  const auto tag = first.headers.at("etag");
  ASSERT_EQ(tag.front(), '"');
  EXPECT_NE(tag, get("/console/console.css").headers.at("etag"));
  for (const auto& header : {tag, "W/" + tag, "\"other\", " + tag, std::string{"*"}}) {
    const auto again = get("/console/console.js", header);
    EXPECT_EQ(again.status, 304) << header;
    EXPECT_EQ(again.headers.at("etag"), tag);
  }
  EXPECT_EQ(get("/console/console.js", "\"other\"").status, 200);
}

TEST_F(HttpConsole, NothingButTheFilesIsThere) {
  for (const auto* path : {"/console/nothing.js", "/console/../metrics", "/console/%2e%2e/x", "/console//index.html",
                           "/console/INDEX.HTML", "/console/index.html/", "/console"})
    EXPECT_EQ(get(path).status, 404) << path;
  const auto a = raw_client(server.port()).ask("POST", "/console/");
  EXPECT_EQ(a.status, 405);
  EXPECT_EQ(a.headers.at("allow"), "GET, HEAD");
}

TEST_F(HttpConsole, EventsAreListedOldestFirst) {
  events = {{1'000, 2'000, 85, log::level::debug, "shard claimed", {{"shard", "1,2"}, {"pause_ms", "120"}}},
            {3'000, 3'000, 1, log::level::warn, "say \"no\"", {{"why", "a\nb\xff"}}}};
  const auto a = get("/v1/events");
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.headers.at("content-type"), "application/json");
  const auto body = json::parse(a.body).at("events");
  ASSERT_EQ(body.size(), 2u);
  EXPECT_EQ(body[0], json::parse(R"({"at":1000,"until":2000,"count":85,"level":"debug","name":"shard claimed",
                                    "fields":{"shard":"1,2","pause_ms":"120"}})"));
  EXPECT_EQ(body[1].at("name"), "say \"no\"");
  EXPECT_EQ(body[1].at("fields").at("why"), "a\nb\xEF\xBF\xBD");
}

TEST_F(HttpConsole, MemberIsAskedAtItsAddressInTheView) {
  for (const auto* what : {"cluster", "shards", "events"})
    EXPECT_EQ(get("/v1/nodes/n2/" + std::string{what}).headers.at("content-type"), "application/json");
  EXPECT_EQ(get("/v1/nodes/n2/metrics").headers.at("content-type").rfind("text/plain; version=0.0.4", 0), 0u);
  EXPECT_EQ(asked, (std::vector<question>{{"10.0.0.2", 12, "/v1/cluster"},
                                          {"10.0.0.2", 12, "/v1/shards"},
                                          {"10.0.0.2", 12, "/v1/events"},
                                          {"10.0.0.2", 12, "/metrics"}}));
}

TEST_F(HttpConsole, MemberThatListensOnAllAddressesIsAskedWhereItsPeersReachIt) {
  EXPECT_EQ(get("/v1/nodes/n3/cluster").status, 200);
  EXPECT_EQ(get("/v1/nodes/n5/cluster").status, 200);
  EXPECT_EQ(asked, (std::vector<question>{{"10.0.0.3", 13, "/v1/cluster"}, {"fd00::5", 15, "/v1/cluster"}}));
}

// What would make a node ask somebody else, or something else, on behalf of whoever reaches it.
TEST_F(HttpConsole, NobodyButMembersAndNothingButTheListIsAsked) {
  for (const auto* path : {"/v1/nodes/n9/cluster", "/v1/nodes/169.254.169.254/cluster", "/v1/nodes/10.0.0.2:12/cluster",
                           "/v1/nodes/localhost/metrics", "/v1/nodes//cluster", "/v1/nodes/", "/v1/nodes/n2",
                           "/v1/nodes/n2/", "/v1/nodes/n2/cluster/", "/v1/nodes/n2/../n3/cluster", "/v1/nodes/n2/drain",
                           "/v1/nodes/n2/v1/cluster", "/v1/nodes/n2/entities/order/o-1", "/v1/nodes/n2/cluster%3Fx=1",
                           "/v1/nodes/%6e2/cluster", "/v1/nodes/n2@10.0.0.9/cluster", "/v1/nodes/N2/cluster",
                           "/v1/nodes/n2/nodes/n3/cluster", "/v1/nodes/http://10.0.0.9/cluster"})
    EXPECT_EQ(get(path).status, 404) << path;
  for (const auto* method : {"POST", "PUT", "DELETE"})
    EXPECT_EQ(raw_client(server.port()).ask(method, "/v1/nodes/n2/cluster").status, 405);
  EXPECT_TRUE(asked.empty());
}

TEST_F(HttpConsole, QueryOfTheRequestIsNotPassedOn) {
  EXPECT_EQ(get("/v1/nodes/n2/shards?at=http://10.0.0.9/").status, 200);
  EXPECT_EQ(asked, (std::vector<question>{{"10.0.0.2", 12, "/v1/shards"}}));
}

TEST_F(HttpConsole, MemberWithoutAUsableAddressIs502) {
  EXPECT_EQ(get("/v1/nodes/n4/cluster").status, 502);
  for (const auto* address :
       {"10.0.0.4", ":80", "10.0.0.4:", "10.0.0.4:0", "10.0.0.4:99999", "10.0.0.4:8x", "0.0.0.0:80"}) {
    const auto at = http_address_of({{"n4", 4}, member_state::up, "no peer address", address});
    EXPECT_FALSE(at.has_value()) << address;
  }
  EXPECT_TRUE(asked.empty());
}

TEST_F(HttpConsole, WhatIsNoUsableAnswerIs502WithTheReason) {
  reply = {0, {}, "connection refused"};
  auto a = get("/v1/nodes/n2/cluster");
  EXPECT_EQ(a.status, 502);
  EXPECT_EQ(json::parse(a.body).at("detail"), "n2 does not answer: connection refused");
  for (const unsigned status : {301u, 302u, 404u, 500u, 503u}) {
    reply = {status, "secret", {}};
    a = get("/v1/nodes/n2/cluster");
    EXPECT_EQ(a.status, 502) << status;
    EXPECT_EQ(a.body.find("secret"), a.body.npos);
  }
}

TEST_F(HttpConsole, MemberThatIsNotReadyIsNoFailure) {
  reply = {503, "this node is joining\n", {}};
  const auto a = get("/v1/nodes/n2/readyz");
  EXPECT_EQ(a.status, 503);
  EXPECT_EQ(a.body, "this node is joining\n");
}

TEST(HttpConsoleAlone, RoutesThatNeedWhatIsNotGivenAreNotThere) {
  fake_ingress door;
  http_server server{{}, make_http_api(door, {[] { return std::string{}; }, [] { return unix_ms{0}; }})};
  ASSERT_EQ(server.start(), "");
  EXPECT_EQ(raw_client(server.port()).ask("GET", "/v1/events").status, 404);
  EXPECT_EQ(raw_client(server.port()).ask("GET", "/v1/nodes/n1/cluster").status, 404);
}

}  // namespace
}  // namespace pawl
