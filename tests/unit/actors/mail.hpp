#pragma once

#include "actors/entity.hpp"
#include "actors/shard.hpp"
#include "cluster/shard_map.hpp"
#include "persistence/state_blob.hpp"
#include "tests/unit/actors/fake_store.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// Two shards that send each other messages. A test decides what becomes of each frame and of each command to the store.

namespace pawl::test {

/// Notes its text, and sends it on to the entity `to`, if one is named.
struct Note {
  std::string text;
  std::string to;
  PAWL_MESSAGE(Note, text, to)
};
/// What its receiver refuses.
struct Nuisance {
  PAWL_MESSAGE(Nuisance)
};
/// Sends a Nuisance, then a Note.
struct Annoy {
  std::string to;
  PAWL_MESSAGE(Annoy, to)
};
/// Notes `text` after so many milliseconds; 0: not at all.
struct Later {
  std::string timer;
  std::int64_t ms = 0;
  std::string text;
  PAWL_MESSAGE(Later, timer, ms, text)
};
/// Replies how much is noted.
struct Count {
  PAWL_MESSAGE(Count)
};
struct Total {
  std::uint64_t notes = 0;
  PAWL_FIELDS(notes)
};
/// Sends so many Notes.
struct Flood {
  std::string to;
  std::uint64_t notes = 0;
  PAWL_MESSAGE(Flood, to, notes)
};
struct Forget {
  PAWL_MESSAGE(Forget)
};
struct Pad {
  std::vector<std::string> notes;
  PAWL_STATE(notes)
};

/// `knows`: false for a node of before an upgrade, which has no Note.
inline entity_catalog mail_catalog(bool knows = true) {
  auto pad = entity<Pad>("pad")
                 .retain(std::chrono::hours{1})
                 .on([](Pad&, const Nuisance&, context& ctx) { ctx.refuse("not that"); })
                 .on([](Pad& p, const Annoy& m, context& ctx) {
                   p.notes.emplace_back("annoys");
                   ctx.send("pad", m.to, Nuisance{});
                   ctx.send("pad", m.to, Note{"after", ""});
                 })
                 .on([](Pad& p, const Later& m, context& ctx) {
                   p.notes.push_back("set " + m.timer);
                   if (m.ms == 0) ctx.cancel(m.timer);
                   else ctx.schedule(m.timer, std::chrono::milliseconds{m.ms}, Note{m.text, ""});
                 })
                 .on([](Pad&, const Flood& m, context& ctx) {
                   for (std::uint64_t n = 0; n < m.notes; ++n) ctx.send("pad", m.to, Note{"", ""});
                 })
                 .on([](Pad& p, const Count&, context& ctx) {
                   p.notes.emplace_back("counted");
                   ctx.reply(Total{p.notes.size()});
                 })
                 .on([](Pad& p, const Forget&, context& ctx) {
                   p.notes.clear();
                   ctx.erase();
                 });
  auto note = [](Pad& p, const Note& m, context& ctx) {
    if (m.text == "throw") throw std::runtime_error("thrown");
    p.notes.push_back(m.text);
    if (!m.to.empty()) ctx.send("pad", m.to, Note{m.text, ""});
  };
  entity_type type = knows ? entity_type{std::move(pad).on(note)} : entity_type{std::move(pad)};
  // Of the free-form messages to it no ids are kept.
  auto log = entity<Pad>("log").idempotent().on([](Pad& p, const Note& m, context&) { p.notes.push_back(m.text); });
  return {{std::move(type), std::move(log)}, message_digester{{1, 2, 3}}, 1024 * 1024, 2};
}

/// "applied", or "busy:moved" with the reason's code, for each.
inline std::string brief(const std::vector<message_result>& results) {
  std::string text;
  for (const auto& r : results) {
    text.append(text.empty() ? "" : " ").append(to_string(r.kind));
    if (r.code != reason_code::none) text.append(":").append(to_string(r.code));
  }
  return text;
}

/// A key of this shard, of two.
inline std::string key_in(std::uint32_t shard, int which = 0) {
  for (int n = 0;; ++n)
    if (auto key = "k" + std::to_string(n); shard_of(key, 2).value == shard && which-- == 0) return key;
}

template <class M>
std::string bytes_of(const M& m) {
  std::string out;
  encode_msgpack(m, out);
  return out;
}

inline constexpr dataset_id mail_dataset{7, 7, 7};

/// Where one shard is stored. Owners come and go.
struct branch {
  explicit branch(std::uint32_t number) : id{number} {}
  shard_id id;
  fake_store store{mail_dataset};

