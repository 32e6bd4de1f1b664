// Every error reply in every position, half replies, nonsense and silence, from a server that does what it is told. The
// expected outcomes are the table in persistence/SCHEMA.md.
#include "tests/contract/fake_server.hpp"
#include "tests/contract/store_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace pawl {
namespace {

using namespace std::chrono_literals;
using testing::fake_server;
using testing::response;
using testing::store_client;
using testing::token;

struct named_error {
  const char* text;
  store_error error;
};

const std::vector<named_error> error_replies{
    {"OOM command not allowed when used memory > 'maxmemory'.", store_error::oom},
    {"READONLY You can't write against a read only replica.", store_error::readonly},
    {"LOADING Redis is loading the dataset in memory", store_error::loading},
    {"MISCONF Redis is configured to save RDB snapshots", store_error::misconf},
    {"NOREPLICAS Not enough good replicas to write.", store_error::no_replicas},
    {"BUSY Redis is busy running a script.", store_error::busy},
    {"TRYAGAIN Multiple keys request during rehashing of slot", store_error::try_again},
    {"CLUSTERDOWN Hash slot not served", store_error::try_again},
    {"MASTERDOWN Link with MASTER is down", store_error::try_again},
    {"MOVED 3999 127.0.0.1:6381", store_error::moved},
    {"ASK 3999 127.0.0.1:6381", store_error::moved},
    {"NOAUTH Authentication required.", store_error::no_auth},
    {"WRONGPASS invalid username-password pair", store_error::no_auth},
    {"NOPERM this user has no permissions to run the 'hset' command", store_error::no_auth},
    {"WRONGTYPE Operation against a key holding the wrong kind of value", store_error::wrong_type},
    {"NOSCRIPT No matching script. Please use EVAL.", store_error::other},
    {"ERR unknown", store_error::other},
    {"", store_error::other},
};

std::string error_bytes(const char* text) { return "-" + std::string{text} + "\r\n"; }

/// Answers commands by their name, from a table; silent for others.
struct table {
  std::map<std::string, response> answers;
  fake_server::responder responder() const {
    return [all = answers](const fake_server::command& c) -> std::optional<response> {
      const auto found = all.find(c[0]);
      if (found != all.end()) return found->second;
      return fake_server::unasked(c) ? std::nullopt : std::optional{response{}};
    };
  }
};

/// One command, and the replies of a server in good order to what it is sent as.
struct position {
  const char* name;
  shard_operation operation;
  std::map<std::string, response> good;
  std::string faulty;  ///< the command whose reply is replaced
};

std::vector<position> positions() {
  const response one{":1\r\n"};
  const response values{"*1\r\n$1\r\nx\r\n"};
  const response record{"*6\r\n$1\r\nt\r\n$0\r\n\r\n$1\r\n0\r\n$1\r\n0\r\n$1\r\n1\r\n$0\r\n\r\n"};
  const response claimed{"*3\r\n$1\r\nf\r\n$2\r\nab\r\n$2\r\ncd\r\n"};
  const auto script = [](response r) { return std::map<std::string, response>{{"EVALSHA", r}, {"EVAL", r}}; };
  return {
      {"record", read_record{}, {{"HMGET", record}}, "HMGET"},
      {"claim", claim_shard{token(1), token(2), {"n1", 1}, {1}}, script(claimed), "EVALSHA"},
      {"load", load_fields{token(1), {"a"}}, {{"HMGET", values}, {"EXISTS", one}}, "HMGET"},
      {"load, EXISTS", load_fields{token(1), {"a"}}, {{"HMGET", values}, {"EXISTS", one}}, "EXISTS"},
      {"commit", commit_fields{token(1), {{"a", "b"}}}, {{"HSET", one}, {"EXISTS", one}}, "HSET"},
      {"commit, EXISTS", commit_fields{token(1), {{"a", "b"}}}, {{"HSET", one}, {"EXISTS", one}}, "EXISTS"},
      {"trim", trim_fields{token(1), {"a"}}, {{"HDEL", one}}, "HDEL"},
      {"release", release_shard{token(1)}, script(one), "EVALSHA"},
      {"sweep", sweep_token{token(1)}, script(one), "EVALSHA"},
  };
}

std::map<std::string, response> with_fault(const position& p, const response& fault) {
  auto answers = p.good;
  answers[p.faulty] = fault;
  if (p.faulty == "EVALSHA") answers["EVAL"] = fault;
  return answers;
}

bool is_commits_exists(const position& p) { return std::string_view{p.name} == "commit, EXISTS"; }

TEST(StoreErrors, AServerInGoodOrderIsUnderstood) {
  for (const auto& p : positions()) {
    const fake_server fake{table{p.good}.responder()};
    store_client client{fake.options()};
    EXPECT_EQ(client.ask({}, p.operation).outcome, store_outcome::done) << p.name;
  }
}

TEST(StoreErrors, EveryErrorReplyInEveryPositionHasItsNamedOutcome) {
  for (const auto& p : positions()) {
    for (const auto& e : error_replies) {
      const fake_server fake{table{with_fault(p, {error_bytes(e.text)})}.responder()};
      store_client client{fake.options()};
      const auto a = client.ask({}, p.operation);
      // Behind the HSET an error proves nothing: the write has happened.
      EXPECT_EQ(a.outcome, is_commits_exists(p) ? store_outcome::unknown : store_outcome::refused)
          << p.name << " / " << e.text;
      EXPECT_EQ(a.error, e.error) << p.name << " / " << e.text;
      EXPECT_NE(a.text.find(e.text), std::string::npos) << p.name << " / " << e.text;
    }
  }
}

TEST(StoreErrors, AnErrorToTheHsetMeansRefusedWhateverTheExistsSays) {
  for (const auto* exists : {":0\r\n", ":1\r\n", "-LOADING x\r\n", "$1\r\nx\r\n"}) {
    const fake_server fake{table{{{"HSET", {"-OOM x\r\n"}}, {"EXISTS", {exists}}}}.responder()};
    store_client client{fake.options()};
    const auto a = client.commit(token(1), {{"a", "b"}});
    EXPECT_EQ(a.outcome, store_outcome::refused) << exists;
    EXPECT_EQ(a.error, store_error::oom) << exists;
  }
}

TEST(StoreErrors, AReplyOfAWrongTypeIsUnknownAndBreaksTheConnection) {
  const std::vector<std::string> types{":7\r\n", "+OK\r\n", "$1\r\nx\r\n",        "$-1\r\n",
                                       "*0\r\n", "*-1\r\n", "*2\r\n:1\r\n:2\r\n", "*1\r\n*1\r\n:1\r\n"};
  const std::map<std::string, std::vector<std::string>> sensible{
      {"HSET", {":7\r\n"}}, {"HDEL", {":7\r\n"}}, {"EVALSHA", {":7\r\n"}}, {"EXISTS", {}}, {"HMGET", {}}};
  for (const auto& p : positions()) {
    for (const auto& bytes : types) {
      const auto& fine = sensible.at(p.faulty);
      const bool claim = std::holds_alternative<claim_shard>(p.operation);
      if (!claim && std::find(fine.begin(), fine.end(), bytes) != fine.end()) continue;
      const fake_server fake{table{with_fault(p, {bytes})}.responder()};
      store_client client{fake.options()};
      const auto number = client.wait_up();
      const auto a = client.wait(client.send({}, p.operation, number));
      EXPECT_EQ(a.outcome, store_outcome::unknown) << p.name << " / " << bytes;
      EXPECT_NE(a.text.find("makes no sense"), std::string::npos) << p.name << " / " << bytes;
      client.wait_up(number);
    }
  }
}

TEST(StoreErrors, BytesThatAreNoReplyAreUnknownAndBreakTheConnection) {
  for (const std::string bytes : {"hello\r\n", "*99999999\r\n", "*-7\r\n", "$-7\r\n", ":x\r\n", "HTTP/1.1 400\r\n",
                                  "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", "$x\r\n"}) {
    const fake_server fake{table{{{"HSET", {bytes}}}}.responder()};
    auto o = fake.options();
    o.timeout = 300ms;  // for what only looks like the beginning of a reply
    store_client client{o};
    const auto number = client.wait_up();
    const auto a = client.wait(client.send({}, commit_fields{token(1), {{"a", "b"}}}, number));
    EXPECT_EQ(a.outcome, store_outcome::unknown) << bytes;
    client.wait_up(number);
  }
}

TEST(StoreErrors, AReplyNobodyAskedForBreaksTheConnection) {
  const fake_server fake{table{{{"HDEL", {":1\r\n:1\r\n"}}}}.responder()};
  store_client client{fake.options()};
  const auto number = client.wait_up();
  EXPECT_EQ(client.wait(client.send({}, trim_fields{token(1), {"a"}}, number)).outcome, store_outcome::done);
  client.wait_trouble("nobody asked for");
  client.wait_up(number);
}

TEST(StoreErrors, HalfAReplyThenCloseIsUnknown) {
  for (const auto& p : positions()) {
    const auto whole = p.good.at(p.faulty).bytes;
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
      const fake_server fake{table{with_fault(p, {whole.substr(0, cut), true})}.responder()};
      store_client client{fake.options()};
      EXPECT_EQ(client.ask({}, p.operation).outcome, store_outcome::unknown) << p.name << " cut at " << cut;
    }
  }
}

