// The route of one shard: what its owner says of what waits in it.
#include "actors/http/shard_details.hpp"

#include "tests/unit/http/fake_ingress.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>

namespace pawl {
namespace {

using nlohmann::json;

struct ShardDetails : ::testing::Test {
  fake_ingress door;

  ShardDetails() { door.status.shards = 3; }
  http_response ask(const std::string& shard, const std::string& method = "GET") {
    http_request r;
    r.method = method;
    r.path = std::string{shards_prefix} + shard;
    http_response out;
    answer_shard_details(door, r, [&out](http_response a) { out = std::move(a); });
    return out;
  }
};

TEST_F(ShardDetails, ShowWhatWaitsAndHowFarSourcesHaveCome) {
  shard_detail d;
  d.outbox_messages = 5;
  d.receivers_waited_for = 300;
  d.receivers = {{{1}, 4, false, {"order", "o\"1"}, "Paid", 1'700}, {{0}, 1, true, {"order", "o-2"}, "Paid", 1'800}};
  d.sources_known = 2;
  d.sources = {{"source/warehouse/a", 44}, {"shard/1", 7}};
  d.timers = 6;
  d.next_timer = 1'900;
  d.dead_letters = 8;
  door.details[2] = d;
  const auto a = ask("2");
  EXPECT_EQ(a.status, 200u);
  EXPECT_EQ(json::parse(a.body), json::parse(R"({"shard":2,"owner":"n1","outbox":5,"receivers":300,"waiting":[
      {"shard":1,"messages":4,"stopped":false,"type":"order","key":"o\"1","message":"Paid","sent_at":1700},
      {"shard":0,"messages":1,"stopped":true,"type":"order","key":"o-2","message":"Paid","sent_at":1800}],
      "sources":2,"taken":[{"source":"source/warehouse/a","position":44},{"source":"shard/1","position":7}],
      "timers":6,"next_timer":1900,"dead_letters":8})"));
}

TEST_F(ShardDetails, OfAnIdleShardAreEmpty) {
  door.details[0] = {};
  EXPECT_EQ(json::parse(ask("0").body),
            json::parse(R"({"shard":0,"owner":"n1","outbox":0,"receivers":0,"waiting":[],"sources":0,"taken":[],
      "timers":0,"dead_letters":0})"));
}

TEST_F(ShardDetails, WithoutAnOwnerTheReasonIsTold) {
  const auto a = ask("1");
  EXPECT_EQ(a.status, 503u);
  EXPECT_NE(a.body.find("no owner"), std::string::npos);
}

TEST_F(ShardDetails, WhatIsNoShardIsRefused) {
  for (const auto* shard : {"3", "x", "", "-1", "1/2", "99999999999"}) EXPECT_EQ(ask(shard).status, 404u) << shard;
  const auto a = ask("1", "POST");
  EXPECT_EQ(a.status, 405u);
}

}  // namespace
}  // namespace pawl
