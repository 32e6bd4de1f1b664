#include "tests/sim/numbered_sender.hpp"

#include "tests/sim/world.hpp"

#include <algorithm>
#include <utility>

namespace pawl::sim {
namespace {

constexpr std::size_t window = 6;  ///< the highest number is at most so far ahead of the lowest that is not resolved
/// After a rollback a number that was taken may be gone, and its sender told so by nobody.
constexpr std::uint64_t patience_after_rollback = 100;

}  // namespace

numbered_sender::numbered_sender(world& w, std::size_t number, std::string key)
    : world_(w), key_(std::move(key)), dice_(w.plan.seed, 800 + number), resolved_(w.plan.messages, false) {
  for (std::size_t n = 0; n < resolved_.size(); ++n)
    if (w.plan.numbers.on_gap != gap::wait && dice_.chance(10)) {
      never_.push_back(n);
      resolved_[n] = true;
    }
}

void numbered_sender::start() {
  world_.time.after(dice_.between(1ms, 400ms), [this] { next(); });
}

bool numbered_sender::finished() const noexcept {
  return std::all_of(resolved_.begin(), resolved_.end(), [](bool r) { return r; }) ||
         (rollbacks_ != 0 && in_vain_ > patience_after_rollback);
}

std::vector<std::size_t> numbered_sender::open() const {
  std::vector<std::size_t> out;
  for (std::size_t n = 0; n < resolved_.size(); ++n) {
    if (resolved_[n]) continue;
    if (!out.empty() && n - out.front() >= window) break;
    out.push_back(n);
  }
  return out;
}

void numbered_sender::next() {
  if (rollbacks_ != world_.rollbacks) {
    rollbacks_ = world_.rollbacks;
    in_vain_ = 0;
    for (std::size_t n = 0; n < resolved_.size(); ++n)
      resolved_[n] = std::find(never_.begin(), never_.end(), n) != never_.end();
  }
  if (finished()) return;
  auto left = open();
  for (auto i = left.size(); i > 1; --i) std::swap(left[i - 1], left[dice_.below(i)]);
  left.resize(dice_.between(1, left.size()));
  ++in_vain_;
  send(left);
  // Sometimes the next are on their way before these are resolved.
  world_.time.after(dice_.chance(30) ? dice_.between(0us, 5ms) : dice_.between(10ms, 250ms), [this] { next(); });
}

void numbered_sender::send(const std::vector<std::size_t>& which) {
  const auto node = world_.some_node(dice_, last_node_);
  if (!node) return;
  last_node_ = node->place();
  message_builder b;
  for (auto n : which) {
    const auto& m = world_.register_numbered(key_, n + 1, dice_);
    if (sent_at_.size() <= n) sent_at_.resize(n + 1, 0);
    if (sent_at_[n] == 0) sent_at_[n] = world_.time.now().wall;  // an id keeps its date
    b.add({.type = journal_type,
           .key = key_,
           .name = m.name,
           .id = m.id,
           .payload = "\x80",
           .sent_at = sent_at_[n],
           .seq = n + 1});
  }
  ++world_.seen.sends;
  node->submit(b.finish(), [this, which, before = world_.rollbacks](const std::vector<message_result>& results) {
    for (std::size_t i = 0; i < results.size(); ++i) {
      world_.on_numbered_result(key_, which[i] + 1, results[i]);
      if (!pawl::resolved(results[i].kind) || before != world_.rollbacks) continue;
      // A copy once each: one of a copy of a copy could be on its way when the run ends.
      if (resolved_[which[i]]) continue;
      in_vain_ = 0;
      resolved_[which[i]] = true;
      if (dice_.chance(20)) world_.time.after(dice_.between(1ms, 2s), [this, n = which[i]] { send({n}); });
    }
  });
}

std::string numbered_sender::describe() const {
  std::string text = "journal " + key_ + ": not resolved";
  for (std::size_t n = 0; n < resolved_.size(); ++n)
    if (!resolved_[n]) text += " " + std::to_string(n + 1);
  return text;
}

}  // namespace pawl::sim