  [[nodiscard]] std::vector<std::string> notes(const std::string& key, const std::string& type = "pad") {
    auto it = store.data().find(entity_field(type, key));
    if (it == store.data().end()) return {};
    std::string error;
    Pad p;
    auto blob = decode_state_blob(it->second, error);
    if (!blob) throw std::runtime_error(error);
    if (!blob->state.empty() && !decode_msgpack(blob->state, p, error)) throw std::runtime_error(error);
    return p.notes;
  }
  [[nodiscard]] std::size_t fields(char kind) {
    std::size_t n = 0;
    for (const auto& [name, value] : store.data()) n += name.size() > 1 && name[0] == '\0' && name[1] == kind ? 1 : 0;
    return n;
  }
};

/// One member's shard.
class clerk {
public:
  clerk(branch& at, std::string name, instant& now, entity_catalog known = mail_catalog())
      : self{std::move(name), 1},
        catalog(std::move(known)),
        metrics(catalog.types.size()),
        decide(at.id, policy(), mail_dataset, catalog, metrics, [this] { return at_.store.mint(self.node); }),
        at_(at),
        now_(now) {}

  void start(std::uint64_t number = 1) {
    take(decide.on_connection(++connection_, now_));
    place_on(self.node, number);
    settle();
  }
  /// A view in which this node alone is up.
  void place_on(const std::string& node, std::uint64_t number) {
    view v;
    v.number = {number};
    v.members.push_back({{node, 1}, member_state::up, {}, {}, 0});
    take(decide.on_placement(std::make_shared<const placement>(std::move(v), 2), self, now_));
  }
  template <class M>
  std::string tell(const std::string& key, const M& m, const std::string& id) {
    submit(key, m, id);
    settle();
    return last_answer();
  }
  /// Number of the frame, by which its answer is known.
  template <class M>
  std::uint64_t submit(const std::string& key, const M& m, const std::string& id, link_number link = 1,
                       const std::string& type = "pad") {
    message_builder b;
    const auto payload = bytes_of(m);
    b.add(
        {.type = type, .key = key, .name = M::pawl_message_name(), .id = id, .payload = payload, .sent_at = now_.wall});
    take(decide.on_frame(link, whole_block(at_.id, ++frames_, {}, b.finish()), now_));
    return frames_;
  }
  /// "applied", or with the reason's code.
  std::string last_answer() { return answered.empty() ? "nothing" : brief(answered.back().answer.results); }
  std::optional<std::uint64_t> last_reply() {
    if (answered.empty() || !answered.back().answer.results.back().reply) return std::nullopt;
    std::string error;
    Total t;
    if (!decode_msgpack(*answered.back().answer.results.back().reply, t, error)) throw std::runtime_error(error);
    return t.notes;
  }
  void settle() {
    for (int i = 0; !sent.empty(); ++i) {
      if (i == 10'000) throw std::runtime_error("the shard does not come to rest");
      step();
    }
  }
  /// Executes the next command, and hears its answer unless it is lost.
  void step(bool answer = true) {
    auto c = std::move(sent.front());
    sent.pop_front();
    auto a = at_.store.execute(c);
    if (answer) take(decide.on_answer(std::move(a), now_));
  }
  /// The next command is executed, or not, and its outcome is not known.
  void step_unknown(bool executed) {
    auto c = std::move(sent.front());
    sent.pop_front();
    if (executed) (void)at_.store.execute(c);
    shard_answer a;
    a.shard = c.shard;
    a.ticket = c.ticket;
    a.outcome = store_outcome::unknown;
    take(decide.on_answer(std::move(a), now_));
  }
  void tick() {
    take(decide.tick(now_));
    settle();
  }
  void take(shard_effects e) {
    for (auto& c : e.commands) sent.push_back(std::move(c));
    for (auto& a : e.answers) answered.push_back(std::move(a));
    for (auto& f : e.relayed) relayed.push_back(std::move(f));
    for (auto& n : e.notes) notes.push_back(std::move(n));
    for (auto& r : e.reads) reads.push_back(std::move(r));
  }
  [[nodiscard]] bool noted(shard_effects::event what) const {
    for (const auto& n : notes)
      if (n.what == what) return true;
    return false;
  }

  static shard_policy policy() {
    shard_policy p;
    p.tidy_after = std::chrono::milliseconds{100};
    return p;
  }

  member_id self;
  const entity_catalog catalog;
  shard_metrics metrics;
  shard decide;
  std::deque<shard_command> sent;
  std::deque<frame> relayed;
  std::vector<shard_effects::framed> answered;
  std::vector<shard_effects::note> notes;
  std::vector<shard_effects::read_done> reads;

private:
  branch& at_;
  instant& now_;
  std::uint64_t connection_ = 0;
  std::uint64_t frames_ = 0;
};

/// Two branches, with an owner each.
struct mail : testing::Test {
  instant now{steady_time{std::chrono::hours{1}}, 1'000'000};
  branch left{0}, right{1};
  std::unique_ptr<clerk> source = std::make_unique<clerk>(left, "a", now);
  std::unique_ptr<clerk> receiver = std::make_unique<clerk>(right, "b", now);
  const std::string from = key_in(0), to = key_in(1);

