// Goal: the message whose handler ends its owners is found, and refused for good, before it has ended many of them; and
// no other message is taken for it.
#include "actors/suspects.hpp"

#include "tests/unit/actors/shard_world.hpp"

#include <string>

namespace pawl::test {
namespace {

using namespace std::chrono_literals;

message_digest digest(std::uint8_t n) {
  message_digest d;
  d.bytes[0] = n;
  return d;
}

struct Suspects : testing::Test {
  instant now{steady_time{1h}, 1'000'000};
  suspects book{policy};
  static constexpr suspicion_policy policy{1min, 2};
  void be_careful() { book.start(now); }
};

TEST_F(Suspects, IsCarefulForAWhileOnly) {
  EXPECT_FALSE(book.careful(now));
  be_careful();
  EXPECT_TRUE(book.careful(now));
  now.steady += 1min;
  EXPECT_FALSE(book.careful(now));
}

TEST_F(Suspects, WhatWasAboutToBeHandledIsSuspectedByTheNextOwner) {
  be_careful();
  const auto stored = book.about_to_handle({digest(1), digest(2)});
  EXPECT_FALSE(book.suspected(digest(1))) << "not by this one";
  suspects next{policy};
  ASSERT_TRUE(next.load(stored));
  EXPECT_TRUE(next.suspected(digest(1)));
  EXPECT_TRUE(next.suspected(digest(2)));
  EXPECT_FALSE(next.suspected(digest(3)));
  EXPECT_FALSE(next.fatal(digest(1)));
}

TEST_F(Suspects, TwoEndsAreFatalAndOthersKeepTheirCount) {
  ASSERT_TRUE(book.load(suspects{}.about_to_handle({digest(1), digest(2)})));
  be_careful();
  const auto stored = book.about_to_handle({digest(1)});
  suspects next{policy};
  ASSERT_TRUE(next.load(stored));
  EXPECT_TRUE(next.fatal(digest(1)));
  EXPECT_FALSE(next.fatal(digest(2)));
  EXPECT_TRUE(next.suspected(digest(2)));
}

TEST_F(Suspects, WhatWasHandledIsNoSuspectAnyMore) {
  ASSERT_TRUE(book.load(suspects{}.about_to_handle({digest(1), digest(2)})));
  be_careful();
  (void)book.about_to_handle({digest(1)});
  book.handled();
  EXPECT_FALSE(book.suspected(digest(1)));
  EXPECT_TRUE(book.suspected(digest(2)));
  suspects next{policy};
  ASSERT_TRUE(next.load(book.about_to_handle({digest(2)})));
  EXPECT_FALSE(next.suspected(digest(1)));
  EXPECT_TRUE(next.fatal(digest(2)));
}

TEST_F(Suspects, AfterwardsWhatIsStoredIsClearedByTheNextCommit) {
  be_careful();
  (void)book.about_to_handle({digest(1)});
  book.handled();
  book.tidy(now);
  field_list none;
  book.seal(none);
  EXPECT_TRUE(none.empty());
  now.steady += 2min;
  book.tidy(now);
  field_list cleared;
  book.seal(cleared);
  ASSERT_EQ(cleared.size(), 1U);
  EXPECT_EQ((*cleared.begin()).second, "");
  book.confirm();
  book.tidy(now);
  field_list again;
  book.seal(again);
  EXPECT_TRUE(again.empty());
}

TEST_F(Suspects, NothingStoredIsNobodyAndDamageIsNoticed) {
  EXPECT_TRUE(book.load(""));
  EXPECT_EQ(book.size(), 0U);
  const auto stored = suspects{}.about_to_handle({digest(1), digest(2)});
  for (std::size_t cut = 1; cut < stored.size(); ++cut) EXPECT_FALSE(suspects{}.load(stored.substr(0, cut))) << cut;
  EXPECT_FALSE(suspects{}.load(stored + "x"));
  EXPECT_FALSE(suspects{}.load(std::string{"\x01\xff\xff\xff\x7f", 5})) << "more than there may be";
}

TEST_F(Suspects, AreBounded) {
  std::vector<message_digest> many(limits::suspects + 10);
  for (std::size_t i = 0; i < many.size(); ++i) many[i].bytes[0] = i & 255, many[i].bytes[1] = (i >> 8) & 255;
  suspects next{policy};
  ASSERT_TRUE(next.load(book.about_to_handle(many)));
  EXPECT_EQ(next.size(), limits::suspects);
}

// In a shard ---------------------------------------------------------------------------------------------------------

shard_policy wary() {
  shard_policy p;
  p.suspicion = {1min, 2};
  return p;
}

struct ShardSuspects : testing::Test {
  world w;
  std::uint64_t views = 0;

