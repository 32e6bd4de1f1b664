// The routes of dead letters: all shards at once, one by one, and what is done with a letter.
#include "actors/http/dead_letters.hpp"

#include "actors/trace_context.hpp"
#include "tests/unit/http/fake_ingress.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace pawl {
namespace {

numbered_letter letter(std::uint32_t number, unix_ms at, std::string payload = "\x80") {
  numbered_letter l;
  l.number = number;
  l.letter.entity = {"order", "o-1"};
  l.letter.name = "Paid";
  l.letter.id = "m" + std::to_string(number);
  l.letter.source = "timer";
  l.letter.code = reason_code::handler_error;
  l.letter.reason = "thrown";
  l.letter.payload = std::move(payload);
  l.letter.at = at;
  return l;
}

struct DeadLetters : ::testing::Test {
  fake_ingress door;

  DeadLetters() { door.status.shards = 3; }
  http_response ask(const std::string& method, const std::string& path, const std::string& query = {},
                    const std::string& type = "application/json", const std::string& body = R"({"at":100})") {
    http_request r;
    r.method = method;
    r.path = std::string{dead_letters_path} + path;
    r.query = query;
    r.content_type = type;
    r.body = body;
    http_response out;
    answer_dead_letters(door, r, [&out](http_response a) { out = std::move(a); });
    return out;
  }
  void stored(std::uint32_t shard, std::vector<numbered_letter> letters, std::uint32_t from = 0,
              std::uint32_t next = 0) {
    letter_page page;
    page.total = letters.size();
    page.letters = std::move(letters);
    page.next = next;
    door.letter_pages[{shard, from}] = std::move(page);
  }
};

TEST_F(DeadLetters, OfAllShardsComeTheLatestFirst) {
  stored(0, {letter(0, 100), letter(1, 300)});
  stored(2, {letter(0, 200)});
  const auto a = ask("GET", "");
  EXPECT_EQ(a.status, 200u);
  EXPECT_NE(a.body.find(R"({"total":3,"letters":[{"shard":0,"number":1,"type":"order","key":"o-1","message":"Paid",)"),
            std::string::npos)
      << a.body;
  EXPECT_LT(
      a.body.find(R"("shard":2)"),
      a.body.find(
          R"("number":0,"type":"order","key":"o-1","message":"Paid","id":"m0","source":"timer","sent_at":0,"at":100)"));
  EXPECT_NE(a.body.find(R"("shards_missing":[])"), std::string::npos);
}

TEST_F(DeadLetters, OfAllShardsNoMoreComeThanFitIntoAnAnswerAndThoseAreTheLatest) {
  const auto large = "\xdb" + std::string("\x00\x30\x00\x00", 4) + std::string(3 * 1024 * 1024, 'p');  // msgpack text
  stored(0, {letter(0, 100, large), letter(1, 200, large)});
  stored(1, {letter(0, 300, large), letter(1, 400, large)});
  stored(2, {letter(0, 500, large), letter(1, 600, large)});
  const auto a = ask("GET", "");
  EXPECT_NE(a.body.find(R"({"total":6,)"), std::string::npos);
  EXPECT_NE(a.body.find(R"("at":600)"), std::string::npos);
  EXPECT_NE(a.body.find(R"("at":500)"), std::string::npos);
  EXPECT_EQ(a.body.find(R"("at":400)"), std::string::npos);
  // One is always shown.
  door.letter_pages.clear();
  stored(0, {letter(0, 100, "\xdb" + std::string("\x00\x90\x00\x00", 4) + std::string(9 * 1024 * 1024, 'p'))});
  EXPECT_NE(ask("GET", "").body.find(R"("at":100)"), std::string::npos);
}

TEST_F(DeadLetters, AShardThatDoesNotAnswerIsNamed) {
  door.letter_pages[{1, 0}] = std::nullopt;
  const auto a = ask("GET", "");
  EXPECT_EQ(a.status, 200u);
  EXPECT_NE(a.body.find(R"("shards_missing":[1],"reason":"no owner")"), std::string::npos) << a.body;
  EXPECT_EQ(ask("GET", "/1").status, 503u);
}

TEST_F(DeadLetters, OneShardIsReadPageByPage) {
  stored(1, {letter(7, 100)}, 7, 9);
  const auto a = ask("GET", "/1", "from=7");
  EXPECT_EQ(a.status, 200u);
  EXPECT_NE(a.body.find(R"("next":9)"), std::string::npos) << a.body;
}

TEST_F(DeadLetters, APayloadThatCannotBeShownSaysSo) {
  stored(0, {letter(0, 100, "\xc1")});
  const auto a = ask("GET", "/0");
  EXPECT_NE(a.body.find(R"("payload":null,"payload_problem":")"), std::string::npos) << a.body;
}

TEST_F(DeadLetters, TheTraceOfTheMessageIsShown) {
  const std::string header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  auto l = letter(0, 100);
  l.letter.trace = parse_traceparent(header);
  stored(0, {l, letter(1, 100)});
  const auto a = ask("GET", "/0");
  EXPECT_NE(a.body.find(R"("traceparent":")" + header + '"'), std::string::npos) << a.body;
  EXPECT_EQ(a.body.find("traceparent"), a.body.rfind("traceparent"));  // of the first only
}

TEST_F(DeadLetters, OneIsReplayedOrDiscarded) {
  door.entity.kind = entity_answer::status::found;
  EXPECT_EQ(ask("POST", "/2/5/replay").body, "{\"result\":\"applied\"}\n");
  EXPECT_EQ(ask("POST", "/2/6/discard").body, "{\"result\":\"discarded\"}\n");
  ASSERT_EQ(door.acted.size(), 2u);
  EXPECT_EQ(door.acted[0].first.value, 2u);
  EXPECT_EQ(door.acted[0].second.number, 5u);
  EXPECT_EQ(door.acted[0].second.at, 100);
  EXPECT_EQ(door.acted[0].second.what, letter_action::kind::replay);
  EXPECT_EQ(door.acted[1].second.what, letter_action::kind::discard);
}

TEST_F(DeadLetters, ARefusalOfAReplayAndAnAbsentLetterAreTold) {
  door.entity.kind = entity_answer::status::found;
  door.entity.reason = "thrown";
  EXPECT_EQ(ask("POST", "/2/5/replay").status, 422u);
  door.entity.kind = entity_answer::status::absent;
  EXPECT_EQ(ask("POST", "/2/5/replay").status, 404u);
  door.entity.kind = entity_answer::status::unavailable;
  EXPECT_EQ(ask("POST", "/2/5/replay").status, 503u);
}

// A number is used again: whoever acts says which letter is meant.
TEST_F(DeadLetters, WithoutItsTimeNothingIsDoneToOne) {
  for (const auto* body : {"", "{}", "[]", "5", R"({"at":"100"})", R"({"at":1.5})", "{"}) {
    const auto a = ask("POST", "/2/5/discard", "", "application/json", body);
    EXPECT_EQ(a.status, 400u) << body;
    EXPECT_NE(a.body.find("by its time"), std::string::npos) << a.body;
  }
  EXPECT_TRUE(door.acted.empty());
}

TEST_F(DeadLetters, WhatIsNoRouteOrNoNumberIsRefused) {
  EXPECT_EQ(ask("GET", "/3").status, 404u);
  EXPECT_EQ(ask("GET", "/x").status, 404u);
  EXPECT_EQ(ask("GET", "/1", "from=x").status, 400u);
  EXPECT_EQ(ask("GET", "/1", "to=1").status, 400u);
  EXPECT_EQ(ask("GET", "/1/2").status, 404u);
  EXPECT_EQ(ask("POST", "").status, 405u);
  EXPECT_EQ(ask("GET", "/1/2/replay").status, 405u);
  EXPECT_EQ(ask("POST", "/1/2/forget").status, 404u);
  EXPECT_EQ(ask("POST", "/1/2/replay", "", "text/plain").status, 415u);
  EXPECT_TRUE(door.acted.empty());
}

}  // namespace
}  // namespace pawl