  void SetUp() override {
    source->start();
    receiver->start();
  }
  void pass(std::chrono::milliseconds t) {
    now.steady += t;
    now.wall += t.count();
  }
  /// Another member takes over, knowing only what is stored.
  void replace_source() {
    source = std::make_unique<clerk>(left, "a" + std::to_string(++replaced_), now);
    source->start(static_cast<std::uint64_t>(1 + replaced_));
  }
  void replace_receiver(bool knows = true) {
    receiver = std::make_unique<clerk>(right, "b" + std::to_string(++replaced_), now, mail_catalog(knows));
    receiver->start(static_cast<std::uint64_t>(1 + replaced_));
  }
  /// The receiver gets the frame; its answer.
  std::optional<frame_answer> deliver(frame f) {
    constexpr link_number link = 40;
    const auto before = receiver->answered.size();
    const auto number = f.number;
    receiver->take(receiver->decide.on_frame(link, std::move(f), now));
    receiver->settle();
    for (auto i = before; i < receiver->answered.size(); ++i)
      if (receiver->answered[i].to == link && receiver->answered[i].answer.number == number)
        return receiver->answered[i].answer;
    return std::nullopt;
  }
  void answer(std::uint64_t number, const std::optional<frame_answer>& a) {
    source->take(source->decide.on_relayed(right.id, number, a, now));
    source->settle();
  }
  /// Carries frames to and fro until there are none.
  void exchange() {
    for (int i = 0; !source->relayed.empty(); ++i) {
      if (i == 1'000) throw std::runtime_error("the relay does not come to rest");
      auto f = std::move(source->relayed.front());
      source->relayed.pop_front();
      const auto number = f.number;
      answer(number, deliver(std::move(f)));
    }
  }
  /// As `exchange`, and lets time pass for frames that wait to be sent again.
  void exchange_for(std::chrono::milliseconds t) {
    constexpr std::chrono::milliseconds step{50};
    for (exchange(); t > step; t -= step) {
      pass(step);
      source->tick();
      exchange();
    }
  }
  using notes = std::vector<std::string>;

private:
  int replaced_ = 0;
};

}  // namespace pawl::test
