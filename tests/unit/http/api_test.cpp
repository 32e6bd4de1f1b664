#include "actors/http/api.hpp"

#include "actors/http/server.hpp"
#include "actors/trace_context.hpp"
#include "fake_ingress.hpp"
#include "raw_client.hpp"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <thread>

// The routes over a real server and a fake ingress: which status, which body, and what reaches the cluster.

namespace pawl {
namespace {

using nlohmann::json;

constexpr unix_ms door_time = 1'700'000'000'000;
constexpr std::string_view one_type = "application/json";
constexpr std::string_view batch_type = "application/x-ndjson";

std::string message_text(std::string_view id, std::string_view key = "k") {
  return R"({"type":"order","key":")" + std::string{key} + R"(","message":"M","id":")" + std::string{id} + R"("})";
}

class HttpApi : public ::testing::Test {
protected:
  HttpApi() {
    const auto error = server.start();
    if (!error.empty()) throw std::runtime_error(error);
  }
  raw_client connect() { return raw_client(server.port()); }
  raw_answer get(std::string_view target) { return connect().ask("GET", target); }
  raw_answer post(std::string_view body, std::string_view type) {
    return connect().ask("POST", "/v1/messages", body, type);
  }

  fake_ingress door;
  http_server server{{},
                     make_http_api(door, {[] { return std::string{"# HELP x\nx 1\n"}; }, [] { return door_time; }})};
};

void expect_problem(const raw_answer& a, int status) {
  EXPECT_EQ(a.status, status) << a.body;
  EXPECT_EQ(a.headers.at("content-type"), "application/problem+json");
  const auto body = json::parse(a.body);
  EXPECT_EQ(body.at("type"), "about:blank");
  EXPECT_EQ(body.at("status"), status);
  EXPECT_FALSE(body.at("title").get<std::string>().empty());
  EXPECT_FALSE(body.at("detail").get<std::string>().empty());
}

TEST_F(HttpApi, SingleMessageIsSubmittedAndItsResultReturned) {
  const auto a =
      post(R"({"type":"order","key":"o-1","message":"OrderCreated","id":"m-1","payload":{"total":7}})", one_type);
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.headers.at("content-type"), "application/json");
  EXPECT_EQ(a.body, "{\"id\":\"m-1\",\"result\":\"applied\"}\n");
  ASSERT_EQ(door.seen().size(), 1u);
  const auto seen = door.seen().front();
  EXPECT_EQ(seen.key, "o-1");
  EXPECT_EQ(seen.payload, "\x81\xa5total\x07");
  EXPECT_EQ(seen.sent_at, door_time);
  EXPECT_TRUE(seen.stamped);
}

TEST_F(HttpApi, TheTraceOfARequestGoesWithEachOfItsMessages) {
  const std::string header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const auto ask = [&](const std::string& headers) {
    const auto body = message_text("m-1") + "\n" + message_text("m-2") + "\n";
    auto client = connect();
    EXPECT_TRUE(client.send("POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n" +
                            headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body));
    EXPECT_EQ(client.receive().status, 200);
    const auto seen = door.seen();
    return std::pair{std::string{seen.at(seen.size() - 2).trace}, std::string{seen.back().trace}};
  };
  const auto trace = parse_traceparent(header);
  EXPECT_EQ(ask("Traceparent: " + header + "\r\n"), std::pair(trace, trace));
  EXPECT_EQ(ask(""), (std::pair<std::string, std::string>{}));
  // What is no such header is ignored, and so are two of them; the messages go on.
  EXPECT_EQ(ask("traceparent: 00-" + std::string(5'000, 'f') + "\r\n"), (std::pair<std::string, std::string>{}));
  EXPECT_EQ(ask("traceparent: " + header + "\r\ntraceparent: " + header + "\r\n"),
            (std::pair<std::string, std::string>{}));
}

TEST_F(HttpApi, StatusOfASingleMessageTellsWhatBecameOfIt) {
  struct row {
    message_result result;
    int status;
    bool retry;
  };
  const std::vector<row> table{
      {{result_kind::applied, reason_code::none, ""}, 200, false},
      {{result_kind::duplicate, reason_code::none, ""}, 200, false},
      {{result_kind::refused, reason_code::handler_refused, "sold out"}, 422, false},
      {{result_kind::refused, reason_code::id_reused, "other content"}, 409, false},
      {{result_kind::refused, reason_code::seq_passed, "is past number 2"}, 409, false},
      {{result_kind::refused, reason_code::seq_missing, "give each its seq"}, 422, false},
      {{result_kind::busy, reason_code::early, "waits for number 2"}, 429, true},
      {{result_kind::busy, reason_code::queue_full, "full"}, 429, true},
      {{result_kind::blocked, reason_code::earlier_unresolved, "wait"}, 429, true},
      {{result_kind::unknown, reason_code::timed_out, "no answer"}, 503, true},
  };
  for (const auto& row : table) {
    door.answer("m", row.result);
    const auto a = post(message_text("m"), one_type);
    EXPECT_EQ(a.status, row.status);
    EXPECT_EQ(a.headers.count("retry-after") == 1, row.retry) << row.status;
    const auto body = json::parse(a.body);
    EXPECT_EQ(body.at("id"), "m");
    EXPECT_EQ(body.at("result"), to_string(row.result.kind));
    EXPECT_EQ(body.value("reason", ""), row.result.reason);
    EXPECT_EQ(body.value("code", "none"), to_string(row.result.code));
  }
}

TEST_F(HttpApi, SingleMessageThatIsNotJsonIs400) {
  for (const auto* body : {"{", "not json", "{\"a\":1}{\"a\":1}", "\xff"}) expect_problem(post(body, one_type), 400);
  EXPECT_TRUE(door.seen().empty());
}

TEST_F(HttpApi, SingleMessageWithABadFieldIsRefusedForGood) {
  for (const auto& body : {std::string{"{}"}, std::string{"[]"}, message_text(""), message_text(std::string(257, 'i')),
                           message_text("a\\u0007"), message_text("m", "")}) {
    const auto a = post(body, one_type);
    EXPECT_EQ(a.status, 422) << body;
    EXPECT_EQ(json::parse(a.body).at("result"), "refused");
    EXPECT_EQ(json::parse(a.body).at("code"), "invalid");
  }
  EXPECT_TRUE(door.seen().empty());
}

TEST_F(HttpApi, BatchIsAnsweredLineByLineInOrder) {
  door.answer("b", {result_kind::busy, reason_code::store_full, "store full"});
  const auto a =
      post(message_text("a") + "\nnonsense\n" + message_text("b") + "\n" + message_text("c") + "\n", batch_type);
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.headers.at("content-type"), "application/x-ndjson");
  std::istringstream lines(a.body);
  std::vector<json> rows;
  for (std::string line; std::getline(lines, line);) rows.push_back(json::parse(line));
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0], json::parse(R"({"id":"a","result":"applied"})"));
  EXPECT_EQ(rows[1].at("id"), nullptr);
  EXPECT_EQ(rows[1].at("code"), "invalid");
  EXPECT_EQ(rows[2], json::parse(R"({"id":"b","result":"busy","reason":"store full","code":"store_full"})"));
  EXPECT_EQ(rows[3].at("id"), "c");
  ASSERT_EQ(door.seen().size(), 3u);
}

TEST_F(HttpApi, BatchWithoutAnyGoodLineIsAnsweredWithoutTheCluster) {
  const auto a = post("x\ny\n", batch_type);
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(std::count(a.body.begin(), a.body.end(), '\n'), 2);
  EXPECT_TRUE(door.seen().empty());
}

TEST_F(HttpApi, BatchOfTheLimitPassesAndOneMoreIs413) {
  std::string body;
  for (std::size_t i = 0; i < limits::batch_messages; ++i) body += message_text(std::to_string(i)) + "\n";
  const auto a = post(body, batch_type);
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(static_cast<std::size_t>(std::count(a.body.begin(), a.body.end(), '\n')), limits::batch_messages);
  expect_problem(post(body + message_text("more"), batch_type), 413);
  EXPECT_EQ(door.seen().size(), limits::batch_messages);
}

TEST_F(HttpApi, EmptyBodiesAre400) {
  expect_problem(post("", batch_type), 400);
  expect_problem(post("", one_type), 400);
}

TEST_F(HttpApi, ContentTypeDecidesBetweenOneAndMany) {
  const auto two = message_text("a") + "\n" + message_text("b") + "\n";
  EXPECT_EQ(post(two, "Application/X-NDJSON ; charset=utf-8").status, 200);
  expect_problem(post(two, "application/json; charset=utf-8"), 400);
  for (const auto* none : {"", "application/octet-stream"}) {
    EXPECT_EQ(post(two, none).headers.at("content-type"), "application/x-ndjson");
    EXPECT_EQ(post(message_text("a") + "\n\n", none).headers.at("content-type"), "application/json");
    EXPECT_EQ(post("{\n" + message_text("a").substr(1), none).headers.at("content-type"), "application/json");
  }
}

TEST_F(HttpApi, TypesThatBrowsersSendUnaskedAre415) {
  for (const auto* type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                           "application/xml", "json"})
    expect_problem(post(message_text("a"), type), 415);
  EXPECT_TRUE(door.seen().empty());
}