TEST(StoreErrors, AnErrorToTheHsetStaysRefusedWhenTheConnectionIsCutBehindIt) {
  const fake_server fake{table{{{"HSET", {"-MISCONF disk full\r\n", true}}}}.responder()};
  store_client client{fake.options()};
  const auto a = client.commit(token(1), {{"a", "b"}});
  EXPECT_EQ(a.outcome, store_outcome::refused);
  EXPECT_EQ(a.error, store_error::misconf);
}

TEST(StoreErrors, SilenceIsUnknownAfterTheTimeoutThenTheStoreConnectsAgain) {
  for (const auto& p : positions()) {
    const fake_server fake{table{with_fault(p, {})}.responder()};
    auto o = fake.options();
    o.timeout = 100ms;
    store_client client{o};
    const auto number = client.wait_up();
    const auto a = client.wait(client.send({}, p.operation, number));
    EXPECT_EQ(a.outcome, store_outcome::unknown) << p.name;
    EXPECT_NE(a.text.find("no answer for 100 ms"), std::string::npos) << p.name << ": " << a.text;
    EXPECT_GT(client.wait_up(number), number);
  }
}

TEST(StoreErrors, AllCommandsInFlightAreUnknownWhenTheConnectionBreaksAndTheirAnswersComeFirst) {
  std::atomic<int> hsets{0};
  const fake_server fake{[&hsets](const fake_server::command& c) -> std::optional<response> {
    if (fake_server::unasked(c)) return std::nullopt;
    if (c[0] == "HSET" && ++hsets == 3) return response{"", true};
    return response{":1\r\n"};
  }};
  store_client client{fake.options()};
  const auto number = client.wait_up();
  std::vector<std::uint64_t> tickets;
  for (std::uint32_t s = 0; s < 5; ++s)
    tickets.push_back(client.send({s}, commit_fields{token(1), {{"a", "b"}}}, number));
  client.wait(tickets.back());
  client.wait_up(number);
  EXPECT_EQ(client.wait(tickets[0]).outcome, store_outcome::done);
  EXPECT_EQ(client.wait(tickets[1]).outcome, store_outcome::done);
  EXPECT_EQ(client.wait(tickets[2]).outcome, store_outcome::unknown);
  // Those behind were under way, or were given to a connection that was gone.
  for (std::size_t i = 3; i < 5; ++i) EXPECT_NE(client.wait(tickets[i]).outcome, store_outcome::done);
  const auto h = client.history();
  const auto down = std::find(h.begin(), h.end(), 0U);
  EXPECT_LT(std::find(h.begin(), h.end(), tickets[2]), down);
}

