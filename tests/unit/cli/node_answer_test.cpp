#include "cli/node_answer.hpp"

#include "cli/json_reader.hpp"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

// What a node answers may be cut, be of another type, or come from a program that is no node at all. None of it may do
// more than become a problem with a text.

namespace pawl::cli {
namespace {

const std::string cluster = R"({"cluster":"orders","dataset":"ab","node":"n1","incarnation":7,"state":"up",
  "version":"1","store_up":true,"shards":2,"shards_owned":2,"view":3,"time_ms":1700000000000,"members":
  [{"node":"n1","incarnation":7,"state":"up","peer_address":"127.0.0.1:1","http_address":"127.0.0.1:2"}]})";
const std::string shards = R"({"shards":[{"shard":0,"owner":"n1","local":true,"claim":"held","queued":1,"entities":2,
  "commits":3},{"shard":1,"owner":"n1","local":true,"claim":"held","queued":0,"entities":0,"commits":0,
  "waiting_for":"the store","waiting_ms":1500}]})";
const std::string details = R"({"shard":3,"owner":"n1","outbox":2,"receivers":1,"waiting":[{"shard":7,"messages":2,
  "stopped":true,"type":"account","key":"c-7","message":"Capture","sent_at":1700000000000}],"sources":1,
  "taken":[{"source":"till","position":41}],"timers":5,"next_timer":1700000001000,"dead_letters":1})";

