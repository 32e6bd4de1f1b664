#include "tests/sim/inbox_writer.hpp"

#include "tests/sim/world.hpp"

#include <utility>

namespace pawl::sim {

inbox_writer::inbox_writer(world& w, std::size_t number, std::string key)
    : world_(w), number_(number), key_(std::move(key)), dice_(w.plan.seed, 700 + number) {}

void inbox_writer::start() {
  world_.time.after(dice_.between(1ms, 500ms), [this] { next(); });
}

std::string inbox_writer::id(std::size_t n) const { return std::to_string(number_) + "." + std::to_string(n); }

void inbox_writer::add(std::size_t n) {
  const auto& m = world_.register_message(id(n), key_, sent_at_[n], dice_);
  world_.add_to_inbox(key_, {{"type", std::string{ledger_type}},
                             {"key", key_},
                             {"message", m.name},
                             {"id", id(n)},
                             {"sent_at", std::to_string(m.sent_at)}});
}

void inbox_writer::next() {
  const auto later = [this](span t) { world_.time.after(t, [this] { next(); }); };
  if (!world_.redis.up) return later(dice_.between(1ms, 100ms));
  if (added_ == world_.plan.messages) {
    finished_ = true;
    return;
  }
  if (sent_at_.size() == added_) sent_at_.push_back(world_.time.now().wall);
  add(added_);
  if (dice_.chance(15)) return later(dice_.between(1ms, 50ms));  // it was added, but nobody said so
  world_.on_added(id(added_));
  ++added_;
  if (dice_.chance(10)) {
    const auto old = dice_.below(added_);
    world_.time.after(dice_.between(1ms, 1s), [this, old] {
      if (world_.redis.up) add(old);
    });
  }
  later(dice_.chance(50) ? span{0} : dice_.between(1ms, 300ms));
}

std::string inbox_writer::describe() const {
  return "inbox, key " + key_ + ": " + std::to_string(added_) + " of " + std::to_string(world_.plan.messages) +
         " added";
}

}  // namespace pawl::sim