TEST_F(HttpApi, CompressedBodiesAre415) {
  auto c = connect();
  c.send(
      "POST /v1/messages HTTP/1.1\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n"
      "\r\n{}");
  expect_problem(c.receive(), 415);
}

TEST_F(HttpApi, AnswersReachTheirOwnClientsInAnyOrderOfCompletion) {
  door.hold();
  std::vector<raw_client> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(connect());
    clients.back().send(request_bytes("POST", "/v1/messages", message_text("m-" + std::to_string(i)), one_type));
  }
  auto held = door.next(20);
  ASSERT_EQ(held.size(), 20u);
  for (auto h = held.rbegin(); h != held.rend(); ++h) h->done({{result_kind::applied, reason_code::none, ""}});
  for (std::size_t i = 0; i < 20; ++i)
    EXPECT_EQ(json::parse(clients[i].receive().body).at("id"), "m-" + std::to_string(i));
}

TEST_F(HttpApi, PipelinedMessagesAreSubmittedOneAfterTheOther) {
  door.hold();
  auto c = connect();
  c.send(request_bytes("POST", "/v1/messages", message_text("1"), one_type) +
         request_bytes("POST", "/v1/messages", message_text("2"), one_type));
  for (const std::string_view id : {"1", "2"}) {
    auto held = door.next(1);
    ASSERT_EQ(held.size(), 1u);
    EXPECT_EQ(held.front().batch->messages.front().id, id);
    held.front().done({{result_kind::duplicate, reason_code::none, ""}});
    EXPECT_EQ(json::parse(c.receive().body).at("id"), id);
  }
}

