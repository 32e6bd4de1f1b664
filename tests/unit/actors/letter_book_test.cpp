// Goal: a dead letter is kept from the commit that gives its message up until somebody discards it, and no longer.
#include "actors/letter_book.hpp"

#include "tests/unit/persistence/hex.hpp"

#include <gtest/gtest.h>

namespace pawl {
namespace {

dead_letter letter(const std::string& id = "m-1") {
  return {{"order", "o-1"},
          "Pay",
          id,
          std::string{"\x81\xa1\x61\x00", 4},
          "shard/3",
          1'700'000'000'000,
          4,
          reason_code::handler_error,
          "thrown",
          1'700'000'000'500};
}

field_list committed(letter_book& b) {
  field_list out;
  b.seal(out);
  b.confirm();
  return out;
}

TEST(DeadLetter, IsReadBackAsItWasWritten) {
  EXPECT_EQ(decode_dead_letter(encode(letter())), letter());
  EXPECT_EQ(decode_dead_letter(encode(dead_letter{})), dead_letter{});
}

// A change here makes stored letters unreadable.
TEST(DeadLetter, HasPinnedBytes) {
  const dead_letter l{{"t", "k"}, "N", "i", "p", "s", 1, 2, reason_code::undecodable, "r", 3};
  EXPECT_EQ(to_hex(encode(l)), "01 01 74 01 6b 01 4e 01 69 01 73 01 00 00 00 00 00 00 00 02 03 01 72 "
                               "03 00 00 00 00 00 00 00 01 70");
}

TEST(DeadLetter, WithATraceIsOfVersionTwo) {
  auto l = letter();
  const auto without = encode(l);
  l.trace = std::string(24, 'x') + '\x01';
  const auto with = encode(l);
  EXPECT_EQ(with, '\x02' + without.substr(1) + '\x19' + l.trace);
  EXPECT_EQ(decode_dead_letter(with), l);
  for (std::size_t n = 0; n < with.size(); ++n) EXPECT_FALSE(decode_dead_letter(with.substr(0, n))) << n;
  EXPECT_FALSE(decode_dead_letter('\x02' + without.substr(1) + '\x19' + std::string(25, '\0')));
  EXPECT_FALSE(decode_dead_letter('\x02' + without.substr(1) + '\0'));
}

TEST(DeadLetter, EveryTruncationMoreBytesAndUnknownCodesAreRefused) {
  const auto bytes = encode(letter());
  for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(decode_dead_letter(bytes.substr(0, n))) << n;
  EXPECT_FALSE(decode_dead_letter(bytes + '\0'));
  auto l = letter();
  l.code = static_cast<reason_code>(reason_codes);
  EXPECT_FALSE(decode_dead_letter(encode(l)));
}

TEST(DeadLetter, ALongReasonIsCut) {
  auto l = letter();
  l.reason = std::string(5'000, 'r');
  EXPECT_EQ(decode_dead_letter(encode(l)).value().reason, std::string(limits::reason_bytes, 'r'));
}

TEST(LetterBook, HoldsALetterFromItsCommitToItsDiscard) {
  letter_book b;
  b.add(letter());
  EXPECT_FALSE(b.holds(0));
  const auto fields = committed(b);
  ASSERT_EQ(fields.size(), 1u);
  EXPECT_EQ(fields[0].first, (std::string{"\0d0", 3}));
  EXPECT_EQ(decode_dead_letter(fields[0].second), letter());
  EXPECT_TRUE(b.holds(0));
  b.discard(0);
  b.discard(0);  // asked for twice
  const auto gone = committed(b);
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(gone[0].second, "");
  EXPECT_FALSE(b.holds(0));
  EXPECT_EQ(b.size(), 0u);
  EXPECT_EQ(b.stale(9), (std::vector<std::uint32_t>{0}));
}

// rule B16
TEST(LetterBook, ADroppedCommitNeitherAddsNorDiscards) {
  letter_book b;
  b.add(letter("kept"));
  (void)committed(b);
  b.add(letter("never"));
  b.discard(0);
  field_list lost;
  b.seal(lost);
  b.drop();
  EXPECT_TRUE(b.holds(0));
  EXPECT_FALSE(b.holds(1));
  EXPECT_EQ(b.size(), 1u);
  EXPECT_FALSE(b.staged());
  b.add(letter("next"));
  EXPECT_EQ(committed(b)[0].first, (std::string{"\0d1", 3}));
}

TEST(LetterBook, IsFullAtItsLimitWithWhatIsStaged) {
  letter_book b;
  b.reset(limits::dead_letters_per_shard - 1);
  EXPECT_FALSE(b.full());
  b.add(letter());
  EXPECT_TRUE(b.full());
  (void)committed(b);
  EXPECT_TRUE(b.full());
  b.discard(5);
  (void)committed(b);
  EXPECT_FALSE(b.full());
}

// After a claim nobody knows which of the slots hold nothing, until somebody looks.
TEST(LetterBook, ASlotThatIsFoundEmptyIsUsedAgain) {
  letter_book b;
  b.reset(2);
  EXPECT_EQ(b.size(), 2u);
  b.load_nothing(0);
  EXPECT_EQ(b.size(), 1u);
  b.add(letter());
  EXPECT_EQ(committed(b)[0].first, (std::string{"\0d0", 3}));
}

// A look that began before the commit, and ends while the commit is under way, finds nothing under its slot.
TEST(LetterBook, ASlotOfTheCommitUnderWayIsNotGivenAwayThoughItIsFoundEmpty) {
  letter_book b;
  b.add(letter("first"));
  field_list out;
  b.seal(out);
  b.load_nothing(0);
  b.confirm();
  EXPECT_TRUE(b.holds(0));
  b.add(letter("second"));
  EXPECT_EQ(committed(b)[0].first, (std::string{"\0d1", 3}));
}

}  // namespace
}  // namespace pawl
