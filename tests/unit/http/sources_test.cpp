// Producers that number their messages: what their batches must be, and what they are told.
#include "actors/http/sources.hpp"

#include "cluster/shard_map.hpp"
#include "tests/unit/http/fake_ingress.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace pawl {
namespace {

std::string key_of(std::uint32_t shard, int which = 0) {
  for (int n = 0;; ++n)
    if (auto key = "k" + std::to_string(n); shard_of(key, 16).value == shard && which-- == 0) return key;
}

std::string line(const std::string& key, const std::string& id, const std::string& position) {
  return R"({"type":"order","key":")" + key + R"(","message":"Paid","id":")" + id + R"(")" +
         (position.empty() ? "" : R"(,"position":)" + position) + "}\n";
}

struct Sources : ::testing::Test {
  fake_ingress door;

  Sources() { door.status.shards = 16; }
  http_response ask(const std::string& method, const std::string& path, const std::string& query,
                    const std::string& body = {}, const std::string& type = "application/x-ndjson") {
    http_request r;
    r.method = method;
    r.path = path;
    r.query = query;
    r.content_type = type;
    r.body = body;
    http_response out;
    answer_sources(door, r, 1'000, [&out](http_response a) { out = std::move(a); });
    return out;
  }
  http_response post(const std::string& body, const std::string& query = "shard=3&history=a&after=41") {
    return ask("POST", "/v1/sources/topic", query, body);
  }
};

// rule B17
TEST_F(Sources, ABatchGoesToItsShardWithItsPositions) {
  door.sequenced_result.known = true;
  door.sequenced_result.taken = {1, 44};
  door.sequenced_result.results = {{result_kind::applied}, {result_kind::applied}};
  const auto a = post(line(key_of(3), "m1", "42") + line(key_of(3, 1), "m2", "44"));
  EXPECT_EQ(a.status, 200u);
  EXPECT_EQ(a.body, R"({"taken":44,"results":[{"id":"m1","result":"applied"},{"id":"m2","result":"applied"}]})"
                    "\n");
  ASSERT_EQ(door.sequenced.size(), 1u);
  EXPECT_EQ(door.sequenced[0].first.value, 3u);
  const auto& batch = door.sequenced[0].second;
  EXPECT_EQ(batch.source, "topic/a");
  EXPECT_EQ(batch.follows.number, 41u);
  ASSERT_EQ(batch.positions.size(), 2u);
  EXPECT_EQ(batch.positions[1].number, 44u);
  EXPECT_EQ(batch.positions[0].line, batch.follows.line);
}

TEST_F(Sources, TheFirstBatchOfAHistoryFollowsNothing) {
  door.sequenced_result.known = true;
  post(line(key_of(3), "m1", "1"), "shard=3&history=a&after=0");
  EXPECT_EQ(door.sequenced.at(0).second.follows, position{});
}

TEST_F(Sources, AGapIsAConflictThatSaysWhatWasTaken) {
  door.sequenced_result.known = true;
  door.sequenced_result.taken = {1, 30};
  door.sequenced_result.results = {{result_kind::busy, reason_code::out_of_sequence, "no"}};
  const auto a = post(line(key_of(3), "m1", "42"));
  EXPECT_EQ(a.status, 409u);
  EXPECT_NE(a.body.find(R"("taken":30)"), std::string::npos);
}

TEST_F(Sources, WithoutAnOwnerItIsToBeSentAgain) {
  door.sequenced_result.results = {{result_kind::unknown, reason_code::no_owner, "no"}};
  EXPECT_EQ(post(line(key_of(3), "m1", "42")).status, 503u);
  EXPECT_EQ(ask("GET", "/v1/sources/topic", "shard=3&history=a").status, 503u);
}

TEST_F(Sources, GetTellsHowFarItHasCome) {
  door.sequenced_result.known = true;
  door.sequenced_result.taken = {1, 7};
  const auto a = ask("GET", "/v1/sources/topic", "shard=3&history=a");
  EXPECT_EQ(a.status, 200u);
  EXPECT_EQ(a.body, "{\"taken\":7}\n");
  EXPECT_EQ(door.sequenced.at(0).second.messages, nullptr);
}

TEST_F(Sources, WhatIsWrongIsNamedAndNothingIsTaken) {
  struct row {
    std::string body, query, said;
    unsigned status;
  };
  const auto good = line(key_of(3), "m1", "42");
  const std::string q = "shard=3&history=a&after=41";
  for (const auto& r : {
           row{good, "history=a&after=41", "parameter shard", 400},
           row{good, "shard=16&history=a&after=41", "below 16", 404},
           row{good, "shard=-1&history=a&after=41", "parameter shard", 400},
           row{good, "shard=3&after=41", "parameter history", 400},
           row{good, "shard=3&history=a%2F&after=41", "parameter history", 400},
           row{good, "shard=3&history=a", "parameter after", 400},
           row{good, "shard=3&history=a&after=x", "parameter after", 400},
           row{good, "shard=3&history=a&after=41&more=1", "parameters are", 400},
           row{line(key_of(4), "m1", "42"), q, "lies in shard 4", 400},
           row{line(key_of(3), "m1", ""), q, "position", 400},
           row{line(key_of(3), "m1", "0"), q, "position", 400},
           row{line(key_of(3), "m1", "41"), q, "must rise", 400},
           row{good + line(key_of(3), "m2", "42"), q, "must rise", 400},
           row{"{", q, "JSON", 400},
       }) {
    const auto a = post(r.body, r.query);
    EXPECT_EQ(a.status, r.status) << r.query << " " << r.body << a.body;
    EXPECT_NE(a.body.find(r.said), std::string::npos) << a.body;
  }
  EXPECT_TRUE(door.sequenced.empty());
}

TEST_F(Sources, MethodTypeAndNameAreChecked) {
  EXPECT_EQ(ask("PUT", "/v1/sources/topic", "shard=3&history=a").status, 405u);
  EXPECT_EQ(ask("GET", "/v1/sources/a/b", "shard=3&history=a").status, 404u);
  EXPECT_EQ(ask("POST", "/v1/sources/topic", "shard=3&history=a&after=1", "x", "text/plain").status, 415u);
}

}  // namespace
}  // namespace pawl