TEST_F(HttpApi, SubmissionThatIsDroppedIs503) {
  door.hold();
  auto c = connect();
  c.send(request_bytes("POST", "/v1/messages", message_text("1"), one_type));
  door.next(1);
  expect_problem(c.receive(), 503);
}

TEST_F(HttpApi, ClientThatLeavesBeforeItsResultHarmsNobody) {
  door.hold();
  auto c = connect();
  c.send(request_bytes("POST", "/v1/messages", message_text("1"), one_type));
  auto held = door.next(1);
  ASSERT_EQ(held.size(), 1u);
  c.close();
  held.front().done({{result_kind::applied, reason_code::none, ""}});
  EXPECT_EQ(get("/livez").status, 200);
}

TEST_F(HttpApi, EntityShowsItsCommittedState) {
  door.entity = {entity_answer::status::found, "\x81\xa6status\xa7shipped", 4, "n2", ""};
  door.entity.recent = {{"b\"", "Ship", 1'700}, {"a", "Pay", 1'600}};
  const auto a = get("/v1/entities/order/o-1");
  EXPECT_EQ(a.status, 200);
  const auto shard = std::to_string(door.shard_of("o-1").value);
  EXPECT_EQ(a.body,
            R"({"type":"order","key":"o-1","owner":"n2","shard":)" + shard +
                R"(,"last_seq":4,"state":{"status":"shipped"},"timers":[],"recent":[{"id":"b\"","message":"Ship",)" +
                R"("applied_at":1700},{"id":"a","message":"Pay","applied_at":1600}]})" + "\n");
}

TEST_F(HttpApi, SequencedEntityShowsWhatItWaitsForAndHolds) {
  door.entity = {entity_answer::status::found, "\x80", 4, "n2", ""};
  door.entity.expected = 5;
  door.entity.held = 2;
  EXPECT_NE(get("/v1/entities/order/o-1").body.find(R"("last_seq":4,"expected":5,"held":2,"state")"),
            std::string::npos);
  door.entity.kind = entity_answer::status::absent;
  const auto none = get("/v1/entities/order/o-1");
  expect_problem(none, 404);
  EXPECT_NE(none.body.find("2 are held until number 5 comes"), std::string::npos);
}

