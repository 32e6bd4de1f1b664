// Goal: a timer is pending from the commit that sets it to the commit that ends it, in memory and in the store alike.
#include "actors/timer_book.hpp"

#include "tests/unit/persistence/hex.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace pawl {
namespace {

const entity_id alice{"pad", "alice"}, bob{"pad", "bob"};

timer_change ring(const std::string& name, unix_ms due, const std::string& payload = "p") {
  return {name, due, "Ring", payload};
}

/// A book and the fields it is stored in.
struct stored_book {
  timer_book book;
  std::map<std::string, std::string> fields;

  void commit() {
    field_list out;
    book.seal(out);
    std::set<std::string_view> written;
    for (const auto& [name, value] : out) {
      EXPECT_TRUE(written.insert(name).second) << "one field twice in a commit";
      fields[std::string{name}] = value;
    }
    book.confirm();
  }
  void clean() {
    for (auto n : book.stale(100)) {
      fields.erase(slot_field(timer_book::kind, n));
      book.cleaned(n);
    }
  }
  void take_over() {
    timer_book next;
    next.reset(book.slots());
    for (std::uint32_t n = 0; n < book.slots(); ++n) {
      auto it = fields.find(slot_field(timer_book::kind, n));
      if (it == fields.end()) next.load_nothing(n);
      else EXPECT_TRUE(next.load(n, it->second));
    }
    book = std::move(next);
  }
  /// In the order in which they are due: "t@10=p".
  [[nodiscard]] std::string due(unix_ms now = 1'000'000, std::size_t most = 100) const {
    std::string out;
    for (const auto& [serial, t] : book.due(now, most))
      out += (out.empty() ? "" : " ") + t->name + "@" + std::to_string(t->due) + "=" + t->payload;
    return out;
  }
  [[nodiscard]] timer_book::serial first() const { return book.due(1'000'000, 1).at(0).first; }
};

TEST(TimerBook, ATimerIsPendingOnceItsCommitIsConfirmed) {
  stored_book s;
  s.book.set(alice, ring("t", 10));
  EXPECT_EQ(s.due(), "");
  EXPECT_EQ(s.book.next_due(), std::nullopt);
  s.commit();
  EXPECT_EQ(s.due(9), "");
  EXPECT_EQ(s.due(10), "t@10=p");
  EXPECT_EQ(s.book.next_due(), 10);
  EXPECT_EQ(s.book.size(), 1u);
}

// A change here makes stored timers unreadable.
TEST(TimerBook, FieldsHavePinnedBytes) {
  stored_book s;
  s.book.set({"t", "k"}, {"n", 0x0102, "M", "\x80"});
  s.commit();
  EXPECT_EQ(to_hex(s.fields.at(std::string{"\0t0", 3})), "01 01 74 01 6b 01 6e 02 01 00 00 00 00 00 00 01 4d 01 80");
}

TEST(TimerBook, WithATraceAFieldIsOfVersionTwo) {
  stored_book s;
  const std::string trace = std::string(24, 'x') + '\x01';
  s.book.set({"t", "k"}, {"n", 0x0102, "M", "\x80", trace});
  s.commit();
  const auto field = s.fields.at(std::string{"\0t0", 3});
  EXPECT_EQ(to_hex(field.substr(0, 19)), "02 01 74 01 6b 01 6e 02 01 00 00 00 00 00 00 01 4d 01 80");
  EXPECT_EQ(field.substr(19), '\x19' + trace);
  timer_book other;
  other.reset(1);
  for (std::size_t n = 1; n < field.size(); ++n) EXPECT_FALSE(other.load(0, field.substr(0, n))) << n;
  EXPECT_FALSE(other.load(0, field.substr(0, 19) + '\x19' + std::string(25, '\0')));
  ASSERT_TRUE(other.load(0, field));
  EXPECT_EQ(other.of({"t", "k"}).at(0)->trace, trace);
}

// rule D33
TEST(TimerBook, LateOnesComeInTheOrderInWhichTheyWereDue) {
  stored_book s;
  s.book.set(alice, ring("c", 30));
  s.book.set(bob, ring("a", 10));
  s.commit();
  s.book.set(alice, ring("b", 20));
  s.commit();
  EXPECT_EQ(s.due(), "a@10=p b@20=p c@30=p");
  EXPECT_EQ(s.due(1'000, 2), "a@10=p b@20=p");
  s.take_over();
  EXPECT_EQ(s.due(), "a@10=p b@20=p c@30=p");
}

TEST(TimerBook, SetAgainItKeepsItsFieldAndHasOneDue) {
  stored_book s;
  s.book.set(alice, ring("t", 10, "old"));
  s.commit();
  const auto old = s.first();
  s.book.set(alice, ring("t", 30, "new"));
  EXPECT_EQ(s.book.pending(old), nullptr);
  s.commit();
  EXPECT_EQ(s.due(), "t@30=new");
  EXPECT_EQ(s.fields.size(), 1u);
  EXPECT_EQ(s.book.pending(old), nullptr);
}

TEST(TimerBook, OfOneBatchTheLastChangeCounts) {
  stored_book s;
  s.book.set(alice, ring("t", 10, "1"));
  s.book.cancel(alice, "t");
  s.book.set(alice, ring("t", 20, "2"));
  s.book.set(alice, ring("u", 20));
  s.book.cancel(alice, "u");
  s.commit();
  EXPECT_EQ(s.due(), "t@20=2");
  EXPECT_EQ(s.fields.size(), 1u);
}

TEST(TimerBook, CancelledItIsGoneFromTheStoreToo) {
  stored_book s;
  s.book.set(alice, ring("t", 10));
  s.commit();
  s.book.cancel(alice, "t");
  EXPECT_EQ(s.book.pending(s.first()), nullptr);
  s.commit();
  EXPECT_EQ(s.due(), "");
  EXPECT_EQ(s.fields.at(slot_field(timer_book::kind, 0)), "");
  s.take_over();  // before the field was removed
  EXPECT_EQ(s.book.size(), 0u);
  s.clean();
  EXPECT_EQ(s.fields.size(), 0u);
  EXPECT_EQ(s.book.slots(), 0u);
}

TEST(TimerBook, CancellingWhatIsNotThereIsNothing) {
  stored_book s;
  s.book.cancel(alice, "t");
  EXPECT_FALSE(s.book.staged());
}

// rule D33
TEST(TimerBook, AFiringIsOverWithTheCommitThatCarriesIt) {
  stored_book s;
  s.book.set(alice, ring("t", 10));
  s.commit();
  const auto t = s.first();
  ASSERT_NE(s.book.pending(t), nullptr);
  s.book.fired(t);
  EXPECT_EQ(s.book.pending(t), nullptr);  // not twice in one batch
  s.book.drop();
  ASSERT_NE(s.book.pending(t), nullptr);
  s.book.fired(t);
  s.commit();
  EXPECT_EQ(s.book.pending(t), nullptr);
  s.take_over();
  EXPECT_EQ(s.due(), "");
}

TEST(TimerBook, OneWhoseMessageDidNotTakeEffectStaysPending) {
  stored_book s;
  s.book.set(alice, ring("t", 10));
  s.commit();
  s.book.fired(s.first());
  s.book.unfired(s.first());
  EXPECT_FALSE(s.book.staged());
  EXPECT_NE(s.book.pending(s.first()), nullptr);
}

TEST(TimerBook, AHandlerMaySetTheTimerAgainThatWokeIt) {
  stored_book s;
  s.book.set(alice, ring("t", 10));
  s.commit();
  s.book.fired(s.first());
  s.book.set(alice, ring("t", 20, "again"));
  s.commit();
  EXPECT_EQ(s.due(), "t@20=again");
  s.take_over();
  EXPECT_EQ(s.due(), "t@20=again");
}

// rule A19
TEST(TimerBook, AnErasedEntityLosesThoseThatAreStoredAndThoseOfTheBatch) {
  stored_book s;
  s.book.set(alice, ring("t", 10));
  s.book.set(bob, ring("t", 10, "bob's"));
  s.book.set({"pad", "alice2"}, ring("t", 11, "another's"));
  s.commit();
  s.book.set(alice, ring("u", 10));
  s.book.cancel_all(alice);
  s.commit();
  EXPECT_EQ(s.due(), "t@10=bob's t@11=another's");
  EXPECT_TRUE(s.book.of(alice).empty());
  EXPECT_EQ(s.book.of(bob).size(), 1u);
}

TEST(TimerBook, WhatComesAfterTheErasureCounts) {
  stored_book s;
  s.book.set(alice, ring("t", 10));
  s.commit();
  s.book.cancel_all(alice);
  s.book.set(alice, ring("t", 20, "new"));
  s.commit();
  EXPECT_EQ(s.due(), "t@20=new");
}

// rule B16
TEST(TimerBook, ADroppedCommitLeavesNoTrace) {
  stored_book s;
  s.book.set(alice, ring("t", 10));
  s.commit();
  s.book.set(alice, ring("t", 99));
  s.book.set(bob, ring("t", 5));
  field_list lost;
  s.book.seal(lost);
  s.book.drop();
  EXPECT_EQ(s.due(), "t@10=p");
  s.book.set(bob, ring("t", 5));
  s.commit();
  EXPECT_EQ(s.fields.size(), 2u);
  EXPECT_EQ(s.fields.count(slot_field(timer_book::kind, 1)), 1u);  // the slot of the dropped one
}

TEST(TimerBook, EveryTruncationAndMoreBytesAreRefused) {
  stored_book s;
  s.book.set(alice, ring("t", 10));
  s.commit();
  const auto bytes = s.fields.at(slot_field(timer_book::kind, 0));
  for (std::size_t n = 1; n < bytes.size(); ++n) {  // empty: there is none
    timer_book b;
    b.reset(1);
    EXPECT_FALSE(b.load(0, bytes.substr(0, n))) << n;
  }
  timer_book b;
  b.reset(2);
  EXPECT_FALSE(b.load(0, bytes + '\0'));
  EXPECT_FALSE(b.load(0, '\2' + bytes.substr(1)));
  EXPECT_TRUE(b.load(0, bytes));
  EXPECT_FALSE(b.load(1, bytes));  // one timer twice
}

// Against a model of what is pending, through commits that fail and owners that change.
TEST(TimerBook, HoldsExactlyWhatConfirmedCommitsSay) {
  std::mt19937 random{7};
  stored_book s;
  using model = std::map<std::pair<std::string, std::string>, unix_ms>;
  model pending;
  for (int round = 0; round < 3'000; ++round) {
    auto staged = pending;
    for (auto n = random() % 4; n > 0; --n) {
      const entity_id who{"pad", std::string(1, static_cast<char>('a' + random() % 3))};
      const std::string name(1, static_cast<char>('t' + random() % 3));
      const auto due = static_cast<unix_ms>(random() % 50);
      switch (random() % 5) {
      case 0:
        s.book.cancel(who, name);
        staged.erase({who.key, name});
        break;
      case 1:
        s.book.cancel_all(who);
        std::erase_if(staged, [&who](const auto& t) { return t.first.first == who.key; });
        break;
      case 2:
        for (const auto& [serial, t] : s.book.due(25, 2)) {
          if (s.book.pending(serial) == nullptr) continue;
          staged.erase({t->entity.key, t->name});
          s.book.fired(serial);
        }
        break;
      default: s.book.set(who, ring(name, due)); staged[{who.key, name}] = due;
      }
    }
    if (random() % 4 == 0) {
      field_list lost;
      if (random() % 2 == 0) s.book.seal(lost);
      s.book.drop();
    } else {
      s.commit();
      pending = staged;
    }
    if (random() % 3 == 0) s.clean();
    if (random() % 10 == 0) s.take_over();
    model held;
    for (const auto& [serial, t] : s.book.due(1'000, 1'000)) held[{t->entity.key, t->name}] = t->due;
    ASSERT_EQ(held, pending) << round;
    ASSERT_LE(s.book.slots(), 12u) << "slots leak";
  }
}

}  // namespace
}  // namespace pawl
