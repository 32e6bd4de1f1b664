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
  std::vector<std::size_t> numbers{open_.begin(), open_.end()};
  send(numbers, true);
  if (dice_.chance(10)) send(numbers, false);
  if (dice_.chance(5)) replay();
  // No answer: the node died, or is slow. Another one then.
  world_.time.after(dice_.between(100ms, 3s), [this, mine] {
    if (mine == attempt_ && !open_.empty()) attempt();
  });
}

void sender::send(const std::vector<std::size_t>& numbers, bool own) {
  auto* node = world_.some_node(dice_);
  if (node == nullptr) return;
  message_builder b;
  for (auto n : numbers) {
    auto i = id(n);
    auto& m = world_.register_message(i, key_, sent_at_[n], dice_);
    b.add(
        {.type = ledger_type, .key = key_, .name = m.name, .id = i, .payload = "\x80", .sent_at = m.sent_at, .seq = 0});
  }
  auto mine = attempt_;
  ++world_.seen.sends;
  node->submit(b.finish(), [this, own, mine, numbers](std::vector<message_result> results) {
    for (std::size_t i = 0; i < results.size(); ++i) world_.on_result(id(numbers[i]), results[i]);
    if (own) on_results(mine, numbers, results);
  });
}

void sender::on_results(std::uint64_t attempt, const std::vector<std::size_t>& numbers,
                        const std::vector<message_result>& results) {
  if (attempt != attempt_) return;  // answered after all, but another attempt is on its way
  bool unresolved = false;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (!pawl::resolved(results[i].kind)) {
      unresolved = true;
    } else if (unresolved) {
      world_.fail("B13", id(numbers[i]) + " was resolved behind an unresolved message of its key");
    } else {
      open_.pop_front();
      ++resolved_;
    }
  }
  ++attempt_;
  if (open_.empty()) {
    world_.time.after(dice_.chance(50) ? span{0} : dice_.between(1ms, 400ms), [this] { next(); });
  } else {
    auto mine = attempt_;
    world_.time.after(dice_.between(1ms, 100ms), [this, mine] {
      if (mine == attempt_) this->attempt();
    });
  }
}

/// A copy that comes out of some buffer, long after its message was acknowledged.
void sender::replay() {
  if (resolved_ == 0) return;
  auto n = dice_.below(resolved_);
  world_.time.after(dice_.between(1ms, replay_max), [this, n] { send({n}, false); });
}

void sender::read() {
  if (auto* node = world_.some_node(dice_)) {
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