TEST_F(HttpApi, EntityKeyIsPercentDecoded) {
  door.entity.kind = entity_answer::status::found;
  door.entity.state = "\x80";
  EXPECT_EQ(get("/v1/entities/order/a%2Fb%20%7b%C3%A4+..").status, 200);
  EXPECT_EQ(door.last_read(), (entity_id{"order", "a/b {\xc3\xa4+.."}));
}

TEST_F(HttpApi, EntityAddressThatCannotExistIs400) {
  for (const auto* path :
       {"order/%", "order/a%2", "order/%zz", "order/%00", "order/a%0Ab", "order/%ff", "order/", "/k", "a%20b/k"})
    expect_problem(get("/v1/entities/" + std::string{path}), 400);
  expect_problem(get("/v1/entities/order/" + std::string(257, 'k')), 400);
}

TEST_F(HttpApi, EntityThatIsAbsentOrUnavailableIsAProblem) {
  door.entity.kind = entity_answer::status::absent;
  expect_problem(get("/v1/entities/order/o-1"), 404);
  door.entity.kind = entity_answer::status::unavailable;
  door.entity.reason = "no owner";
  const auto a = get("/v1/entities/order/o-1");
  expect_problem(a, 503);
  EXPECT_EQ(json::parse(a.body).at("detail"), "no owner");
  EXPECT_EQ(a.headers.at("retry-after"), "1");
}

TEST_F(HttpApi, EntityStateThatIsDamagedIs500) {
  door.entity = {entity_answer::status::found, "\x81\xa6st", 0, "n1", ""};
  expect_problem(get("/v1/entities/order/o-1"), 500);
}

TEST_F(HttpApi, ClusterListsItsMembers) {
  door.status.cluster = "demo";
  door.status.node = "n1";
  door.status.incarnation = 7;
  door.status.state = "up";
  door.status.shards = 16;
  door.status.store_up = true;
  door.status.current.number.value = 3;
  door.status.current.members = {{{"n1", 7}, member_state::up, "127.0.0.1:7421", "127.0.0.1:7420", 1},
                                 {{"n2", 8}, member_state::draining, "127.0.0.1:7423", "", 1}};
  const auto a = get("/v1/cluster");
  EXPECT_EQ(a.status, 200);
  const auto body = json::parse(a.body);
  EXPECT_EQ(body.at("node"), "n1");
  EXPECT_EQ(body.at("view"), 3);
  EXPECT_EQ(body.at("store_up"), true);
  EXPECT_EQ(body.at("time_ms"), door_time);
  ASSERT_EQ(body.at("members").size(), 2u);
  EXPECT_EQ(body.at("members")[0], json::parse(R"({"node":"n1","incarnation":7,"state":"up",
      "peer_address":"127.0.0.1:7421","http_address":"127.0.0.1:7420"})"));
  EXPECT_EQ(body.at("members")[1].at("state"), "draining");
}

