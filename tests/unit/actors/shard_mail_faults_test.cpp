// Goal: two shards, one of which sends to the other, lose, double and swap nothing, whatever fails between them: frames
// and answers that are lost, late or doubled, outcomes that are not known, owners that change, and former ones that go
// on.
#include "tests/unit/actors/mail.hpp"

#include <algorithm>
#include <random>
#include <set>
#include <tuple>

namespace pawl::test {
namespace {

using namespace std::chrono_literals;

/// Owners of both branches, the present one last, and what is on its way between them.
class faulty_mail {
public:
  explicit faulty_mail(std::uint64_t seed) : random_(seed) {
    new_source();
    new_receiver();
  }

  void run(int rounds, bool source_forgets) {
    for (int i = 0; i < rounds; ++i) {
      event();
      if (source_forgets && chance(100)) remember();
      if (source_forgets && chance(150)) forget();
      check();
    }
    come_to_rest();
    check();
  }

  /// Texts are numbers, in the order in which their messages were made.
  [[nodiscard]] std::vector<int> sent() { return numbers(left.notes(from)); }
  [[nodiscard]] std::vector<int> taken() { return numbers(right.notes(to)); }
  [[nodiscard]] bool stopped() { return sources_.back()->metrics.outbox_stopped.value() > 0; }
  [[nodiscard]] int last() const { return text_; }

  branch left{0}, right{1};

private:
  struct letter {
    std::size_t source;
    frame contents;
  };
  struct wait {
    std::size_t source;
    std::uint64_t number;
    steady_time until;
  };
  struct reply {
    std::size_t source;
    std::uint64_t number;
    std::optional<frame_answer> contents;
  };

  bool chance(unsigned one_in) { return random_() % one_in == 0; }
  template <class T>
  std::size_t any(const T& from_these) {
    return random_() % from_these.size();
  }
  static std::vector<int> numbers(const std::vector<std::string>& texts) {
    std::vector<int> out;
    for (const auto& t : texts) out.push_back(std::stoi(t));
    return out;
  }

  void new_source() {
    sources_.push_back(std::make_unique<clerk>(left, "a" + std::to_string(sources_.size()), now_));
    sources_.back()->start(++views_);
    gather();
  }
  void new_receiver() {
    receivers_.push_back(std::make_unique<clerk>(right, "b" + std::to_string(receivers_.size()), now_));
    receivers_.back()->start(++views_);
    gather();
  }
  /// The sender repeats a message until it is resolved, before it sends the next.
  void send() {
    auto& s = *sources_.back();
    if (resolved_) {
      ++text_;
      asked_.clear();
    }
    resolved_ = false;
    asked_.insert({sources_.size() - 1, s.submit(from, Note{std::to_string(text_), to}, "m" + std::to_string(text_))});
    gather();
  }
  /// Takes what the owners have said out of their hands.
  void gather() {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      auto& s = *sources_[i];
      for (auto& f : s.relayed) {
        waiting_.push_back({i, f.number, now_.steady + 1s});
        frames_.push_back({i, std::move(f)});
      }
      s.relayed.clear();
      for (const auto& a : s.answered)
        if (asked_.contains({i, a.answer.number})) resolved_ = resolved_ || resolved(a.answer.results.at(0).kind);
      s.answered.clear();
    }
    for (auto& r : receivers_) {
      for (auto& a : r->answered)
        answers_.push_back({static_cast<std::size_t>(a.to - first_link), a.answer.number, std::move(a.answer)});
      r->answered.clear();
    }
  }
  void deliver(std::size_t which, clerk& to_whom) {
    const auto& l = frames_[which];
    to_whom.take(to_whom.decide.on_frame(first_link + l.source, l.contents, now_));
    gather();
  }
  void hear(std::size_t which) {
    auto r = std::move(answers_[which]);
    answers_.erase(answers_.begin() + static_cast<std::ptrdiff_t>(which));
    auto& s = *sources_[r.source];
    s.take(s.decide.on_relayed(right.id, r.number, r.contents, now_));
    gather();
  }
  /// As a courier does: of a frame, in time, either an answer is heard or that there is none.
  void give_back_late_ones() {
    for (; !waiting_.empty() && waiting_.front().until <= now_.steady; waiting_.pop_front())
      answers_.push_back({waiting_.front().source, waiting_.front().number, std::nullopt});
  }
  void step(clerk& c) {
    if (c.sent.empty()) return;
    if (chance(12)) c.step_unknown(chance(2));
    else c.step();
    gather();
  }
  void pass(std::chrono::milliseconds t) {
    now_.steady += t;
    now_.wall += t.count();
    give_back_late_ones();
    for (auto* side : {&sources_, &receivers_})
      for (auto& c : *side) c->take(c->decide.tick(now_));
    gather();
  }

