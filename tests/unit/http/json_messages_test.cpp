#include "actors/http/json_messages.hpp"
#include "actors/http/json_text.hpp"

#include "persistence/codec_stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

// One JSON message or a batch of lines, from input that nobody vouches for.

namespace pawl {
namespace {

constexpr unix_ms door_time = 1'700'000'000'000;
constexpr std::string_view head = R"("type":"order","key":"o-1","message":"OrderCreated","id":"m-1")";

std::string with(std::string_view more) { return "{" + std::string{head} + "," + std::string{more} + "}"; }

/// Why one message was refused; empty if it was accepted.
std::string refusal(std::string_view body) {
  const auto parsed = parse_json_message(body, door_time);
  return parsed.refused.empty() ? std::string{} : parsed.refused.front().reason;
}

/// The payload of the one message in `body`, as JSON again.
std::string payload_of(std::string_view body) {
  const auto parsed = parse_json_message(body, door_time);
  if (parsed.accepted->messages.empty()) return "refused: " + parsed.refused.front().reason;
  std::string out, error;
  EXPECT_TRUE(append_json_state(out, parsed.accepted->messages.front().payload, error)) << error;
  return out;
}

::testing::AssertionResult mentions(const std::string& text, std::string_view part) {
  if (text.find(part) != text.npos) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << '"' << text << "\" does not mention \"" << part << '"';
}

std::string nested_arrays(std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

TEST(JsonMessage, CarriesEveryField) {
  const auto parsed = parse_json_message(with(R"("payload":{"total":7},"sent_at":123,"seq":9)"), door_time);
  ASSERT_EQ(parsed.accepted->messages.size(), 1u);
  const auto& m = parsed.accepted->messages.front();
  EXPECT_EQ(m.type, "order");
  EXPECT_EQ(m.key, "o-1");
  EXPECT_EQ(m.name, "OrderCreated");
  EXPECT_EQ(m.id, "m-1");
  EXPECT_EQ(m.payload, "\x81\xa5total\x07");
  EXPECT_EQ(m.sent_at, 123);
  EXPECT_EQ(m.seq, 9u);
  EXPECT_FALSE(m.stamped);
}

TEST(JsonMessage, FieldsMayComeInAnyOrderAndOnSeveralLines) {
  EXPECT_EQ(refusal("{\"payload\":{\"a\":[1]},\n\"id\":\"m\",\n\"message\":\"M\",\"key\":\"k\",\"type\":\"t\"}\n"), "");
}

TEST(JsonMessage, WithoutSentAtIsStampedByTheDoor) {
  const auto parsed = parse_json_message("{" + std::string{head} + "}", door_time);
  ASSERT_EQ(parsed.accepted->messages.size(), 1u);
  EXPECT_EQ(parsed.accepted->messages.front().sent_at, door_time);
  EXPECT_TRUE(parsed.accepted->messages.front().stamped);
  EXPECT_EQ(parsed.accepted->messages.front().payload, "\x80");
  EXPECT_EQ(parsed.accepted->messages.front().seq, 0u);
}

TEST(JsonMessage, PayloadKeepsAllKindsOfValues) {
  const std::string all = R"({"a":[1,-1,18446744073709551615,-9223372036854775808,1.5,true,null],"b":{"c":"\u00e4"}})";
  EXPECT_EQ(payload_of(with("\"payload\":" + all)),
            "{\"a\":[1,-1,18446744073709551615,-9223372036854775808,1.5,true,null],\"b\":{\"c\":\"\xc3\xa4\"}}");
}

TEST(JsonMessage, EqualTextsGiveEqualPayloadBytes) {
  const auto one = parse_json_message(with(R"("payload":{"a":1,"b":[{"c":2}]})"), door_time);
  const auto two = parse_json_message(with(R"("payload": { "a" : 1, "b" : [ {"c":2} ] })"), door_time);
  ASSERT_EQ(one.accepted->messages.size(), 1u);
  ASSERT_EQ(two.accepted->messages.size(), 1u);
  EXPECT_EQ(one.accepted->messages.front().payload, two.accepted->messages.front().payload);
}

TEST(JsonMessage, MissingFieldIsNamed) {
  EXPECT_EQ(refusal(R"({"key":"k","message":"M","id":"i"})"), R"(field "type" is missing)");
  EXPECT_EQ(refusal(R"({"type":"t","message":"M","id":"i"})"), R"(field "key" is missing)");
  EXPECT_EQ(refusal(R"({"type":"t","key":"k","id":"i"})"), R"(field "message" is missing)");
  EXPECT_EQ(refusal(R"({"type":"t","key":"k","message":"M"})"), R"(field "id" is missing)");
}

TEST(JsonMessage, UnknownFieldIsNamedWithTheKnownOnes) {
  const auto why = refusal(with(R"("payloads":{"deep":[1,{"x":2}]})"));
  EXPECT_TRUE(mentions(why, R"(unknown field "payloads")"));
  EXPECT_TRUE(mentions(why, "sent_at"));
}

TEST(JsonMessage, FieldOfTheWrongTypeIsNamedWithTheRightOne) {
  EXPECT_EQ(refusal(R"({"type":1,"key":"k","message":"M","id":"i"})"), R"(field "type" must be a string)");
  EXPECT_EQ(refusal(R"({"type":"t","key":["k"],"message":"M","id":"i"})"), R"(field "key" must be a string)");
  EXPECT_EQ(refusal(R"({"type":"t","key":"k","message":"M","id":null})"), R"(field "id" must be a string)");
  for (const auto* payload : {"[]", "1", "null", "\"{}\"", "[{\"a\":1}]"})
    EXPECT_EQ(refusal(with("\"payload\":" + std::string{payload})), R"(field "payload" must be an object)") << payload;
}

TEST(JsonMessage, SentAtAndSeqTakeIntegersOfTheirRangeOnly) {
  for (const auto* v : {"-1", "1.0", "\"1\"", "true", "9223372036854775808", "1e3", "{}"})
    EXPECT_EQ(refusal(with("\"sent_at\":" + std::string{v})),
              R"(field "sent_at" must be an integer from 0, milliseconds since 1970)")
        << v;
  for (const auto* v : {"0", "-1", "1.0", "\"1\"", "18446744073709551616", "[]"})
    EXPECT_EQ(refusal(with("\"seq\":" + std::string{v})), R"(field "seq" must be an integer from 1)") << v;
  EXPECT_EQ(refusal(with(R"("sent_at":9223372036854775807,"seq":18446744073709551615)")), "");
}

TEST(JsonMessage, FieldThatStandsTwiceIsRefused) {
  EXPECT_EQ(refusal(with(R"("id":"m-1")")), R"(field "id" stands twice)");
  EXPECT_EQ(refusal(with(R"("payload":{},"payload":{"a":1})")), R"(field "payload" stands twice)");
}

TEST(JsonMessage, PayloadKeyThatStandsTwiceInOneObjectIsRefused) {
  EXPECT_EQ(refusal(with(R"("payload":{"a":1,"b":2,"a":3})")),
            R"(field "payload": key "a" stands twice in one object)");
  EXPECT_EQ(refusal(with(R"("payload":{"a":{"x":1,"x":2}})")),
            R"(field "payload": key "x" stands twice in one object)");
  EXPECT_EQ(refusal(with(R"("payload":{"a":{"a":1},"b":[{"a":1},{"a":2}]})")), "");
}

TEST(JsonMessage, LargeObjectsAreCheckedForRepeatedKeys) {
  // More than 15 and more than 65,535 pairs: the header of the map grows, and what was written moves.
  std::string object = "{";
  for (int i = 0; i < 40; ++i) object += "\"k" + std::to_string(i) + "\":{\"k\":0},";
  EXPECT_EQ(refusal(with("\"payload\":" + object + "\"last\":1}")), "");
  EXPECT_EQ(refusal(with("\"payload\":" + object + "\"k3\":1}")),
            R"(field "payload": key "k3" stands twice in one object)");
}

TEST(JsonMessage, DepthIsLimited) {
  EXPECT_EQ(refusal(with("\"payload\":{\"a\":" + nested_arrays(31) + "}")), "");
  EXPECT_TRUE(mentions(refusal(with("\"payload\":{\"a\":" + nested_arrays(32) + "}")), "deeper than 32"));
  EXPECT_TRUE(mentions(refusal(with("\"payload\":{\"a\":" + nested_arrays(200'000) + "}")), "payload"));
  EXPECT_TRUE(mentions(refusal(nested_arrays(200'000)), "must be a JSON object"));
}

TEST(JsonMessage, ElementsAndBytesOfThePayloadAreLimited) {
  std::string many = "[0";
  for (std::size_t i = 0; i < codec_limits::elements; ++i) many += ",0";
  EXPECT_TRUE(mentions(refusal(with("\"payload\":{\"a\":" + many + "]}")), "payload"));
  const std::string half(limits::payload_bytes / 2, 'x');
  EXPECT_EQ(refusal(with("\"payload\":{\"a\":\"" + half + "\"}")), "");
  EXPECT_EQ(refusal(with("\"payload\":{\"a\":\"" + half + "\",\"b\":\"" + half + "\"}")),
            R"(field "payload": more than 1048576 bytes as msgpack)");
}

TEST(JsonMessage, NumbersBeyondADoubleAreRefusedWithTheirField) {
  const auto why = refusal(with(R"("payload":{"a":1e400})"));
  EXPECT_TRUE(mentions(why, "number out of range"));
  EXPECT_TRUE(mentions(why, R"(field "payload")"));
  EXPECT_FALSE(parse_json_message(with(R"("payload":{"a":1e400})"), door_time).refused.front().malformed);
  EXPECT_EQ(payload_of(with(R"("payload":{"a":123456789012345678901234567890})")), R"({"a":1.2345678901234568e+29})");
}

TEST(JsonMessage, TextThatIsNotJsonIsMalformed) {
  for (const std::string_view body : {"", "{", "hello", "{}{}", "{\"type\":}", "{'type':'t'}", "{\"a\":1,}", "NaN",
                                      "{\"type\":\"\xff\"}", "{\"type\":\"\xc0\xaf\"}", "{\"type\":\"\\ud800\"}",
                                      "{\"type\":\"a\nb\"}", "\xfe\xff", "{\"payload\":{\"a\":NaN}}"}) {
    const auto parsed = parse_json_message(body, door_time);
    ASSERT_EQ(parsed.refused.size(), 1u) << body;
    EXPECT_TRUE(parsed.refused.front().malformed) << body;
    EXPECT_TRUE(mentions(parsed.refused.front().reason, "not valid JSON at byte")) << body;
  }
}

TEST(JsonMessage, TextThatIsJsonButNoObjectIsRefused) {
  for (const auto* body : {"1", "null", "\"text\"", "[]", "true"})
    EXPECT_EQ(refusal(body), "a message must be a JSON object") << body;
}

TEST(JsonMessage, KeysAndIdsAreCheckedAgainstTheLimits) {
  const auto with_id = [](std::string_view id) {
    return R"({"type":"t","key":"k","message":"M","id":")" + std::string{id} + "\"}";
  };
  for (const auto* id : {"{}", " a b ", "../", "\\u00e9", "\\ud83d\\udd11"}) EXPECT_EQ(refusal(with_id(id)), "") << id;
  EXPECT_EQ(refusal(with_id("")), "id must not be empty");
  EXPECT_EQ(refusal(with_id(std::string(257, 'x'))), "id has 257 bytes; at most 256 are allowed");
  EXPECT_EQ(refusal(with_id("a\\u0000b")), "id must not contain control characters");
  EXPECT_EQ(refusal(with_id("a\\nb")), "id must not contain control characters");
}

TEST(JsonMessage, RefusalCarriesTheIdEvenWhenItComesAfterTheProblem) {
  const auto parsed = parse_json_message(R"({"seq":-1,"what":[{}],"type":"t","key":"k","message":"M","id":"m-9"})", 0);
  ASSERT_EQ(parsed.refused.size(), 1u);
  EXPECT_EQ(parsed.refused.front().id, "m-9");
  EXPECT_EQ(parsed.refused.front().reason, R"(field "seq" must be an integer from 1)");
}

TEST(JsonMessage, RefusalDoesNotRepeatAnIdBeyondTheLimit) {
  const auto parsed = parse_json_message(R"({"id":")" + std::string(100'000, 'x') + "\"}", 0);
  ASSERT_EQ(parsed.refused.size(), 1u);
  EXPECT_FALSE(parsed.refused.front().id);
}

TEST(JsonMessage, ReasonsAreBoundedAndCutBetweenCharacters) {
  const auto why = refusal(with("\"x" + std::string(40, 'y') + std::string(100'000, '\x7f') + "\":1"));
  EXPECT_LE(why.size(), limits::reason_bytes);
  std::string euros;
  for (int i = 0; i < 1000; ++i) euros += "\xe2\x82\xac";
  const auto cut = refusal(with("\"" + euros + "\":1"));
  EXPECT_TRUE(mentions(cut, "\xe2\x82\xac\";"));  // the last whole character, then the closing quote
}

TEST(JsonBatch, KeepsTheOrderOfItsLines) {
  std::string body;
  for (int i = 0; i < 100; ++i) body += R"({"type":"t","key":"k","message":"M","id":")" + std::to_string(i) + "\"}\n";
  const auto parsed = parse_json_batch(body, door_time);
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->accepted->messages.size(), 100u);
  EXPECT_TRUE(parsed->refused.empty());
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(parsed->accepted->messages[i].id, std::to_string(i));
}

TEST(JsonBatch, BadLineHarmsNoOtherLine) {
  const std::string good = "{" + std::string{head} + "}";
  const auto parsed = parse_json_batch(good + "\nnot json\n" + good + "\r\n\n" + with(R"("seq":0)") + "\n" + good, 1);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->accepted->messages.size(), 3u);
  ASSERT_EQ(parsed->refused.size(), 3u);
  EXPECT_EQ(parsed->refused[0].line, 1u);
  EXPECT_EQ(parsed->refused[1].line, 3u);
  EXPECT_TRUE(mentions(parsed->refused[1].reason, "empty line"));
  EXPECT_EQ(parsed->refused[2].line, 4u);
  EXPECT_EQ(parsed->refused[2].id, "m-1");
}

TEST(JsonBatch, NothingOfOneLineLeaksIntoTheNext) {
  const auto parsed =
      parse_json_batch(with(R"("payload":{"a":1},"sent_at":5,"seq":3)") + "\n{" + std::string{head} + "}\n", door_time);
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->accepted->messages.size(), 2u);
  const auto& second = parsed->accepted->messages[1];
  EXPECT_EQ(second.payload, "\x80");
  EXPECT_EQ(second.seq, 0u);
  EXPECT_TRUE(second.stamped);
  EXPECT_EQ(second.sent_at, door_time);
}

TEST(JsonBatch, TakesItsLimitOfLinesAndNotOneMore) {
  std::string body;
  for (std::size_t i = 0; i < limits::batch_messages; ++i) body += "{" + std::string{head} + "}\n";
  const auto parsed = parse_json_batch(body, door_time);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->accepted->messages.size(), limits::batch_messages);
  EXPECT_FALSE(parse_json_batch(body + "{}", door_time));
}

TEST(JsonBatch, EveryLineOfADamagedBatchIsEitherAcceptedOrRefused) {
  std::mt19937 random(1);
  const auto line = with(R"("payload":{"a":[1,-2.5e3,"\u00e4\ud83d\udd11",null],"b":{"c":{}}},"sent_at":1,"seq":2)");
  for (int i = 0; i < 5'000; ++i) {
    auto body = line + "\n" + line;
    for (auto n = random() % 4; n <= 4; ++n) body[random() % body.size()] = static_cast<char>(random());
    body.resize(random() % 8 == 0 ? random() % body.size() : body.size());
    const auto last_newline = !body.empty() && body.back() == '\n';
    const auto lines = static_cast<std::size_t>(std::count(body.begin(), body.end(), '\n')) + (last_newline ? 0 : 1);
    const auto parsed = parse_json_batch(body, door_time);
    ASSERT_TRUE(parsed);
    ASSERT_EQ(parsed->accepted->messages.size() + parsed->refused.size(), lines) << body;
    for (const auto& m : parsed->accepted->messages) {
      msgpack_visitor any;
      std::string error;
      ASSERT_TRUE(walk_msgpack(m.payload, any, error)) << error << " in " << body;
    }
    for (const auto& r : parsed->refused) ASSERT_FALSE(r.reason.empty()) << body;
  }
}

TEST(JsonResults, RefusedLinesStandWhereTheyStoodInTheInput) {
  std::vector<message> accepted(3);
  accepted[0].id = "a";
  accepted[1].id = "b\"c";
  accepted[2].id = "d";
  const std::vector<message_result> results{{result_kind::applied},
                                            {result_kind::busy, reason_code::queue_full, "later"},
                                            {result_kind::blocked, reason_code::earlier_unresolved}};
  const std::vector<refused_line> refused{{0, std::nullopt, "bad", true}, {2, "x", "worse", false}};
  std::string out;
  append_json_results(out, accepted, results, refused);
  EXPECT_EQ(out, "{\"id\":null,\"result\":\"refused\",\"reason\":\"bad\",\"code\":\"invalid\"}\n"
                 "{\"id\":\"a\",\"result\":\"applied\"}\n"
                 "{\"id\":\"x\",\"result\":\"refused\",\"reason\":\"worse\",\"code\":\"invalid\"}\n"
                 "{\"id\":\"b\\\"c\",\"result\":\"busy\",\"reason\":\"later\",\"code\":\"queue_full\"}\n"
                 "{\"id\":\"d\",\"result\":\"blocked\",\"reason\":\"an earlier message for this key is not resolved\","
                 "\"code\":\"earlier_unresolved\"}\n");
}

TEST(JsonText, StringsAreEscapedAndBrokenUtf8Replaced) {
  std::string out;
  append_json_string(out, std::string_view{"a\"\\\n\0\xff\xc3\xa4", 8});
  EXPECT_EQ(out, "\"a\\\"\\\\\\n\\u0000\xef\xbf\xbd\xc3\xa4\"");
}

std::string state_text(std::string_view msgpack) {
  std::string out, error;
  return append_json_state(out, msgpack, error) ? out : "error: " + error;
}

TEST(JsonText, StatesShowWhatJsonCannotHoldAsNullBase64AndReplacements) {
  EXPECT_EQ(state_text(std::string_view{"\x93\xcb\x7f\xf8\0\0\0\0\0\0\xcb\xff\xf0\0\0\0\0\0\0\xa1\xff", 21}),
            "[null,null,\"\xef\xbf\xbd\"]");
  EXPECT_EQ(state_text("\xc4\x01"
                       "M"),
            "\"TQ==\"");
  EXPECT_EQ(state_text("\xc4\x02"
                       "Ma"),
            "\"TWE=\"");
  EXPECT_EQ(state_text("\xc4\x03"
                       "Man"),
            "\"TWFu\"");
  EXPECT_EQ(state_text("\x82\xa1"
                       "a\x80\xa1"
                       "b\x92\x90\xc3"),
            R"({"a":{},"b":[[],true]})");
}

TEST(JsonText, DamagedStatesAreAnError) {
  EXPECT_TRUE(mentions(state_text("\x81\xa1"), "error: "));
  EXPECT_TRUE(mentions(state_text(std::string(10'000, '\x91')), "error: "));
}

}  // namespace
}  // namespace pawl
