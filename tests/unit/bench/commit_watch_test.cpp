#include "tests/bench/commit_watch.hpp"

#include "actors/entity.hpp"
#include "cluster/shard_map.hpp"

#include <gtest/gtest.h>

namespace {
using namespace pawl;
using bench::commit_watch;

struct Step {
  std::uint64_t number = 0;
  bool refused = false;
  PAWL_MESSAGE(Step, number, refused)
};
struct Walk {
  std::uint64_t last = 0;
  PAWL_STATE(last)
};

entity_type walk() {
  return entity<Walk>("walk").on([](Walk& w, const Step& s, context& ctx) {
    if (s.refused) ctx.refuse("not this one");
    w.last = s.number;
  });
}

struct silent_store : shard_store {
  void send(std::vector<shard_command> commands) override { sent += commands.size(); }
  std::size_t sent = 0;
};

/// One shard of a node, whose store answers when the test says so.
class CommitWatch : public testing::Test {
protected:
  CommitWatch() {
    watch_.attach(store_, 1);
    shard_store_handlers nodes;
    nodes.on_answers = [this](const std::vector<shard_answer>& a) { passed_on_ += a.size(); };
    handlers_ = watch_.before(nodes);
  }

  void handle(std::uint64_t number, bool refused = false) {
    std::string payload;
    encode_msgpack(Step{number, refused}, payload);
    message m;
    m.type = "walk";
    m.key = "w-1";
    m.name = "Step";
    m.id = "i";
    m.payload = payload;
    m.seq = number;
    const auto state = type_->fresh();
    (void)type_->apply(nullptr, *state, m, 0);
  }
  void commit(std::uint64_t ticket) {
    watch_.send({{shard_id{0}, ticket, 1, commit_fields{fencing_token{"t"}, field_list{}}}});
  }
  void answer(std::uint64_t ticket, store_outcome outcome) {
    handlers_.on_answers({{shard_id{0}, ticket, outcome, store_error::none, {}, commit_answer{}}});
  }

  std::vector<commit_watch::tags> told_;
  std::size_t passed_on_ = 0;
  silent_store store_;
  commit_watch watch_{[this](const commit_watch::tags& t, bench::bench_clock::time_point) { told_.push_back(t); }};
  entity_type type_ = watch_.watched(
      walk(), [](const message& m, const handled&) { return m.seq == 0 ? std::nullopt : std::optional{m.seq}; });
  shard_store_handlers handlers_;
};

using tags = std::vector<commit_watch::tags>;

TEST_F(CommitWatch, TellsOfAnEffectWhenItsCommitIsConfirmed) {
  handle(1);
  handle(2);
  commit(10);
  EXPECT_TRUE(told_.empty());
  answer(10, store_outcome::done);
  EXPECT_EQ(told_, (tags{{1, 2}}));
}

TEST_F(CommitWatch, WhatIsHandledWhileACommitIsUnderWayIsOfTheNext) {
  handle(1);
  commit(10);
  handle(2);
  answer(10, store_outcome::done);
  EXPECT_EQ(told_, (tags{{1}}));
  commit(11);
  answer(11, store_outcome::done);
  EXPECT_EQ(told_, (tags{{1}, {2}}));
}

TEST_F(CommitWatch, AnEffectWhoseCommitIsTriedAgainIsToldOnce) {
  handle(1);
  commit(10);
  answer(10, store_outcome::unknown);
  EXPECT_TRUE(told_.empty());
  commit(11);
  answer(11, store_outcome::done);
  EXPECT_EQ(told_, (tags{{1}}));
}

TEST_F(CommitWatch, NotesOnlyWhatIsAppliedAndAskedFor) {
  handle(1, true);
  handle(0);
  commit(10);
  answer(10, store_outcome::done);
  EXPECT_TRUE(told_.empty());
}

TEST_F(CommitWatch, PassesAllOnToStoreAndNode) {
  watch_.send({{shard_id{0}, 1, 1, read_record{}}});
  commit(10);
  EXPECT_EQ(store_.sent, 2u);
  answer(9, store_outcome::unavailable);
  answer(10, store_outcome::done);
  EXPECT_EQ(passed_on_, 2u);
}

}  // namespace