  /// It is lost, or arrives, at a former owner sometimes; and may come again.
  void carry_one(std::size_t which) {
    if (!chance(8)) deliver(which, chance(8) ? *receivers_[any(receivers_)] : *receivers_.back());
    if (!chance(4)) frames_.erase(frames_.begin() + static_cast<std::ptrdiff_t>(which));
  }

  void event() {
    switch (random_() % 12) {
    case 0:
    case 1: return send();
    case 2:
    case 3: return step(*sources_.back());
    case 4:
    case 5: return step(*receivers_.back());
    case 6: {  // a former owner goes on
      auto& side = chance(2) ? sources_ : receivers_;
      return step(*side[any(side)]);
    }
    case 7:
    case 8:
      if (frames_.empty()) return;
      return carry_one(any(frames_));
    case 9:
    case 10:
      if (answers_.empty()) return;
      if (const auto i = any(answers_); chance(8)) answers_[i].contents.reset();
      else hear(i);
      return;
    default:
      if (chance(10)) return new_source();
      if (chance(10)) return new_receiver();
      return pass(std::chrono::milliseconds{random_() % 120});
    }
  }

  /// A copy of the source's store, to which it may fall back.
  void remember() { remembered_ = {left.store.record, left.store.hashes}; }
  void forget() {
    if (!remembered_) return;
    std::tie(left.store.record, left.store.hashes) = *remembered_;
    remembered_.reset();
    resolved_ = true;  // acknowledged or not, what was lost is not sent again (rule D31)
    new_source();
  }

  /// Nothing fails any more.
  void come_to_rest() {
    for (int i = 0; i < 400; ++i) {
      if (!resolved_) send();
      for (auto* side : {&sources_, &receivers_}) side->back()->settle();
      gather();
      while (!frames_.empty()) {
        deliver(0, *receivers_.back());
        frames_.erase(frames_.begin());
        receivers_.back()->settle();
        gather();
      }
      while (!answers_.empty()) hear(0);
      pass(50ms);
    }
  }

  void check() {
    const auto got = taken();
    for (std::size_t i = 1; i < got.size(); ++i) ASSERT_LT(got[i - 1], got[i]) << "twice, or out of order";
  }

  static constexpr link_number first_link = 100;
  const std::string from = key_in(0), to = key_in(1);
  std::mt19937_64 random_;
  instant now_{steady_time{std::chrono::hours{1}}, 1'000'000};
  std::vector<std::unique_ptr<clerk>> sources_, receivers_;
  std::vector<letter> frames_;
  std::vector<reply> answers_;
  std::deque<wait> waiting_;
  std::optional<std::pair<claim_record, std::map<fencing_token, fake_store::hash>>> remembered_;
  std::uint64_t views_ = 0;
  int text_ = 0;
  std::set<std::pair<std::size_t, std::uint64_t>> asked_;  ///< frames of this message: of which owner, and its number
  bool resolved_ = true;
};

TEST(ShardMailFaults, EveryMessageTakesEffectOnceAndInOrder) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    faulty_mail m{seed};
    m.run(500, false);
    std::vector<int> all;
    for (int n = 1; n <= m.last(); ++n) all.push_back(n);
    ASSERT_GT(m.last(), 5);
    ASSERT_EQ(m.sent(), all);
    ASSERT_EQ(m.taken(), all);
    ASSERT_EQ(m.left.fields('o'), 0u) << "what was delivered stays stored";
    if (testing::Test::HasFatalFailure()) return;
  }
}

// rule A3: what the source's store has lost may have taken effect; what it has must, once and in order
TEST(ShardMailFaults, ASourceThatFallsBackLosesNothingItStillHas) {
  int stopped = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    faulty_mail m{seed};
    m.run(500, true);
    if (testing::Test::HasFatalFailure()) return;
    if (m.stopped()) {
      ++stopped;
      continue;
    }
    const auto sent = m.sent(), taken = m.taken();
    ASSERT_TRUE(std::includes(taken.begin(), taken.end(), sent.begin(), sent.end()))
        << testing::PrintToString(sent) << " was sent, and taken was " << testing::PrintToString(taken);
  }
  EXPECT_LT(stopped, 30);
}

}  // namespace
}  // namespace pawl::test