TEST(StoreErrors, AScriptTheServerForgotIsSentWholeBeforeAnythingElseOfItsShard) {
  const fake_server fake{table{{{"EVALSHA", {"-NOSCRIPT No matching script.\r\n"}},
                                {"EVAL", {"*3\r\n$1\r\nf\r\n$2\r\nab\r\n$2\r\ncd\r\n"}},
                                {"HSET", {":1\r\n"}},
                                {"EXISTS", {":1\r\n"}}}}
                             .responder()};
  store_client client{fake.options()};
  const auto number = client.wait_up();
  const auto claim = client.send({7}, claim_shard{token(1), token(2), {"n1", 1}, {1}}, number);
  const auto commit = client.send({7}, commit_fields{token(2), {{"a", "b"}}}, number);
  EXPECT_EQ(client.wait(claim).outcome, store_outcome::done);
  EXPECT_EQ(client.wait(commit).outcome, store_outcome::done);
  std::vector<std::string> verbs;
  for (const auto& c : fake.seen()) verbs.push_back(c[0]);
  EXPECT_EQ(verbs, (std::vector<std::string>{"EVALSHA", "EVAL", "HSET", "EXISTS"}));
  // By its name first, whole then, with the same names and arguments.
  const auto seen = fake.seen();
  EXPECT_EQ(seen[0][1], std::string(40, 'a'));
  EXPECT_TRUE(seen[1][1].starts_with("#!lua flags=allow-oom"));
  EXPECT_TRUE(std::equal(seen[0].begin() + 2, seen[0].end(), seen[1].begin() + 2, seen[1].end()));
}

TEST(StoreErrors, ACommandBehindAScriptIsNotSentWhenTheConnectionBreaks) {
  const fake_server fake{table{{{"EVALSHA", {"", true}}}}.responder()};
  store_client client{fake.options()};
  const auto number = client.wait_up();
  const auto claim = client.send({}, claim_shard{token(1), token(2), {"n1", 1}, {1}}, number);
  const auto commit = client.send({}, commit_fields{token(2), {{"a", "b"}}}, number);
  EXPECT_EQ(client.wait(claim).outcome, store_outcome::unknown);
  EXPECT_EQ(client.wait(commit).outcome, store_outcome::unavailable);
}

