// A trace goes with its message from the door to all that the message causes, also through changes of owners, and into
// the notes for the log. Without one nothing of it is stored.
#include "actors/trace_context.hpp"
#include "tests/unit/actors/mail.hpp"

namespace pawl::test {
namespace {

using namespace std::chrono_literals;

const std::string header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const std::string trace = parse_traceparent(header);

/// Notes its trace; goes on to the entity `to`, and comes back after so many milliseconds.
struct Follow {
  std::string to;
  std::int64_t ms = 0;
  PAWL_MESSAGE(Follow, to, ms)
};
/// Fails unless the pad has notes by then.
struct Fail {
  PAWL_MESSAGE(Fail)
};

entity_catalog tracing_catalog() {
  return {{entity<Pad>("pad")
               .retain(1h)
               .on([](Pad& p, const Follow& m, context& ctx) {
                 p.notes.push_back(ctx.traceparent());
                 if (!m.to.empty()) ctx.send("pad", m.to, Follow{});
                 if (m.ms > 0) ctx.schedule("back", std::chrono::milliseconds{m.ms}, Follow{});
               })
               .on([](Pad& p, const Fail&, context& ctx) {
                 if (p.notes.empty()) throw std::runtime_error("no notes");
                 p.notes.push_back(ctx.traceparent());
               })
               .on([](Pad&, const Nuisance&, context& ctx) { ctx.refuse("not that"); })},
          message_digester{{1, 2, 3}},
          1024 * 1024,
          2};
}

struct ShardTraces : mail {
  void SetUp() override {
    source = std::make_unique<clerk>(left, "a", now, tracing_catalog());
    receiver = std::make_unique<clerk>(right, "b", now, tracing_catalog());
    mail::SetUp();
  }
  template <class M>
  std::string tell(const M& m, const std::string& id, std::string_view with = trace) {
    message_builder b;
    const auto payload = bytes_of(m);
    b.add({.type = "pad",
           .key = from,
           .name = M::pawl_message_name(),
           .id = id,
           .payload = payload,
           .sent_at = now.wall,
           .trace = with});
    source->take(source->decide.on_frame(1, whole_block(left.id, ++frames_, {}, b.finish()), now));
    source->settle();
    return source->last_answer();
  }
  void next_source() {
    source = std::make_unique<clerk>(left, "c", now, tracing_catalog());
    source->start(9);
  }
  std::string stored(char kind) {
    const auto it = left.store.data().find(slot_field(kind, 0));
    return it == left.store.data().end() ? "" : it->second;
  }
  std::vector<shard_effects::note> notes_of(shard_effects::event what) {
    std::vector<shard_effects::note> out;
    for (const auto& n : source->notes)
      if (n.what == what) out.push_back(n);
    return out;
  }
  read_answer ask(const shard_question& about) {
    source->reads.clear();
    source->take(source->decide.on_read(1, {left.id, 1, about}, now));
    source->settle();
    return source->reads.at(0).answer;
  }

private:
  std::uint64_t frames_ = 500;
};

TEST_F(ShardTraces, AHandlerSeesItAndWhoeverItSendsTo) {
  EXPECT_EQ(tell(Follow{to, 0}, "m1"), "applied");
  exchange();
  EXPECT_EQ(left.notes(from), (notes{header}));
  EXPECT_EQ(right.notes(to), (notes{header}));
}

TEST_F(ShardTraces, WhatASuccessorSendsAndFiresHasItToo) {
  tell(Follow{to, 1'000}, "m1");
  next_source();
  exchange();
  EXPECT_EQ(right.notes(to), (notes{header}));
  pass(1'500ms);
  source->tick();
  EXPECT_EQ(left.notes(from), (notes{header, header}));
}

// What is stored then is what was stored before there were traces.
TEST_F(ShardTraces, WithoutOneNothingOfItIsStored) {
  tell(Follow{to, 1'000}, "m1", {});
  EXPECT_EQ(left.notes(from), (notes{""}));
  EXPECT_EQ(stored(outbox::record_kind).at(0), 1);
  EXPECT_EQ(stored(timer_book::kind).at(0), 1);
  tell(Follow{to, 1'000}, "m2");
  EXPECT_EQ(stored(timer_book::kind).at(0), 2);
  const auto size = stored(timer_book::kind).size();
  tell(Follow{to, 1'000}, "m3", {});
  EXPECT_EQ(stored(timer_book::kind).size(), size - limits::trace_bytes - 1);
}

// It is how the message came, not what it says.
TEST_F(ShardTraces, ARepetitionWithAnotherOneIsARepetition) {
  tell(Follow{}, "m1");
  EXPECT_EQ(tell(Follow{}, "m1", {}), "duplicate");
  EXPECT_EQ(tell(Follow{}, "m1", parse_traceparent("00-11111111111111111111111111111111-2222222222222222-00")),
            "duplicate");
}

TEST_F(ShardTraces, ADeadLetterKeepsItAndItsReplayHasIt) {
  EXPECT_EQ(tell(Fail{}, "m1"), "refused:handler_error");
  const auto letters = ask(letter_query{}).letters.letters;
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0].letter.trace, trace);
  tell(Follow{}, "m2", {});
  next_source();
  ask(letter_action{letters[0].number, letters[0].letter.at, letter_action::kind::replay});
  EXPECT_EQ(left.notes(from), (notes{"", header}));
}

TEST_F(ShardTraces, ANoteForTheLogNamesIt) {
  tell(Fail{}, "m1");
  const auto buried = notes_of(shard_effects::event::buried);
  ASSERT_EQ(buried.size(), 1u);
  EXPECT_EQ(buried[0].text, "Fail of pad");
  EXPECT_EQ(buried[0].code, reason_code::handler_error);
  EXPECT_EQ(buried[0].count, 1u);
  EXPECT_EQ(buried[0].trace, trace);
  tell(Nuisance{}, "m2");
  const auto refused = notes_of(shard_effects::event::refused);
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].code, reason_code::handler_refused);
  EXPECT_EQ(refused[0].trace, trace);
  tell(Nuisance{}, "m3", {});  // its sender knows, and nobody looks for it
  EXPECT_EQ(notes_of(shard_effects::event::refused).size(), 1u);
}

TEST_F(ShardTraces, MessagesThatFailAllTheTimeDoNotFillTheLog) {
  for (int i = 0; i < 50; ++i) {
    tell(Fail{}, "m" + std::to_string(i), {});
    pass(10ms);
  }
  EXPECT_EQ(notes_of(shard_effects::event::buried).size(), 1u);
  pass(1'000ms);
  tell(Fail{}, "last");
  const auto buried = notes_of(shard_effects::event::buried);
  ASSERT_EQ(buried.size(), 2u);
  EXPECT_EQ(buried[1].count, 50u);
}

}  // namespace
}  // namespace pawl::test
