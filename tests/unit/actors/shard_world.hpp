#pragma once

#include "actors/shard.hpp"
#include "tests/unit/actors/diary.hpp"
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

namespace pawl::test {

inline constexpr dataset_id test_dataset{7, 7, 7};
inline constexpr shard_id test_shard{0};

/// A view of the named members that places the one shard on `owner`: only members that are up own shards.
inline std::shared_ptr<const placement> placed_on(const std::string& owner, std::uint64_t number,
                                                  const std::vector<std::string>& others = {}) {
  view v;
  v.number = {number};
  v.members.push_back({{owner, 1}, member_state::up, {}, {}, 0});
  for (const auto& o : others) v.members.push_back({{o, 1}, member_state::draining, {}, {}, 0});
  return std::make_shared<const placement>(std::move(v), 1);
}

/// A member's shard between a test and a store. Commands wait in `sent` until the test has them executed, loses them,
/// or answers them itself; what the shard says is kept.
class owner {
public:
  owner(std::string name, fake_store& store, instant& now, entity_catalog known = diary_catalog(),
        shard_policy policy = {})
      : self{std::move(name), 1},
        catalog(std::move(known)),
        metrics(catalog.types.size()),
        decide(test_shard, policy, test_dataset, catalog, metrics, [this] { return store_.mint(self.node); }),
        store_(store),
        now_(now) {}

  /// Connected, placed here, and all that follows from it done.
  void start(std::uint64_t view = 1, const std::vector<std::string>& others = {}) {
    connect();
    place(self.node, view, others);
    settle();
  }
  void connect() { take(decide.on_connection(++connection_, now_)); }
  void disconnect() {
    take(decide.on_connection(0, now_));
    // The store answers what it can no longer send; the shard must not listen.
    sent.clear();
  }
  void place(const std::string& on, std::uint64_t view, const std::vector<std::string>& others = {}) {
    take_view(placed_on(on, view, others));
  }
  void take_view(std::shared_ptr<const placement> p) { take(decide.on_placement(std::move(p), self, now_)); }
  std::uint64_t frame(std::vector<entry> entries, link_number from = 1, std::uint64_t view = 0) {
    take(decide.on_frame(from, whole_block(test_shard, ++frames_, {view}, block_of(entries)), now_));
    return frames_;
  }
  void receive(link_number from, pawl::frame f) { take(decide.on_frame(from, std::move(f), now_)); }
  std::uint64_t read(std::string key, link_number from = 1, std::string type = "diary") {
    return ask(entity_id{std::move(type), std::move(key)}, from);
  }
  std::uint64_t ask(shard_question about, link_number from = 1) {
    take(decide.on_read(from, {test_shard, ++reads_, std::move(about)}, now_));
    return reads_;
  }
  void link_down(link_number link) { take(decide.on_link_down(link, now_)); }
  void release_notice() { take(decide.on_release_notice(now_)); }
  void hint() { take(decide.on_inbox(now_)); }
  void evict() { take(decide.on_evicted(now_)); }
  void tick() { take(decide.tick(now_)); }

  /// The next command, which must be of this kind; it is not executed.
  template <class Operation>
  shard_command next() {
    if (sent.empty() || !std::holds_alternative<Operation>(sent.front().operation))
      throw std::runtime_error("another command was expected");
    auto c = std::move(sent.front());
    sent.pop_front();
    return c;
  }
  void execute(const shard_command& c) { hear(store_.execute(c)); }
  void hear(shard_answer a) { take(decide.on_answer(std::move(a), now_)); }
  void answer(const shard_command& c, store_outcome outcome, store_error error = store_error::none) {
    shard_answer a;
    a.shard = c.shard;
    a.ticket = c.ticket;
    a.outcome = outcome;
    a.error = error;
    hear(std::move(a));
  }
  /// Has commands executed and answered until there are none.
  void settle() {
    for (int i = 0; !sent.empty(); ++i) {
      if (i == 10'000) throw std::runtime_error("the shard does not come to rest");
      auto c = std::move(sent.front());
      sent.pop_front();
      execute(c);
    }
  }
  template <class Operation>
  [[nodiscard]] bool asks() const {
    return !sent.empty() && std::holds_alternative<Operation>(sent.front().operation);
  }
  /// Results of all frames answered since the last call: "applied duplicate | busy:moved".
  std::string answers() {
    std::string text;
    for (const auto& a : std::exchange(answered, {}))
      text.append(text.empty() ? "" : " | ").append(brief(a.answer.results));
    return text;
  }
  /// Sends the frame, has everything done and returns its results.
  std::string tell(std::vector<entry> entries, link_number from = 1) {
    answered.clear();
    frame(std::move(entries), from);
    settle();
    return answers();
  }
  [[nodiscard]] bool noted(shard_effects::event what) const {
    for (const auto& n : notes)
      if (n.what == what) return true;
    return false;
  }

  member_id self;
  const entity_catalog catalog;
  shard_metrics metrics;
  shard decide;
  std::deque<shard_command> sent;
  std::vector<shard_effects::framed> answered;
  std::vector<shard_effects::read_done> reads;
  std::vector<shard_effects::note> notes;
  std::optional<member_id> told_released;
  std::optional<entry_id> watched;
  view_number wanted_view;
  bool wants_view = false;

private:
  void take(shard_effects e) {
    for (auto& c : e.commands) sent.push_back(std::move(c));
    for (auto& a : e.answers) answered.push_back(std::move(a));
    for (auto& r : e.reads) reads.push_back(std::move(r));
    for (auto& n : e.notes) notes.push_back(std::move(n));
    if (e.tell_released) told_released = e.tell_released;
    if (e.unwatch_inbox) watched.reset();
    if (e.watch_inbox) watched = e.watch_inbox;
    if (e.refresh_view) {
      wants_view = true;
      wanted_view = e.seen_view;
    }
  }

  fake_store& store_;
  instant& now_;
  std::uint64_t connection_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t reads_ = 0;
};

/// A store and a clock, for one or more owners.
struct world {
  fake_store store{test_dataset};
  instant now{steady_time{std::chrono::hours{1}}, 1'000'000};

  void pass(std::chrono::milliseconds t) {
    now.steady += t;
    now.wall += t.count();
  }
  /// What is stored of an entity; nothing if it does not exist.
  std::optional<std::string> blob(const std::string& key, const std::string& type = "diary") {
    auto it = store.data().find(entity_field(type, key));
    return it == store.data().end() ? std::nullopt : std::optional{it->second};
  }
  /// Ids that took effect, as stored: "a b".
  std::string ids(const std::string& key = "k") {
    auto stored = blob(key);
    std::string text;
    if (stored)
      for (const auto& id : stored_diary(*stored).ids) text.append(text.empty() ? "" : " ").append(id);
    return text;
  }
};

/// Two members over one store.
struct two_owners : testing::Test {
  world w;
  owner a{"a", w.store, w.now};
  owner b{"b", w.store, w.now};

  /// `a` owns the shard, has applied m1, and the commit of m2 is its next command.
  void begin() {
    a.start();
    a.tell({{"m1"}});
    a.frame({{"m2"}});
  }
};

}  // namespace pawl::test