TEST(NodeAnswer, IsReadAsItIs) {
  const auto c = decode_cluster(cluster);
  ASSERT_TRUE(c.value) << c.problem;
  EXPECT_EQ(c.value->node, "n1");
  EXPECT_EQ(c.value->view, 3u);
  EXPECT_EQ(c.value->time_ms, 1'700'000'000'000);
  ASSERT_EQ(c.value->members.size(), 1u);
  EXPECT_EQ(c.value->members[0].http_address, "127.0.0.1:2");

  const auto s = decode_shards(shards);
  ASSERT_TRUE(s.value) << s.problem;
  ASSERT_EQ(s.value->size(), 2u);
  EXPECT_EQ(s.value->at(0).commits, 3u);
  EXPECT_EQ(s.value->at(1).waiting, std::chrono::milliseconds{1'500});

  const auto d = decode_shard_details(details);
  ASSERT_TRUE(d.value) << d.problem;
  ASSERT_EQ(d.value->waiting.size(), 1U);
  EXPECT_EQ(d.value->waiting[0].shard, 7U);
  EXPECT_TRUE(d.value->waiting[0].stopped);
  EXPECT_EQ(d.value->waiting[0].key, "c-7");
  ASSERT_EQ(d.value->taken.size(), 1U);
  EXPECT_EQ(d.value->taken[0].position, 41U);
  EXPECT_EQ(d.value->next_timer, 1'700'000'001'000);
}

TEST(NodeAnswer, WithoutATimerSaysNoTime) {
  auto d = json::parse(details);
  d.erase("next_timer");
  const auto decoded = decode_shard_details(d.dump());
  ASSERT_TRUE(decoded.value) << decoded.problem;
  EXPECT_FALSE(decoded.value->next_timer);
}

TEST(NodeAnswer, OfALaterVersionMayHaveMoreFieldsAndOfAnEarlierOneNoClock) {
  auto c = json::parse(cluster);
  c["new"] = {{"deep", 1}};
  c.erase("time_ms");
  const auto decoded = decode_cluster(c.dump());
  ASSERT_TRUE(decoded.value) << decoded.problem;
  EXPECT_FALSE(decoded.value->time_ms);
}

TEST(NodeAnswer, CutAnywhereIsAProblem) {
  for (std::size_t n = 0; n < cluster.size(); ++n) {
    const auto c = decode_cluster(std::string_view{cluster}.substr(0, n));
    EXPECT_FALSE(c.value) << n;
    EXPECT_FALSE(c.problem.empty());
  }
  for (std::size_t n = 0; n < shards.size(); ++n)
    EXPECT_FALSE(decode_shards(std::string_view{shards}.substr(0, n)).value);
  for (std::size_t n = 0; n < details.size(); ++n)
    EXPECT_FALSE(decode_shard_details(std::string_view{details}.substr(0, n)).value);
}

/// Replaces each field in turn by values of all other types, or by nothing.
template <class Decode>
void expect_each_field_is_checked(const json& good, const std::vector<std::string>& path, Decode decode) {
  const auto within = [&](json& whole) -> json& {
    auto* at = &whole;
    for (const auto& step : path) at = step == "0" ? &at->at(0) : &at->at(step);
    return *at;
  };
  auto names = good;
  for (const auto& [name, value] : within(names).items()) {
    for (const auto& other :
         {json{}, json{-1}, json{1.5}, json{"text"}, json::array({1}), json::object(), json{true}}) {
      if (other.type() == value.type()) continue;
      const bool may_lack = name == "time_ms" || name == "next_timer";
      if (name == "shard" && path.empty()) continue;  // it is what was asked for
      if (may_lack && other.is_null()) continue;
      auto changed = good;
      within(changed)[name] = other;
      EXPECT_FALSE(decode(changed.dump()).value) << name << " as " << other.dump();
    }
    if (name == "time_ms" || name == "next_timer" || (name == "shard" && path.empty())) continue;
    auto lacking = good;
    within(lacking).erase(name);
    EXPECT_FALSE(decode(lacking.dump()).value) << "without " << name;
  }
}

TEST(NodeAnswer, WithAFieldOfAnotherTypeOrWithoutOneIsAProblem) {
  expect_each_field_is_checked(json::parse(cluster), {}, decode_cluster);
  expect_each_field_is_checked(json::parse(cluster), {"members", "0"}, decode_cluster);
  expect_each_field_is_checked(json::parse(shards), {}, decode_shards);
  expect_each_field_is_checked(json::parse(shards), {"shards", "0"}, decode_shards);
  expect_each_field_is_checked(json::parse(details), {}, decode_shard_details);
  expect_each_field_is_checked(json::parse(details), {"waiting", "0"}, decode_shard_details);
  expect_each_field_is_checked(json::parse(details), {"taken", "0"}, decode_shard_details);
}

TEST(NodeAnswer, ThatIsNoObjectIsAProblem) {
  for (const auto* text : {"", "null", "[]", "1", "\"n1\"", "<html>", "{}", "\xff\xfe", "{\"cluster\":\"\xff\"}"}) {
    EXPECT_FALSE(decode_cluster(text).value) << text;
    EXPECT_FALSE(decode_shards(text).value) << text;
    EXPECT_FALSE(decode_shard_details(text).value) << text;
  }
}

TEST(NodeAnswer, BeyondTheLimitsIsAProblem) {
  auto c = json::parse(cluster);
  c["shards"] = 16'385;
  EXPECT_FALSE(decode_cluster(c.dump()).value);
  c["shards"] = 16'384;
  EXPECT_TRUE(decode_cluster(c.dump()).value);
  c["node"] = std::string(257, 'n');
  EXPECT_FALSE(decode_cluster(c.dump()).value);
  c["node"] = "";
  EXPECT_FALSE(decode_cluster(c.dump()).value);
  c["node"] = "n1";
  c["members"] = json::array();
  for (std::size_t i = 0; i <= members_max; ++i) c["members"].push_back(json::parse(cluster)["members"][0]);
  EXPECT_FALSE(decode_cluster(c.dump()).value);
}

TEST(NodeAnswer, WithShardsThatAreNotNumberedFromZeroIsAProblem) {
  auto s = json::parse(shards);
  s["shards"][1]["shard"] = 0;
  EXPECT_FALSE(decode_shards(s.dump()).value);
  s["shards"][1]["shard"] = 16'384;
  EXPECT_FALSE(decode_shards(s.dump()).value);
}

TEST(NodeAnswer, NestedWithoutEndIsAProblemAndNoOverflow) {
  for (const auto& open : {std::string{"["}, std::string{"{\"a\":"}}) {
    std::string text;
    for (int i = 0; i < 1'000'000; ++i) text += open;
    EXPECT_FALSE(decode_cluster(text).value);
    EXPECT_EQ(problem_detail(503, text), "HTTP status 503");
  }
  std::string problem;
  const auto brackets_in_text =
      read_json("[\"" + std::string(1'000, '[') + "\\\"" + std::string(1'000, '[') + "\"]", problem);
  EXPECT_TRUE(problem.empty()) << problem;
  EXPECT_EQ(brackets_in_text.size(), 1u);
}

TEST(NodeAnswer, ProblemReportsTellTheirDetail) {
  EXPECT_EQ(problem_detail(503, R"({"title":"x","detail":"no owner"})"), "no owner");
  EXPECT_EQ(problem_detail(502, "<html>Bad Gateway</html>"), "HTTP status 502");
  EXPECT_EQ(problem_detail(500, R"({"detail":7})"), "HTTP status 500");
}

}  // namespace
}  // namespace pawl::cli
