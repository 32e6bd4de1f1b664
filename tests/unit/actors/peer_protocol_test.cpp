// The bytes between two members. Whatever arrives, the decoder must yield what was sent, or say what is wrong.
#include "actors/peer_protocol.hpp"

#include "actors/handler_effects.hpp"

#include <gtest/gtest.h>

#include <random>

namespace pawl {
namespace {

using namespace std::string_literals;

std::string bytes_of(const peer_message& m) {
  std::string out;
  encode_peer_message(m, out);
  return out;
}

hello greeting() { return {"main", {1, 2, 3}, {"n1", 300}}; }

frame sample_frame() {
  message_builder b;
  b.add({"order", "o-1", "Created", "m-1", "\x80", 1'700'000'000'000, 1, true});
  b.add({"order", std::string(256, 'k'), "Created", "m-2", std::string(70'000, 'p'), -1, 0, false});
  return whole_block({16'383}, 1u << 20, {77}, b.finish());
}

std::string sample_trace() { return std::string(16, '\x4b') + std::string(8, '\x17') + '\x01'; }

/// Of three messages, two in traces of their own.
frame traced_frame() {
  message_builder b;
  const auto one = sample_trace();
  const auto other = std::string(16, '\xaa') + std::string(9, '\xbb');
  b.add({"order", "o-1", "Created", "m-1", "\x80", 5, 1, true, one});
  b.add({"order", "o-2", "Created", "m-2", "\x80", 6, 0, false});
  b.add({"order", "o-3", "Created", "m-3", "\x80", 6, 0, false, other});
  return whole_block({7}, 12, {3}, b.finish());
}

/// As a relay sends it.
frame sequenced_frame() {
  message_builder b;
  b.add({"order", "o-1", "Created", "shard/3/00000000000000a1/8", "\x80", 5, 0, false});
  b.add({"order", "o-2", "Created", "shard/3/00000000000000b2/9", "\x80", 6, 0, false});
  auto f = whole_block({7}, 12, {3}, b.finish());
  f.of = std::make_shared<sequence>(sequence{"shard/3", {0xa1, 7}, 0x99, {{0xa1, 8}, {0xb2, 9}}});
  return f;
}
/// Asks for the mark only.
frame asking_frame() {
  frame f{{7}, 12, {3}, {}, {}, {}};
  f.of = std::make_shared<sequence>(sequence{std::string(limits::source_name_bytes, 's'), {}, 0, {}});
  return f;
}
frame_answer sequenced_answer() {
  frame_answer a{{7}, 12, {3}, {}, "shard/3", {}};
  a.results.push_back(
      {result_kind::applied, reason_code::none, {}, std::make_shared<const std::string>(limits::reply_bytes, 'r')});
  a.results.push_back({result_kind::duplicate, reason_code::none, {}, std::make_shared<const std::string>()});
  a.mark = std::make_shared<const mark_report>(mark_report{{{{0xb2, 9}, {0xa1, 8}, {3, 300}, {4, 1}}, true, 0}, 0x77});
  return a;
}
read_answer letters_answer() {
  read_answer a{{5}, 2, {}, {}};
  a.answer.timers = {{"t", 1'700'000'000'000, "Ring"}, {"u", -1, "Ring"}};
  const dead_letter l{{"order", "o-1"}, "Pay", "m-1", "\x80", "timer", 1, 2, reason_code::handler_error, "thrown", 3};
  a.letters = {{{0, l}, {0xffff'fffe, l}}, 10, 4};
  a.answer.expected = 300;
  a.answer.held = 7;
  return a;
}

read_answer detail_answer() {
  read_answer a{{5}, 2, {}, {}};
  a.detail = shard_detail{12,
                          300,
                          {{{9}, 10, true, {"order", "o-1"}, "Paid", -1}, {{16'383}, 2, false, {"a", "b"}, "C", 5}},
                          400,
                          {{std::string(limits::source_name_bytes, 's'), 1u << 30}, {"shard/3", 1}},
                          6,
                          1'700'000'000'000,
                          7};
  return a;
}

std::vector<peer_message> one_of_each() {
  frame_answer answer{{5}, 9, {3}, {}};
  answer.results.push_back({result_kind::applied, reason_code::none, {}});
  answer.results.push_back({result_kind::unknown, reason_code::earlier_unresolved, std::string(512, 'r')});
  read_answer read{{5}, 2, {}};
  read.answer.kind = entity_answer::status::found;
  read.answer.state = std::string(3'000, 's');
  read.answer.last_seq = 4;
  read.answer.owner = "n2";
  read.answer.recent = {{std::string(limits::id_bytes, 'i'), "Ship", 1'700'000'000'000}, {"", "Pay", -1}};
  return {sample_frame(),
          answer,
          read_request{{5}, 2, entity_id{"order", "o-1"}},
          read,
          sequenced_frame(),
          traced_frame(),
          asking_frame(),
          sequenced_answer(),
          read_request{{5}, 2, letter_query{300}},
          read_request{{5}, 2, letter_action{300, 1'700, letter_action::kind::replay}},
          letters_answer(),
          read_request{{5}, 2, shard_query{}},
          detail_answer(),
          release_notice{{8}},
          view_notice{{300}},
          ping{},
          pong{}};
}

/// All messages behind a hello.
std::string conversation() {
  auto bytes = bytes_of(greeting());
  for (const auto& m : one_of_each()) bytes += bytes_of(m);
  return bytes;
}

/// Encoded again, decoded messages show whether anything changed.
std::string encoded_again(const std::vector<peer_message>& messages) {
  std::string out;
  for (const auto& m : messages) encode_peer_message(m, out);
  return out;
}

std::string with_length(std::string body) {
  std::string out;
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(body.size() >> (8 * i)));
  return out + body;
}

/// What the decoder says to these bytes behind a hello; empty if it accepts them.
std::string objection(const std::string& bytes) {
  peer_decoder d;
  std::vector<peer_message> out;
  EXPECT_TRUE(d.feed(bytes_of(greeting()), out));
  bool good = d.feed(bytes, out);
  EXPECT_EQ(good, d.error().empty());
  return d.error();
}
std::string objection_to_first(const std::string& bytes) {
  peer_decoder d;
  std::vector<peer_message> out;
  EXPECT_FALSE(d.feed(bytes, out));
  EXPECT_TRUE(out.empty());
  return d.error();
}

// Members of different versions talk to each other during an upgrade, so the bytes must not change by accident.
TEST(PeerProtocol, TheBytesOfAHello) {
  const std::string head{"\x21\0\0\0\x01PAWL\x04\0\x04main", 16};
  const auto dataset = "\x01\x02\x03" + std::string(13, '\0');
  EXPECT_EQ(bytes_of(greeting()), head + dataset + "\x02n1\xac\x02");
}

TEST(PeerProtocol, TheBytesOfAFrame) {
  message_builder b;
  b.add({"t", "k", "N", "id", "\x80", 0x0102, 5, true});
  const std::string body{"\x02\x07\x81\x01\x03\x01\x01t\x01k\x01N\x02id\x01\x80\x02\x01\0\0\0\0\0\0\x05\x01\0", 28};
  EXPECT_EQ(bytes_of(whole_block({7}, 129, {3}, b.finish())), with_length(body));
}

// The flags are 1: the time is of the door, and 2: a trace follows.
TEST(PeerProtocol, TheBytesOfAFrameWithATrace) {
  message_builder b;
  b.add({"t", "k", "N", "id", "\x80", 0x0102, 5, true, sample_trace()});
  const std::string head{"\x02\x07\x81\x01\x03\x01\x01t\x01k\x01N\x02id\x01\x80\x02\x01\0\0\0\0\0\0\x05\x03", 27};
  EXPECT_EQ(bytes_of(whole_block({7}, 129, {3}, b.finish())), with_length(head + sample_trace() + '\0'));
}

TEST(PeerProtocol, ATraceWithoutAnIdIsMalformed) {
  auto bytes = bytes_of(traced_frame());
  bytes.replace(bytes.find(sample_trace()), 16, std::string(16, '\0'));
  EXPECT_EQ(objection(bytes), "malformed message of kind 2");
}

TEST(PeerProtocol, EveryKindOfMessageArrivesAsItWasSent) {
  peer_decoder d;
  std::vector<peer_message> out;
  ASSERT_TRUE(d.feed(conversation(), out)) << d.error();
  ASSERT_EQ(out.size(), 1 + one_of_each().size());
  for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(out[i].index(), i == 0 ? 0u : one_of_each()[i - 1].index());
  EXPECT_EQ(encoded_again(out), conversation());
  const auto& f = std::get<frame>(out[1]);
  EXPECT_EQ(f.shard.value, 16'383u);
  EXPECT_EQ(f.messages.at(0)->sent_at, 1'700'000'000'000);
  EXPECT_TRUE(f.messages[0]->stamped);
  EXPECT_EQ(f.messages.at(1)->key, std::string(256, 'k'));
  EXPECT_EQ(f.messages[1]->sent_at, -1);
  EXPECT_EQ(std::get<frame_answer>(out[2]).results.at(1).code, reason_code::earlier_unresolved);
  EXPECT_EQ(std::get<read_answer>(out[4]).answer.state.size(), 3'000u);
}

TEST(PeerProtocol, TheBytesOfASequencedFrameAndItsAnswer) {
  message_builder b;
  b.add({"t", "k", "N", "id", "\x80", 0x0102, 0, false});
  auto f = whole_block({7}, 129, {3}, b.finish());
  f.of = std::make_shared<sequence>(sequence{"s", {1, 2}, 3, {{4, 300}}});
  const std::string message{"\x01t\x01k\x01N\x02id\x01\x80\x02\x01\0\0\0\0\0\0\0\0", 21};
  EXPECT_EQ(bytes_of(f), with_length(std::string{"\x02\x07\x81\x01\x03\x01", 6} + message +
                                     std::string{"\x01\x01s\x01\0\0\0\0\0\0\0\x02\x03\0\0\0\0\0\0\0"
                                                 "\x04\0\0\0\0\0\0\0\xac\x02",
                                                 30}));
  frame_answer a{{7}, 129, {3}, {}, "s", {}};
  a.results.push_back({result_kind::applied, reason_code::none, {}, std::make_shared<const std::string>("r")});
  a.mark = std::make_shared<const mark_report>(mark_report{{{{4, 300}}, true, 0}, 3});
  EXPECT_EQ(bytes_of(a), with_length(std::string{"\x03\x07\x81\x01\x03\x01\0\0\0\x01\x01r\x01s\x01"
                                                 "\x03\0\0\0\0\0\0\0\x01\x01\x04\0\0\0\0\0\0\0\xac\x02",
                                                 35}));
}

template <class T>
T through_the_wire(const T& m) {
  peer_decoder d;
  std::vector<peer_message> out;
  EXPECT_TRUE(d.feed(bytes_of(greeting()) + bytes_of(m), out)) << d.error();
  return std::get<T>(std::move(out.at(1)));
}

// rule A3
TEST(PeerProtocol, ASequenceArrivesWithEveryPosition) {
  const auto f = through_the_wire(sequenced_frame());
  ASSERT_TRUE(f.of);
  EXPECT_EQ(f.of->source, "shard/3");
  EXPECT_EQ(f.of->follows, (position{0xa1, 7}));
  EXPECT_EQ(f.of->word, 0x99u);
  EXPECT_EQ(f.of->positions, (std::vector<position>{{0xa1, 8}, {0xb2, 9}}));
  const auto asks = through_the_wire(asking_frame());
  ASSERT_TRUE(asks.of);
  EXPECT_TRUE(asks.messages.empty());
  EXPECT_TRUE(asks.of->positions.empty());
  EXPECT_FALSE(through_the_wire(sample_frame()).of);
}

TEST(PeerProtocol, AnAnswerArrivesWithMarkAndReplies) {
  const auto a = through_the_wire(sequenced_answer());
  EXPECT_EQ(a.source, "shard/3");
  ASSERT_TRUE(a.mark);
  EXPECT_EQ(a.mark->word, 0x77u);
  EXPECT_EQ(a.mark->taken, sequenced_answer().mark->taken);
  ASSERT_TRUE(a.results.at(0).reply && a.results.at(1).reply);
  EXPECT_EQ(a.results[0].reply->size(), limits::reply_bytes);
  EXPECT_EQ(*a.results[1].reply, "");  // an empty reply is one
  auto none = sequenced_answer();
  none.mark = nullptr;
  none.results[0].reply = nullptr;
  const auto without = through_the_wire(none);
  EXPECT_FALSE(without.mark);
  EXPECT_FALSE(without.results.at(0).reply);
}

TEST(PeerProtocol, EachMessageHasItsOwnTrace) {
  const auto f = through_the_wire(traced_frame());
  ASSERT_EQ(f.messages.size(), 3u);
  EXPECT_EQ(f.messages[0]->trace, sample_trace());
  EXPECT_TRUE(f.messages[0]->stamped);
  EXPECT_EQ(f.messages[1]->trace, "");
  EXPECT_EQ(f.messages[2]->trace.substr(0, 16), std::string(16, '\xaa'));
  EXPECT_FALSE(f.messages[2]->stamped);
}

TEST(PeerProtocol, TimersAndDeadLettersArrive) {
  const auto a = through_the_wire(letters_answer());
  ASSERT_EQ(a.answer.timers.size(), 2u);
  EXPECT_EQ(a.answer.timers[0].due, 1'700'000'000'000);
  EXPECT_EQ(a.answer.expected, 300u);
  EXPECT_EQ(a.answer.held, 7u);
  ASSERT_EQ(a.letters.letters.size(), 2u);
  EXPECT_EQ(a.letters.letters[1].number, 0xffff'fffeu);
  EXPECT_EQ(a.letters.letters[0].letter, letters_answer().letters.letters[0].letter);
  EXPECT_EQ(a.letters.total, 10u);
  EXPECT_EQ(a.letters.next, 4u);
  const auto asked = through_the_wire(read_request{{5}, 2, letter_action{300, 1'700, letter_action::kind::replay}});
  EXPECT_EQ(std::get<letter_action>(asked.about).number, 300u);
  EXPECT_EQ(std::get<letter_action>(asked.about).at, 1'700);
  EXPECT_EQ(std::get<letter_action>(asked.about).what, letter_action::kind::replay);
}

TEST(PeerProtocol, WhatTookEffectLastArrives) {
  auto sent = letters_answer();
  sent.answer.recent = {{std::string(limits::id_bytes, 'i'), "Ship", 1'700'000'000'000}, {"", "Pay", -1}};
  const auto a = through_the_wire(sent);
  ASSERT_EQ(a.answer.recent.size(), 2u);
  EXPECT_EQ(a.answer.recent[0].id.size(), limits::id_bytes);
  EXPECT_EQ(a.answer.recent[0].at, 1'700'000'000'000);
  EXPECT_EQ(a.answer.recent[1].name, "Pay");
  EXPECT_EQ(a.answer.held, 7u);
}

TEST(PeerProtocol, WhatWaitsInAShardArrives) {
  EXPECT_TRUE(std::holds_alternative<shard_query>(through_the_wire(read_request{{5}, 2, shard_query{}}).about));
  const auto a = through_the_wire(detail_answer());
  ASSERT_TRUE(a.detail);
  ASSERT_EQ(a.detail->receivers.size(), 2u);
  EXPECT_TRUE(a.detail->receivers[0].stopped);
  EXPECT_EQ(a.detail->receivers[0].sent_at, -1);
  EXPECT_EQ(a.detail->receivers[1].receiver.value, 16'383u);
  EXPECT_EQ(a.detail->sources.at(0).taken, 1u << 30);
  EXPECT_EQ(a.detail->sources_known, 400u);
  EXPECT_EQ(a.detail->next_timer, 1'700'000'000'000);
  EXPECT_EQ(a.detail->dead_letters, 7u);
  auto without = detail_answer();
  without.detail->next_timer.reset();
  EXPECT_FALSE(through_the_wire(without).detail->next_timer);
  EXPECT_FALSE(through_the_wire(letters_answer()).detail);
}

TEST(PeerProtocol, MoreOfAShardThanIsShownIsMalformed) {
  auto a = detail_answer();
  a.detail->receivers.resize(limits::receivers_shown + 1);
  EXPECT_EQ(objection(bytes_of(a)), "malformed message of kind 5");
  a = detail_answer();
  a.detail->sources.resize(limits::sources_shown + 1);
  EXPECT_EQ(objection(bytes_of(a)), "malformed message of kind 5");
}

// All replies and reasons of the largest frame fit into one message.
TEST(PeerProtocol, TheLargestAnswerCanBeSent) {
  auto a = sequenced_answer();
  a.results.assign(limits::frame_messages,
                   {result_kind::refused, reason_code::handler_refused, std::string(limits::reason_bytes, 'r'),
                    std::make_shared<const std::string>(limits::reply_bytes, 'r')});
  EXPECT_EQ(through_the_wire(a).results.size(), limits::frame_messages);
}

TEST(PeerProtocol, AFrameKeepsItsBytesAfterTheDecoderIsGone) {
  frame kept;
  {
    peer_decoder d;
    std::vector<peer_message> out;
    ASSERT_TRUE(d.feed(conversation(), out));
    kept = std::get<frame>(std::move(out[1]));
  }
  EXPECT_EQ(kept.messages[1]->payload, std::string(70'000, 'p'));
}

TEST(PeerProtocol, BytesMayComeOneByOne) {
  peer_decoder d;
  std::vector<peer_message> out;
  const auto all = conversation();
  for (char c : all) ASSERT_TRUE(d.feed({&c, 1}, out)) << d.error();
  EXPECT_EQ(encoded_again(out), all);
}

TEST(PeerProtocol, ACutMessageIsWaitedForAndNeverDelivered) {
  std::vector<peer_message> all = one_of_each();
  message_builder b;
  b.add({"order", "o-1", "Created", "m-1", "\x80"});
  all[0] = whole_block({1}, 1, {1}, b.finish());
  for (const auto& m : all) {
    const auto bytes = bytes_of(m);
    for (std::size_t n = 0; n < std::min<std::size_t>(bytes.size(), 600); ++n) {
      peer_decoder d;
      std::vector<peer_message> out;
      ASSERT_TRUE(d.feed(bytes_of(greeting()) + bytes.substr(0, n), out)) << d.error();
      ASSERT_EQ(out.size(), 1u);
    }
  }
}

TEST(PeerProtocol, ABodyThatEndsTooSoonOrTooLateIsMalformed) {
  for (const auto& m : one_of_each()) {
    const auto body = bytes_of(m).substr(4);
    const auto why = "malformed message of kind " + std::to_string(static_cast<int>(body[0]));
    for (std::size_t n = 1; n < std::min<std::size_t>(body.size(), 600); ++n)
      ASSERT_EQ(objection(with_length(body.substr(0, n))), why) << n;
    EXPECT_EQ(objection(with_length(body + '\0')), why);
  }
}

TEST(PeerProtocol, TheFirstBytesOfAnyoneElseAreRefusedBeforeTheyAreKept) {
  EXPECT_EQ(objection_to_first("GET / HTTP/1.1\r\n\r\n"), "not a pawl peer");
  EXPECT_EQ(objection_to_first(std::string(4, '\xff')), "not a pawl peer");
  EXPECT_EQ(objection_to_first(std::string(4, '\0')), "empty message");
  EXPECT_EQ(objection_to_first(with_length(std::string(limits::peer_hello_bytes + 1, 'x')).substr(0, 4)),
            "not a pawl peer");
  for (const auto& m : one_of_each()) {
    if (auto bytes = bytes_of(m); bytes.size() < limits::peer_hello_bytes) {
      EXPECT_EQ(objection_to_first(bytes), "not a pawl peer");
    }
  }
}

TEST(PeerProtocol, AHelloIsRefusedByMagicVersionLengthAndEnd) {
  const auto body = bytes_of(greeting()).substr(4);
  auto changed = [&body](std::size_t at, char c) {
    auto b = body;
    b[at] = c;
    return with_length(b);
  };
  EXPECT_EQ(objection_to_first(changed(1, 'p')), "not a pawl peer");
  EXPECT_EQ(objection_to_first(changed(5, 1)), "peer speaks protocol 1, this node speaks 4");
  EXPECT_EQ(objection_to_first(changed(7, 33)), "malformed message of kind 1");
  EXPECT_EQ(objection_to_first(with_length(body + 'x')), "malformed message of kind 1");
  EXPECT_EQ(objection_to_first(with_length(body.substr(0, 3))), "not a pawl peer");
}

TEST(PeerProtocol, ASecondHelloIsAnError) { EXPECT_EQ(objection(bytes_of(greeting())), "a second hello"); }

TEST(PeerProtocol, LengthsAreJudgedBeforeTheBytesCome) {
  EXPECT_EQ(objection(std::string(4, '\0')), "empty message");
  EXPECT_EQ(objection(std::string(4, '\xff')), "message of 4294967295 bytes is too long");
  EXPECT_EQ(objection(with_length(std::string(limits::peer_message_bytes + 1, 'x')).substr(0, 4)),
            "message of 8388609 bytes is too long");
}

TEST(PeerProtocol, UnknownKindsAreNamed) {
  EXPECT_EQ(objection(with_length(std::string(1, '\0'))), "unknown kind 0");
  EXPECT_EQ(objection(with_length("\x0a")), "unknown kind 10");
  EXPECT_EQ(objection(with_length("\xff")), "unknown kind 255");
}

TEST(PeerProtocol, CountsLengthsAndNumbersBeyondTheirLimitsAreRefused) {
  const std::string frame_head{"\x02\x01\x01\x01", 4}, answer_head{"\x03\x01\x01\x01", 4};
  const std::string text_of_65 = std::string(1, '\x41') + std::string(65, 't');
  for (const auto& body : {
           frame_head + std::string(1, '\0'),                                     // no messages
           frame_head + "\x81\x08" + std::string(2'000, '\0'),                    // 1,025 messages
           frame_head + "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",               // 2^64-1 messages
           frame_head + "\x01" + text_of_65 + std::string(30, '\0'),              // a type of 65 bytes
           frame_head + std::string{"\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02", 17},  // flags of tomorrow
           answer_head + "\x81\x08" + std::string(5'000, '\0'),
           answer_head + std::string{"\x01\x06\0\0", 4},                         // a result kind that does not exist
           answer_head + std::string{1, 0, static_cast<char>(reason_codes), 0},  // a reason that does not exist
           frame_head + std::string{"\0\0", 2},                                  // no messages, and of no source
           frame_head + std::string{"\0\1\0", 3} + std::string(17, '\0'),        // of a source without a name
           frame_head + std::string{"\0\2\1s", 4} + std::string(17, '\0'),       // neither of a source nor not
           frame_head + "\0\x01\xa1\x01"s + std::string(161 + 17, 's'),          // a name of 161 bytes
           answer_head + std::string{"\0\0\1", 3} + std::string(8, '\0') + std::string{"\2\0", 2},  // dropped: 2
           answer_head + std::string{"\0\0\1", 3} + std::string(9, '\0') + "\x05" + std::string(45, '\1'),  // 5 lines
           answer_head + std::string{"\0\0\1", 3} + std::string(9, '\0') + "\xff\xff\xff\xff\x0f",
           answer_head + std::string{"\1\0\0\0\1\x81\x20", 7} + std::string(4'097 + 2, 'r'),  // a reply of 4,097 bytes
           std::string{"\x04\x01\x01\x03\0", 5},                                     // a question that does not exist
           std::string{"\x04\x01\x01\x02\0\x02", 6},                                 // an action that does not exist
           std::string{"\x05\x01\x01\0\0\0\0\0\xff\xff\xff\xff\x0f", 13},            // timers without end
           std::string{"\x05\x01\x01\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\x0f", 18},  // letters without end
           std::string{"\x05\x01\x01\0\0\0\0\0\0\0\0\0\0\x01\0\x01x", 17},           // a letter that is none
           std::string{"\x05\x01\x01\x03\0\0\0\0", 8},                               // a status that does not exist
           std::string{"\x06\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 11},          // a number of more than 64 bits
       })
    EXPECT_EQ(objection(with_length(body)), "malformed message of kind " + std::to_string(static_cast<int>(body[0])));
}

TEST(PeerProtocol, AShardNumberThatDoesNotFitNamesNoShard) {
  peer_decoder d;
  std::vector<peer_message> out;
  ASSERT_TRUE(d.feed(bytes_of(greeting()) + bytes_of(release_notice{{1u << 16}}), out));
  EXPECT_EQ(std::get<release_notice>(out.at(1)).shard.value, 0xffffu);
}

TEST(PeerProtocol, ReasonsAreCutToTheirLimit) {
  frame_answer a{{1}, 1, {1}, {{result_kind::refused, reason_code::handler_refused, std::string(5'000, 'r')}}};
  peer_decoder d;
  std::vector<peer_message> out;
  ASSERT_TRUE(d.feed(bytes_of(greeting()) + bytes_of(a), out)) << d.error();
  EXPECT_EQ(std::get<frame_answer>(out.at(1)).results.at(0).reason, std::string(limits::reason_bytes, 'r'));
}

TEST(PeerProtocol, OnceFailedItStaysFailed) {
  peer_decoder d;
  std::vector<peer_message> out;
  EXPECT_FALSE(d.feed("GET / HTTP/1.1\r\n", out));
  EXPECT_FALSE(d.feed(conversation(), out));
  EXPECT_TRUE(out.empty());
  EXPECT_EQ(d.error(), "not a pawl peer");
}

TEST(PeerProtocol, DamagedBytesYieldMessagesOrAnErrorAndNothingElse) {
  auto small = bytes_of(greeting());
  for (const auto& m : one_of_each())
    if (auto bytes = bytes_of(m); bytes.size() < 10'000) small += bytes;
  std::mt19937_64 random{8412};
  std::size_t refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = small;
    for (auto changes = 1 + random() % 4; changes > 0; --changes) {
      const auto at = random() % bytes.size();
      switch (random() % 4) {
      case 0: bytes[at] = static_cast<char>(random()); break;
      case 1: bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8)); break;
      case 2: bytes.erase(at, 1 + random() % 8); break;
      default: bytes.insert(at, 1 + random() % 8, static_cast<char>(random())); break;
      }
      if (bytes.empty()) bytes = small;
    }
    peer_decoder d;
    std::vector<peer_message> out;
    const bool good = d.feed(bytes, out);
    ASSERT_EQ(good, d.error().empty()) << round;
    refused += good ? 0 : 1;
    for (const auto& m : out) {
      if (const auto* f = std::get_if<frame>(&m)) {
        ASSERT_LE(f->messages.size(), limits::frame_messages);
      }
    }
  }
  EXPECT_GT(refused, 5'000u);
}

TEST(PeerHello, IsAcceptedFromTheExpectedMemberOfTheSameDatasetOnly) {
  const auto ours = greeting();
  auto theirs = greeting();
  EXPECT_EQ(check_hello(theirs, ours, std::nullopt), "");
  EXPECT_EQ(check_hello(theirs, ours, theirs.self), "");
  EXPECT_EQ(check_hello(theirs, ours, member_id{"n1", 301}), "peer is n1 incarnation 300, expected n1 incarnation 301");
  theirs.dataset[15] = 1;
  EXPECT_EQ(check_hello(theirs, ours, std::nullopt), "peer serves another dataset under the same cluster name");
  theirs.cluster = "test";
  EXPECT_EQ(check_hello(theirs, ours, std::nullopt), "peer belongs to cluster 'test', this node to 'main'");
}

TEST(CreditWindow, LetsThroughWhatFitsAndCountsItUntilItReturns) {
  credit_window w{100};
  EXPECT_TRUE(w.take(60));
  EXPECT_TRUE(w.take(40));
  EXPECT_FALSE(w.take(1));
  w.returned(40);
  EXPECT_FALSE(w.take(41));
  EXPECT_TRUE(w.take(40));
  EXPECT_EQ(w.used(), 100u);
}

TEST(CreditWindow, OneFrameMayAlwaysGo) {
  credit_window w{100};
  EXPECT_TRUE(w.take(1'000));
  EXPECT_FALSE(w.take(1));
  w.returned(1'000);
  EXPECT_TRUE(w.take(1));
}

TEST(CreditWindow, NeverFallsBelowZero) {
  credit_window w{100};
  EXPECT_TRUE(w.take(10));
  w.returned(50);
  EXPECT_EQ(w.used(), 0u);
}

}  // namespace
}  // namespace pawl