TEST_F(HttpApi, TheClusterTellsHowLongTheNodeWouldStayAMember) {
  door.status.lease = std::chrono::milliseconds{3'000};
  auto body = json::parse(get("/v1/cluster").body);
  EXPECT_EQ(body.at("lease_ms"), 3'000);
  EXPECT_FALSE(body.contains("lease_remaining_ms"));  // it is none, or has not beaten yet
  door.status.lease_remaining = std::chrono::milliseconds{2'850};
  body = json::parse(get("/v1/cluster").body);
  EXPECT_EQ(body.at("lease_remaining_ms"), 2'850);
}

TEST_F(HttpApi, ShardsListWhatThisNodeKnows) {
  door.shard_rows = {{{0}, "n1", true, "held", 1, 2, 3, 4, 5, 6}, {{1}, "", false, "unclaimed", 0, 0, 0}};
  const auto body = json::parse(get("/v1/shards").body);
  ASSERT_EQ(body.at("shards").size(), 2u);
  EXPECT_EQ(body.at("shards")[0], json::parse(R"({"shard":0,"owner":"n1","local":true,"claim":"held","queued":1,
      "entities":2,"commits":3,"outbox":4,"timers":5,"dead_letters":6})"));
}

TEST_F(HttpApi, AShardThatIsNotServedTellsWhatItWaitsForAndForHowLong) {
  shard_status waits;
  waits.shard = {3};
  waits.owner = "n3";
  waits.claim = "unclaimed";
  waits.waiting_for = "owner n3 does not answer";
  waits.waiting = std::chrono::milliseconds{1'250};
  door.shard_rows = {waits};
  const auto row = json::parse(get("/v1/shards").body).at("shards").at(0);
  EXPECT_EQ(row.at("waiting_for"), "owner n3 does not answer");
  EXPECT_EQ(row.at("waiting_ms"), 1'250);
}

TEST_F(HttpApi, HealthTellsLifeFromReadiness) {
  EXPECT_EQ(get("/livez").body, "ok\n");
  EXPECT_EQ(get("/readyz").status, 200);
}

TEST_F(HttpApi, NotReadyIs503WithTheReason) {
  door.not_ready = "the store is not reachable";
  const auto a = get("/readyz");
  EXPECT_EQ(a.status, 503);
  EXPECT_EQ(a.body, "the store is not reachable\n");
  EXPECT_EQ(get("/livez").status, 200);
}

TEST_F(HttpApi, MetricsHaveThePrometheusContentType) {
  const auto a = get("/metrics");
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.headers.at("content-type").rfind("text/plain; version=0.0.4", 0), 0u);
  EXPECT_EQ(a.body, "# HELP x\nx 1\n");
}

TEST_F(HttpApi, TwoHundredScrapesAtOnceAreAllAnswered) {
  std::vector<raw_client> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(connect());
  for (auto& c : clients) c.send(request_bytes("GET", "/metrics"));
  for (auto& c : clients) EXPECT_EQ(c.receive().status, 200);
}

TEST_F(HttpApi, RootListsTheRoutesAndSendsABrowserToTheConsole) {
  const auto a = get("/");
  EXPECT_EQ(a.status, 307);
  EXPECT_EQ(a.headers.at("location"), "/console/");
  for (const auto* route : {"/v1/messages", "/v1/drain", "/v1/entities/{type}/{key}", "/v1/cluster", "/v1/shards",
                            "/v1/events", "/v1/nodes/{node}/{what}", "/livez", "/readyz", "/metrics", "/console/"})
    EXPECT_NE(a.body.find(route), std::string::npos) << route;
}

TEST_F(HttpApi, UnknownPathsAre404) {
  for (const auto* path : {"/nothing", "/v1", "/v1/messages/", "/metrics/../metrics", "/..%2f", "/../../etc/passwd",
                           "//", "/v1/entities/order", "/v1/entities/order/a/b", "/LIVEZ"})
    expect_problem(get(path), 404);
}

TEST_F(HttpApi, WrongMethodsAre405WithTheRightOne) {
  const auto messages = connect().ask("GET", "/v1/messages");
  expect_problem(messages, 405);
  EXPECT_EQ(messages.headers.at("allow"), "POST");
  for (const auto* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"}) {
    const auto a = connect().ask(method, "/v1/cluster");
    expect_problem(a, 405);
    EXPECT_EQ(a.headers.at("allow"), "GET, HEAD");
  }
  EXPECT_EQ(connect().ask("DELETE", "/v1/entities/order/o-1").status, 405);
}

TEST_F(HttpApi, QueryOfARouteIsIgnored) { EXPECT_EQ(get("/livez?verbose=1").status, 200); }

TEST_F(HttpApi, HeadWorksWhereGetDoes) {
  const auto a = connect().ask("HEAD", "/livez");
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.headers.at("content-length"), "3");
}

TEST_F(HttpApi, StopLetsSubmittedMessagesBeAnswered) {
  door.hold();
  auto c = connect();
  c.send(request_bytes("POST", "/v1/messages", message_text("1"), one_type));
  auto held = door.next(1);
  ASSERT_EQ(held.size(), 1u);
  auto idle = connect();
  std::thread stopping([&] { server.stop(std::chrono::seconds(20)); });
  EXPECT_TRUE(idle.ended());  // so stop has begun
  held.front().done({{result_kind::applied, reason_code::none, ""}});
  EXPECT_EQ(c.receive().status, 200);
  c.close();
  stopping.join();
}

}  // namespace
}  // namespace pawl