  /// Takes over from whoever had the shard.
  std::unique_ptr<owner> next_owner() {
    auto o = std::make_unique<owner>("n" + std::to_string(++views), w.store, w.now, diary_catalog(), wary());
    o->start(views);
    return o;
  }
  /// What the next command stores, if it is a mark.
  static bool marks(const owner& o) {
    if (!o.asks<commit_fields>()) return false;
    const auto& fields = *std::get<commit_fields>(o.sent.front().operation).fields;
    return fields.size() == 1 && fields[0].first == suspects::field;
  }
  /// Up to the moment at which the handlers would run.
  static void reach_handlers(owner& o) {
    while (!marks(o)) o.execute(std::exchange(o.sent, {}).front());
    auto mark = o.next<commit_fields>();
    o.execute(mark);
  }
};

TEST_F(ShardSuspects, AnOwnerThatTookNothingOverStoresNothingMore) {
  auto a = next_owner();
  a->frame({{"m1"}});
  while (!a->sent.empty()) {
    EXPECT_FALSE(marks(*a));
    a->execute(std::exchange(a->sent, {}).front());
  }
  EXPECT_EQ(a->answers(), "applied");
}

TEST_F(ShardSuspects, AfterAPlannedMoveNobodyIsCareful) {
  auto a = next_owner();
  a->place("n2", 2);
  a->settle();
  auto b = next_owner();
  b->frame({{"m1"}});
  b->settle();
  EXPECT_FALSE(w.store.data().contains(std::string{suspects::field}));
}

TEST_F(ShardSuspects, AMessageThatEndsItsOwnersIsRefusedByTheFourth) {
  auto a = next_owner();
  a->tell({{"m0"}});
  // The first owner ends without a trace, the second with all it was about to handle, the third with this one alone.
  auto b = next_owner();
  b->frame({{"m1"}, {"killer"}, {"m2"}});
  reach_handlers(*b);
  auto c = next_owner();
  EXPECT_TRUE(c->noted(shard_effects::event::suspects));
  c->frame({{"m1"}, {"killer"}, {"m2"}});
  reach_handlers(*c);
  EXPECT_EQ(w.ids(), "m0");
  // It was m1 alone, and that is committed before the next begins.
  auto commit = c->next<commit_fields>();
  c->execute(commit);
  EXPECT_EQ(w.ids(), "m0 m1");
  reach_handlers(*c);
  auto d = next_owner();
  EXPECT_EQ(d->tell({{"m1"}, {"killer"}, {"m2"}}), "duplicate refused:handler_error applied");
  EXPECT_EQ(w.ids(), "m0 m1 m2");
  EXPECT_EQ(d->tell({{"killer"}}), "refused:handler_refused") << "for good: its id is stored";
  std::size_t letters = 0;
  for (const auto& [field, value] : w.store.data())
    if (field.starts_with(std::string{'\0', letter_book::kind})) ++letters;
  EXPECT_EQ(letters, 1U);
}

TEST_F(ShardSuspects, OneThatWasOnlyNearIsHandled) {
  auto a = next_owner();
  auto b = next_owner();
  b->frame({{"m1"}, {"m2"}});
  reach_handlers(*b);
  auto c = next_owner();
  EXPECT_EQ(c->tell({{"m1"}, {"m2"}}), "applied applied");
  auto d = next_owner();
  EXPECT_EQ(d->tell({{"m1"}, {"m3"}}), "duplicate applied");
}

TEST_F(ShardSuspects, WhatArrivesAfterTheMarkWaitsForTheNext) {
  auto a = next_owner();
  auto b = next_owner();
  b->tell({{"m0"}});
  b->frame({{"m1"}}, 1);
  ASSERT_TRUE(marks(*b));
  b->frame({{"m2"}}, 2);
  auto mark = b->next<commit_fields>();
  b->execute(mark);
  auto commit = b->next<commit_fields>();
  EXPECT_EQ(w.ids(), "m0");
  b->execute(commit);
  EXPECT_EQ(w.ids(), "m0 m1");
  EXPECT_TRUE(marks(*b));
  b->settle();
  EXPECT_EQ(w.ids(), "m0 m1 m2");
}

TEST_F(ShardSuspects, AMarkWithoutAnAnswerLeadsToAFreshClaimAndIsStoredAgain) {
  auto a = next_owner();
  auto b = next_owner();
  b->tell({{"m0"}});
  b->frame({{"m1"}});
  ASSERT_TRUE(marks(*b));
  b->answer(b->next<commit_fields>(), store_outcome::unknown);
  b->settle();
  EXPECT_EQ(w.ids(), "m0 m1");
}

TEST_F(ShardSuspects, WithMemoryFullTheMessageIsRefusedAsEver) {
  auto a = next_owner();
  auto b = next_owner();
  b->tell({{"m0"}});
  w.store.memory_full = true;
  EXPECT_EQ(b->tell({{"m1"}}), "busy:store_full");
  w.store.memory_full = false;
  EXPECT_EQ(b->tell({{"m1"}}), "applied");
}

TEST_F(ShardSuspects, AMinuteLaterItIsAsIfNothingHadBeen) {
  auto a = next_owner();
  auto b = next_owner();
  b->tell({{"m0"}});
  EXPECT_FALSE(w.store.data().at(std::string{suspects::field}).empty());
  w.pass(1min);
  b->frame({{"m1"}});
  EXPECT_FALSE(marks(*b));
  b->settle();
  EXPECT_EQ(w.ids(), "m0 m1");
  EXPECT_TRUE(w.store.data().at(std::string{suspects::field}).empty());
}

}  // namespace
}  // namespace pawl::test