TEST(StoreErrors, AServerThatIsNotReadyIsProbedUntilItIs) {
  for (const auto* text : {"LOADING x", "BUSY x", "MASTERDOWN x", "NOAUTH x"}) {
    std::atomic<int> probes{0};
    const fake_server fake{[&probes, text](const fake_server::command& c) -> std::optional<response> {
      if (c[0] == "PING" && ++probes <= 4) return response{error_bytes(text)};
      return std::nullopt;
    }};
    store_client client{fake.options()};
    client.wait_up();
    EXPECT_GT(probes, 4);
    client.wait_trouble(text);
    const auto troubles = client.troubles();
    EXPECT_EQ(std::count_if(troubles.begin(), troubles.end(),
                            [&](const auto& t) { return t.find(text) != std::string::npos; }),
              1)
        << "the same trouble is news only once";
  }
}

TEST(StoreErrors, AGreetingThatMakesNoSenseIsNoConnection) {
  const fake_server fake{[](const fake_server::command& c) -> std::optional<response> {
    if (c[0] == "PING") return response{":1\r\n"};
    return std::nullopt;
  }};
  store_client client{fake.options()};
  client.wait_trouble("PING");
  EXPECT_EQ(client.wait(client.send({}, read_record{}, 1)).outcome, store_outcome::unavailable);
}

TEST(StoreErrors, UserAndPasswordAreSentFirst) {
  std::mutex mutex;
  std::vector<fake_server::command> greetings;
  const fake_server fake{[&](const fake_server::command& c) -> std::optional<response> {
    const std::lock_guard lock{mutex};
    greetings.push_back(c);
    return std::nullopt;
  }};
  auto o = fake.options();
  o.user = "pawl";
  o.password = "se cret";
  store_client client{o};
  client.wait_up();
  const std::lock_guard lock{mutex};
  EXPECT_EQ(greetings[0], (fake_server::command{"AUTH", "pawl", "se cret"}));
  EXPECT_EQ(greetings[1], (fake_server::command{"PING"}));
}

TEST(StoreErrors, MemberCommandsHaveTheSameOutcomes) {
  for (const auto& e : error_replies) {
    const fake_server fake{table{{{"EVALSHA", {error_bytes(e.text)}}, {"EVAL", {error_bytes(e.text)}}}}.responder()};
    store_client client{fake.options()};
    const auto a = client.ask(read_members{});
    EXPECT_EQ(a.outcome, store_outcome::refused) << e.text;
    EXPECT_EQ(a.error, e.error) << e.text;
  }
}

TEST(StoreErrors, AMemberTableThatMakesNoSenseIsNotBelieved) {
  const auto answer = [](const std::string& bytes) {
    const fake_server fake{table{{{"EVALSHA", {bytes}}}}.responder()};
    store_client client{fake.options()};
    return client.ask(read_members{}).outcome;
  };
  const auto row = [](const std::string& node, const std::string& text) {
    return "*5\r\n$4\r\ndone\r\n$0\r\n\r\n$1\r\n3\r\n$3\r\nall\r\n*2\r\n$" + std::to_string(node.size()) + "\r\n" +
           node + "\r\n$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
  };
  EXPECT_EQ(answer(row("n1", "1 2 up a:1 -")), store_outcome::done);
  for (const auto& damaged :
       {row("n1", "1 2 up a:1"), row("n1", "x 2 up a:1 -"), row("n1", "1 -2 up a:1 -"), row("n1", "1 2 gone a:1 -"),
        row("n1", "1 2 up  -"), row("N 1", "1 2 up a:1 -"), row("n1", ""), row("n1", "1 2 up a:1 - x"),
        std::string{"*5\r\n$4\r\ndone\r\n$0\r\n\r\n$1\r\nx\r\n$3\r\nall\r\n*0\r\n"}})
    EXPECT_EQ(answer(damaged), store_outcome::lost) << damaged;
  const std::string head = "*5\r\n$4\r\ndone\r\n$0\r\n\r\n$1\r\n3\r\n";
  EXPECT_EQ(answer(head + "$0\r\n\r\n*0\r\n"), store_outcome::done);
  for (const auto& nonsense : {std::string{":1\r\n"}, std::string{"*0\r\n"}, std::string{"$-1\r\n"},
                               std::string{"*5\r\n$4\r\nwhat\r\n$0\r\n\r\n$1\r\n3\r\n$0\r\n\r\n*0\r\n"},
                               std::string{"*4\r\n$4\r\ndone\r\n$0\r\n\r\n$1\r\n3\r\n*0\r\n"}, head + ":0\r\n*0\r\n",
                               head + "$3\r\nall\r\n$0\r\n\r\n", head + "$3\r\nall\r\n*1\r\n$1\r\nx\r\n"})
    EXPECT_EQ(answer(nonsense), store_outcome::unknown) << nonsense;
}

}  // namespace
}  // namespace pawl
