// Goal: what entities send is numbered without a gap, stored exactly, and found again by whoever owns the shard next.
#include "actors/outbox.hpp"

#include "tests/unit/persistence/hex.hpp"

#include <gtest/gtest.h>

#include <map>

namespace pawl {
namespace {

constexpr shard_id self{3};
constexpr shard_id near{1}, far{9};
constexpr std::uint64_t first_line = 0xa1, second_line = 0xb2;

outgoing_message note(const std::string& text) { return {"pad", "k", "Note", text}; }

/// An outbox and the fields it is stored in.
struct stored_outbox {
  outbox box{self, 16};
  std::map<std::string, std::string> fields;

  void stage(shard_id to, const std::string& text, std::uint64_t line = first_line) {
    box.stage(to, note(text), 77, line);
  }
  std::vector<shard_id> commit() {
    field_list out;
    box.seal(out);
    for (const auto& [name, value] : out) fields[std::string{name}] = value;
    return box.confirm();
  }
  std::vector<shard_id> send(shard_id to, const std::string& text, std::uint64_t line = first_line) {
    stage(to, text, line);
    return commit();
  }
  /// Whatever was declared dead leaves the store.
  void clean() {
    for (auto n : box.stale_records(100)) {
      fields.erase(slot_field(outbox::record_kind, n));
      box.cleaned(n);
    }
  }
  /// What the next owner has; nothing if it refuses what is stored.
  std::optional<outbox> loaded() {
    outbox next{self, 16};
    const auto records = box.record_slots(), pairs = box.pair_slots();
    next.reset(records, pairs);
    auto find = [&](char kind, std::uint32_t n) -> const std::string* {
      auto it = fields.find(slot_field(kind, n));
      return it == fields.end() ? nullptr : &it->second;
    };
    for (std::uint32_t n = 0; n < pairs; ++n) {
      const auto* bytes = find(outbox::pair_kind, n);
      if (bytes == nullptr) next.load_no_pair(n);
      else if (!next.load_pair(n, *bytes)) return std::nullopt;
    }
    for (std::uint32_t n = 0; n < records; ++n) {
      const auto* bytes = find(outbox::record_kind, n);
      if (bytes == nullptr) next.load_no_record(n);
      else if (!next.load_record(n, *bytes)) return std::nullopt;
    }
    if (!next.loaded()) return std::nullopt;
    return next;
  }
};

/// All that is stored for one receiver and not trimmed: "a1/1=one b2/2=two".
std::string told(const outbox& box, shard_id to) {
  std::string out;
  const auto* p = box.find(to);
  if (p == nullptr) return "no pair";
  for (const auto& r : p->records) {
    for (std::size_t i = 0; i < r.size(); ++i) {
      if (r.at(i).number <= p->trimmed.number) continue;
      out += out.empty() ? "" : " ";
      out += to_hex(std::string(1, static_cast<char>(r.at(i).line))) + "/" + std::to_string(r.at(i).number) + "=" +
             std::string{r.block->messages[i].payload};
    }
  }
  return out;
}

source_mark taken(std::vector<position> lines) { return {std::move(lines), false, 0}; }

// rule A3
TEST(Outbox, NumbersAreDensePerReceiverWhateverTheLine) {
  stored_outbox s;
  s.stage(near, "one");
  s.stage(far, "first");
  s.stage(near, "two");
  EXPECT_EQ(s.commit(), (std::vector<shard_id>{near, far}));
  EXPECT_EQ(s.send(near, "three", second_line), (std::vector<shard_id>{near}));
  EXPECT_EQ(told(s.box, near), "a1/1=one a1/2=two b2/3=three");
  EXPECT_EQ(told(s.box, far), "a1/1=first");
  EXPECT_EQ(s.box.find(near)->records[1].before, (position{first_line, 2}));
  EXPECT_EQ(s.box.waiting(), 4u);
}

TEST(Outbox, AMessageHasTheSameIdInEveryOwnersMemory) {
  stored_outbox s;
  s.send(near, "one");
  const std::string id{s.box.find(near)->records[0].block->messages[0].id};
  EXPECT_EQ(id, "shard/3/00000000000000a1/1");
  const auto next = s.loaded();
  ASSERT_TRUE(next);
  const auto& m = next->find(near)->records[0].block->messages[0];
  EXPECT_EQ(m.id, id);
  EXPECT_EQ(m.sent_at, 77);
  EXPECT_EQ(m.type, "pad");
  EXPECT_EQ(m.key, "k");
  EXPECT_EQ(m.name, "Note");
}

// A change here makes what is stored unreadable.
TEST(Outbox, FieldsHavePinnedBytes) {
  stored_outbox s;
  s.stage(far, "x");
  s.stage(far, "yz");
  s.commit();
  const std::string none = "00 00 00 00 00 00 00 00 00", line = "a1 00 00 00 00 00 00 00";
  const std::string head = "03 70 61 64 01 6b 04 4e 6f 74 65 4d 00 00 00 00 00 00 00 ";
  EXPECT_EQ(to_hex(s.fields.at(std::string{"\0o0", 3})),
            "01 09 " + none + " " + line + " 01 02 " + head + "01 78 " + head + "02 79 7a");
  EXPECT_EQ(to_hex(s.fields.at(std::string{"\0p0", 3})), "02 09 " + line + " 02 " + none);
  EXPECT_EQ(s.fields.size(), 2u);
}

TEST(Outbox, ARecordWithATraceIsOfVersionTwo) {
  stored_outbox s;
  const std::string trace = std::string(24, 'x') + '\x01';
  s.box.stage(far, {"pad", "k", "Note", "x", trace}, 77, first_line);
  s.box.stage(far, {"pad", "k", "Note", "yz", {}}, 77, first_line);
  s.commit();
  const auto field = s.fields.at(std::string{"\0o0", 3});
  const std::string none = "00 00 00 00 00 00 00 00 00", line = "a1 00 00 00 00 00 00 00";
  const std::string head = "03 70 61 64 01 6b 04 4e 6f 74 65 4d 00 00 00 00 00 00 00 ";
  EXPECT_EQ(to_hex(field),
            "02 09 " + none + " " + line + " 01 02 " + head + "01 78 19 " + to_hex(trace) + " " + head + "02 79 7a 00");
  auto damaged = field;
  damaged.replace(damaged.find(trace), trace.size(), trace.size(), '\0');
  outbox next{self, 16};
  next.reset(1, 1);
  ASSERT_TRUE(next.load_pair(0, s.fields.at(std::string{"\0p0", 3})));
  EXPECT_FALSE(next.load_record(0, damaged));
  ASSERT_TRUE(next.load_record(0, field));
  ASSERT_TRUE(next.loaded());
  const auto& messages = next.find(far)->records.at(0).block->messages;
  EXPECT_EQ(messages.at(0).trace, trace);
  EXPECT_EQ(messages.at(1).trace, "");
}

// rule B16
TEST(Outbox, ADroppedCommitGivesItsNumbersAndSlotsBack) {
  stored_outbox s;
  s.send(near, "one");
  s.stage(near, "never");
  s.stage(far, "never");
  field_list lost;
  s.box.seal(lost);
  s.box.drop();
  EXPECT_FALSE(s.box.staged());
  EXPECT_EQ(s.box.find(far), nullptr);
  EXPECT_EQ(s.box.waiting(), 1u);
  s.send(near, "two");
  EXPECT_EQ(told(s.box, near), "a1/1=one a1/2=two");
  EXPECT_EQ(s.fields.count(slot_field(outbox::record_kind, 1)), 1u);  // the slot of the dropped one
}

TEST(Outbox, WhatIsDroppedUnsealedLeavesNoTrace) {
  stored_outbox s;
  s.stage(near, "never");
  s.box.drop();
  EXPECT_EQ(s.box.record_slots(), 0u);
  EXPECT_EQ(s.box.pair_slots(), 0u);
}

TEST(Outbox, ATrimIsCommittedBeforeARecordIsRemoved) {
  stored_outbox s;
  s.send(near, "one");
  s.send(near, "two");
  s.box.delivered(near, {first_line, 1});
  EXPECT_TRUE(s.box.trims());
  EXPECT_EQ(s.box.waiting(), 1u);
  EXPECT_TRUE(s.box.stale_records(9).empty());
  field_list lost;
  s.box.seal(lost);
  EXPECT_EQ(lost.size(), 1u);
  s.box.drop();
  EXPECT_TRUE(s.box.trims());
  EXPECT_TRUE(s.box.stale_records(9).empty());
  s.commit();
  EXPECT_FALSE(s.box.trims());
  EXPECT_EQ(s.box.stale_records(9), (std::vector<std::uint32_t>{0}));
  s.clean();
  EXPECT_EQ(told(s.box, near), "a1/2=two");
  EXPECT_EQ(told(s.loaded().value(), near), "a1/2=two");
}

TEST(Outbox, ACommitThatSendsTrimsManyAtOnce) {
  stored_outbox s;
  for (std::uint64_t n = 1; n < outbox::trim_messages; ++n) {
    s.send(near, "x");
    s.box.delivered(near, {first_line, n});
  }
  EXPECT_EQ(s.box.find(near)->records.size(), outbox::trim_messages - 1);
  s.send(near, "x");
  s.box.delivered(near, {first_line, outbox::trim_messages});
  EXPECT_EQ(s.box.waiting(), 0u);
  s.send(near, "last");
  EXPECT_FALSE(s.box.trims());
  EXPECT_EQ(told(s.box, near), "a1/65=last");
  EXPECT_EQ(told(s.loaded().value(), near), "a1/65=last");
}

TEST(Outbox, ACommitThatSendsTrimsAtOnceWhereMemoryIsWanted) {
  stored_outbox s;
  s.send(near, std::string(outbox::keep_bytes, 'x'));
  s.box.delivered(near, {first_line, 1});
  s.send(far, "small");
  EXPECT_FALSE(s.box.trims());
  EXPECT_LT(s.box.bytes(), 1'000u);
}

TEST(Outbox, WhatIsNotTrimmedYetIsKnownToTheNextOwnerAndNumbersGoOnBehindIt) {
  stored_outbox s;
  s.send(near, "one");
  s.box.delivered(near, {first_line, 1});
  s.send(near, "two");
  auto next = s.loaded();
  ASSERT_TRUE(next);
  EXPECT_EQ(told(*next, near), "a1/1=one a1/2=two");
  EXPECT_EQ(next->waiting(), 2u);
  next->stage(near, note("three"), 1, second_line);
  field_list out;
  next->seal(out);
  (void)next->confirm();
  EXPECT_EQ(told(*next, near), "a1/1=one a1/2=two b2/3=three");
}

// While it sends, a dead record is mostly overwritten soon.
TEST(Outbox, DeadRecordsAreRemovedWhenThereAreManyOrWhenItIsQuiet) {
  stored_outbox s;
  s.send(near, "one");
  s.box.delivered(near, {first_line, 1});
  s.commit();
  EXPECT_EQ(s.box.stale_records(100).size(), 1u) << "nothing is delivered that is still to be trimmed";
  s.send(far, "busy");
  s.box.delivered(far, {first_line, 1});
  EXPECT_TRUE(s.box.stale_records(100).empty()) << "it has been overwritten";
  std::uint64_t n = 1;
  for (std::size_t i = 0; i < outbox::stale_records_max; ++i) s.send(near, "x");
  s.box.delivered(near, {first_line, n += outbox::stale_records_max});
  s.send(far, "more");
  s.box.delivered(far, {first_line, 2});
  ASSERT_TRUE(s.box.trims());
  EXPECT_EQ(s.box.stale_records(100).size(), outbox::stale_records_max);
  EXPECT_EQ(s.box.stale_records(10).size(), 10u) << "as many as may be asked for";
  s.clean();
  EXPECT_TRUE(s.box.stale_records(100).empty());
}

TEST(Outbox, LargeDeadRecordsAreRemovedAtOnce) {
  stored_outbox s;
  for (std::uint64_t i = 0; i < outbox::trim_messages; ++i)
    s.send(near, std::string(outbox::stale_bytes_max / 60, 'x'));
  s.box.delivered(near, {first_line, outbox::trim_messages / 2});
  s.commit();  // a quiet moment
  s.box.delivered(near, {first_line, outbox::trim_messages});
  ASSERT_TRUE(s.box.trims());
  EXPECT_TRUE(s.box.stale_records(100).empty()) << "half as much as may be";
  s.commit();
  s.send(far, "busy");
  s.box.delivered(far, {first_line, 1});
  ASSERT_TRUE(s.box.trims());
  EXPECT_EQ(s.box.stale_records(100).size(), outbox::trim_messages - 1);
}

TEST(Outbox, ARecordWhoseFirstMessagesAreTrimmedStaysAsAWhole) {
  stored_outbox s;
  for (const auto* text : {"one", "two", "three"}) s.stage(near, text);
  s.commit();
  s.box.delivered(near, {first_line, 2});
  s.commit();
  s.clean();
  const auto next = s.loaded();
  ASSERT_TRUE(next);
  EXPECT_EQ(told(*next, near), "a1/3=three");
  EXPECT_EQ(next->waiting(), 1u);
  EXPECT_EQ(next->bytes(), s.box.bytes());
}

TEST(Outbox, MemoryIsCountedAndGivenBack) {
  stored_outbox s;
  EXPECT_EQ(s.box.bytes(), 0u);
  s.send(near, std::string(1'000, 'x'));
  EXPECT_GE(s.box.bytes(), 1'000u);
  s.box.delivered(near, {first_line, 1});
  s.commit();
  EXPECT_EQ(s.box.bytes(), 0u);
  EXPECT_EQ(s.box.waiting(), 0u);
}

// A removal that was not answered is asked again, also by the next owner; the field says itself that it is dead.
TEST(Outbox, ATrimmedRecordThatIsStillStoredIsNotSentAgain) {
  stored_outbox s;
  s.send(near, "one");
  s.send(near, "two");
  s.box.delivered(near, {first_line, 1});
  s.commit();
  const auto next = s.loaded();
  ASSERT_TRUE(next);
  EXPECT_EQ(told(*next, near), "a1/2=two");
  EXPECT_EQ(next->stale_records(9), (std::vector<std::uint32_t>{0}));
}

TEST(Outbox, EmptyPairsAreLoadedAndGoOnCounting) {
  stored_outbox s;
  s.send(near, "one");
  s.box.delivered(near, {first_line, 1});
  s.commit();
  s.clean();
  auto next = s.loaded();
  ASSERT_TRUE(next);
  next->stage(near, note("two"), 1, second_line);
  field_list out;
  next->seal(out);
  (void)next->confirm();
  EXPECT_EQ(told(*next, near), "b2/2=two");
  EXPECT_EQ(next->find(near)->records[0].before, (position{first_line, 1}));
}

// Common positions ------------------------------------------------------------------------------------------------

// rule A3
TEST(OutboxCommon, IsTheLatestMessageThatLiesOnTheReceiversLines) {
  stored_outbox s;
  s.send(near, "one");
  s.send(near, "two");
  s.send(near, "three", second_line);
  EXPECT_EQ(s.box.common(near, taken({})), position{});
  EXPECT_EQ(s.box.common(near, taken({{first_line, 1}})), (position{first_line, 1}));
  EXPECT_EQ(s.box.common(near, taken({{second_line, 3}, {first_line, 2}})), (position{second_line, 3}));
}

// What this shard's store has lost was sent under the same line, with numbers above.
TEST(OutboxCommon, EndsWhereTheLineEndsHere) {
  stored_outbox s;
  s.send(near, "one");
  s.send(near, "three", second_line);
  EXPECT_EQ(s.box.common(near, taken({{first_line, 9}})), (position{first_line, 1}));
  EXPECT_EQ(s.box.common(near, taken({{0xdead, 5}, {first_line, 9}})), (position{first_line, 1}));
}

TEST(OutboxCommon, ANumberOnAnotherLineIsAnotherMessage) {
  stored_outbox s;
  s.send(near, "one");
  s.box.delivered(near, {first_line, 1});
  s.commit();
  s.send(near, "two");
  EXPECT_EQ(s.box.common(near, taken({{0xdead, 2}})), std::nullopt);
}

TEST(OutboxCommon, OfWhatIsTrimmedOnlyTheLastIsKnown) {
  stored_outbox s;
  s.send(near, "one");
  s.send(near, "two");
  s.box.delivered(near, {first_line, 2});
  s.commit();
  s.send(near, "three");
  EXPECT_EQ(s.box.common(near, taken({{first_line, 2}})), (position{first_line, 2}));
  // The receiver lost what it had acknowledged.
  EXPECT_EQ(s.box.common(near, taken({{first_line, 1}})), std::nullopt);
  EXPECT_EQ(s.box.common(near, taken({})), std::nullopt);
}

TEST(OutboxCommon, NothingTrimmedIsCommonUnlessTheReceiverDroppedALine) {
  stored_outbox s;
  s.send(near, "one");
  auto strange = taken({{0xdead, 5}});
  EXPECT_EQ(s.box.common(near, strange), position{});
  strange.dropped = true;
  EXPECT_EQ(s.box.common(near, strange), std::nullopt);
}

TEST(OutboxCommon, WithoutAPairThereIsNone) {
  stored_outbox s;
  EXPECT_EQ(s.box.common(near, taken({})), std::nullopt);
}

// The receiver is found to have taken less than it had said, while the commit that trims is under way.
TEST(Outbox, AReceiverThatFellBackDuringATrimIsNotSaidToHaveTakenMoreThanItsTrim) {
  stored_outbox s;
  s.send(near, "one");
  s.send(near, "two");
  s.box.delivered(near, {first_line, 2});
  field_list out;
  s.box.seal(out);
  s.box.delivered(near, {first_line, 1});
  EXPECT_EQ(s.box.waiting(), 1u);
  (void)s.box.confirm();
  EXPECT_EQ(s.box.find(near)->trimmed, (position{first_line, 2}));
  EXPECT_EQ(s.box.find(near)->delivered, (position{first_line, 2}));
  EXPECT_EQ(s.box.waiting(), 0u);
  EXPECT_FALSE(s.box.trims());
}

// Damage -----------------------------------------------------------------------------------------------------------

// But for the last ones since a trim: those were written with the state that sent them, or not at all.
TEST(OutboxDamage, AMissingMessageIsNoticed) {
  stored_outbox s;
  for (const auto* text : {"one", "two", "three"}) s.send(near, text);
  s.box.delivered(near, {first_line, 1});
  s.commit();
  s.send(near, "four");
  ASSERT_TRUE(s.loaded());
  for (std::uint32_t n : {1U, 2U}) {  // slot 0 is that of "four"
    auto damaged = s;
    damaged.fields.erase(slot_field(outbox::record_kind, n));
    EXPECT_FALSE(damaged.loaded()) << n;
  }
  auto without_last = s;
  without_last.fields.erase(slot_field(outbox::record_kind, 0));
  EXPECT_EQ(told(without_last.loaded().value(), near), "a1/2=two a1/3=three");
  without_last.fields.erase(slot_field(outbox::record_kind, 2));
  EXPECT_FALSE(without_last.loaded()) << "the pair knows of three";
  s.fields.erase(slot_field(outbox::pair_kind, 0));
  EXPECT_FALSE(s.loaded());
}

TEST(OutboxDamage, EveryTruncationAndMoreBytesAreRefused) {
  stored_outbox s;
  s.stage(near, "one");
  s.stage(near, "two");
  s.commit();
  const auto record = s.fields.at(slot_field(outbox::record_kind, 0));
  const auto pair = s.fields.at(slot_field(outbox::pair_kind, 0));
  for (std::size_t n = 0; n < record.size(); ++n) {
    outbox box{self, 16};
    box.reset(1, 1);
    ASSERT_TRUE(box.load_pair(0, pair));
    EXPECT_FALSE(box.load_record(0, record.substr(0, n))) << n;
  }
  for (std::size_t n = 0; n < pair.size(); ++n) {
    outbox box{self, 16};
    box.reset(1, 1);
    EXPECT_FALSE(box.load_pair(0, pair.substr(0, n))) << n;
  }
  outbox box{self, 16};
  box.reset(1, 2);
  EXPECT_FALSE(box.load_pair(0, pair + '\0'));
  ASSERT_TRUE(box.load_pair(0, pair));
  EXPECT_FALSE(box.load_pair(1, pair));  // one receiver twice
  EXPECT_FALSE(box.load_record(0, record + '\0'));
}

TEST(OutboxDamage, CountsShardsAndNumbersThatCannotBeAreRefused) {
  const std::string none(9, '\0');
  const auto line = from_hex("a1 00 00 00 00 00 00 00");
  outbox box{self, 16};
  box.reset(1, 1);
  EXPECT_FALSE(box.load_pair(0, "\x01\x10" + none + none));                    // a shard that does not exist
  EXPECT_FALSE(box.load_pair(0, "\x01\x01" + line + "\x01" + line + "\x02"));  // more trimmed than sent
  EXPECT_FALSE(box.load_pair(0, std::string{"\x03\x01"} + none + none));       // a format of tomorrow
  ASSERT_TRUE(box.load_pair(0, "\x01\x01" + line + "\x02" + none));
  const auto message = from_hex("03 70 61 64 01 6b 04 4e 6f 74 65 4d 00 00 00 00 00 00 00 01 78");
  const auto head = "\x01\x01" + none + line;
  EXPECT_FALSE(box.load_record(0, head + std::string{"\x01\x00", 2}));                // nothing in it
  EXPECT_FALSE(box.load_record(0, head + "\x01\xff\xff\xff\xff\x0f" + message));      // more than there can be
  EXPECT_FALSE(box.load_record(0, head + "\x02\x01" + message));                      // a gap
  EXPECT_FALSE(box.load_record(0, "\x01\x02" + none + line + "\x01\x01" + message));  // of no pair
  EXPECT_TRUE(box.load_record(0, head + "\x01\x01" + message));
  EXPECT_FALSE(box.loaded());  // the pair says that there are two
}

}  // namespace
}  // namespace pawl
