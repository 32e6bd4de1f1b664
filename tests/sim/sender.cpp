#include "tests/sim/sender.hpp"

#include "persistence/codec.hpp"
#include "tests/sim/world.hpp"

#include <algorithm>

namespace pawl::sim {

sender::sender(world& w, std::size_t number, std::string key)
    : world_(w), number_(number), key_(std::move(key)), dice_(w.plan.seed, 500 + number) {}

std::size_t sender::world_messages() const noexcept { return world_.plan.messages; }

std::string sender::id(std::size_t n) const { return std::to_string(number_) + "." + std::to_string(n); }

void sender::start() {
  world_.time.after(dice_.between(1ms, 300ms), [this] { next(); });
  world_.time.after(dice_.between(300ms, 2s), [this] { read(); });
}

void sender::next() {
  if (finished()) return;
  auto count = std::min(static_cast<std::size_t>(dice_.between(1, 4)), world_messages() - resolved_);
  for (std::size_t i = 0; i < count; ++i) {
    open_.push_back(resolved_ + i);
    // An id keeps its date.
    if (sent_at_.size() == resolved_ + i) sent_at_.push_back(world_.time.now().wall);
  }
  attempt();
}

void sender::attempt() {
  auto mine = ++attempt_;
  results_.clear();
  numbers all{open_.begin(), open_.end()};
  if (auto node = world_.some_node(dice_, last_)) {
    last_ = node->place();
    auto take = [this, mine](std::size_t number) {
      return [this, mine, number](const std::vector<message_result>& results) {
        for (std::size_t i = 0; i < results.size(); ++i) on_result(mine, number + i, results[i].kind);
      };
    };
    // Sometimes in two requests, the second before the first is answered: what one node is given keeps its order.
    auto first = all.size() > 1 && dice_.chance(25) ? dice_.between(1, all.size() - 1) : all.size();
    numbers rest{all.begin() + static_cast<std::ptrdiff_t>(first), all.end()};
    send(*node, {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(first)}, take(all.front()));
    if (!rest.empty())
      world_.time.after(dice_.between(0us, 30ms), [this, mine, rest, take, who = std::weak_ptr{node}] {
        auto same = who.lock();
        if (!same || mine != attempt_) return;
        same->deliver([this, mine, rest, take, same] {
          // Behind a message that was given up already nothing would be blocked.
          if (mine == attempt_ && results_.empty()) send(*same, rest, take(rest.front()));
        });
      });
  }
  if (dice_.chance(10)) copy(all);
  if (dice_.chance(5)) replay();
  // No answer: the node died, or is slow. Another one then.
  world_.time.after(dice_.between(100ms, 3s), [this, mine] {
    if (mine == attempt_ && !open_.empty()) attempt();
  });
}

void sender::copy(const numbers& which) {
  if (auto node = world_.some_node(dice_)) send(*node, which, {});
}

void sender::send(process& node, const numbers& which, callback done) {
  message_builder b;
  for (auto n : which) {
    auto i = id(n);
    auto& m = world_.register_message(i, key_, sent_at_[n], dice_);
    b.add(
        {.type = ledger_type, .key = key_, .name = m.name, .id = i, .payload = "\x80", .sent_at = m.sent_at, .seq = 0});
  }
  ++world_.seen.sends;
  node.submit(b.finish(), [this, which, done = std::move(done)](std::vector<message_result> results) {
    for (std::size_t i = 0; i < results.size(); ++i) world_.on_result(id(which[i]), results[i]);
    if (done) done(results);
  });
}

void sender::on_result(std::uint64_t attempt, std::size_t number, result_kind kind) {
  if (attempt != attempt_) return;  // answered after all, but another attempt is on its way
  results_[number] = kind;
  if (results_.size() == open_.size()) conclude();
}

void sender::conclude() {
  bool unresolved = false;
  for (const auto& [number, kind] : results_) {
    if (!pawl::resolved(kind)) {
      unresolved = true;
    } else if (unresolved) {
      world_.fail("B13", id(number) + " was resolved behind an unresolved message of its key");
    } else {
      open_.pop_front();
      ++resolved_;
    }
  }
  ++attempt_;
  if (open_.empty()) {
    last_.reset();
    world_.time.after(dice_.chance(50) ? span{0} : dice_.between(1ms, 400ms), [this] { next(); });
  } else {
    auto mine = attempt_;
    world_.time.after(dice_.between(1ms, 100ms), [this, mine] {
      if (mine == attempt_) attempt();
    });
  }
}

/// A copy that comes out of some buffer, long after its message was acknowledged.
void sender::replay() {
  if (resolved_ == 0) return;
  auto n = dice_.below(resolved_);
  world_.time.after(dice_.between(1ms, replay_max), [this, n] { copy({n}); });
}

void sender::read() {
  if (auto node = world_.some_node(dice_)) {
    auto known = world_.acknowledged(key_);
    ++world_.seen.reads;
    node->read({std::string{ledger_type}, key_}, [this, known, rollbacks = world_.rollbacks](entity_answer a) {
      if (rollbacks == world_.rollbacks) world_.on_read(key_, known, a);
    });
  }
  if (!finished()) world_.time.after(dice_.between(100ms, 2s), [this] { read(); });
}

std::string sender::describe() const {
  return "key " + key_ + ": " + std::to_string(resolved_) + " of " + std::to_string(world_messages()) + " resolved";
}

}  // namespace pawl::sim
