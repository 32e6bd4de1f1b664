#include "tests/bench/door_messages.hpp"

#include "tests/bench/workload.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <stdexcept>

namespace pawl::bench {
namespace {

constexpr std::size_t batch_most = 256;
constexpr std::size_t reads_most = 512;

/// What was not answered `applied`.
class complaints {
public:
  /// Returns how many of these it takes down.
  std::size_t hear(const std::vector<message_result>& results) {
    std::size_t more = 0;
    for (const auto& r : results) {
      if (r.kind == result_kind::applied) continue;
      ++more;
      const std::lock_guard lock{mutex_};
      if (count_++ == 0) first_ = std::string{to_string(r.kind)} + ", " + r.reason;
    }
    return more;
  }
  [[nodiscard]] bool any() const {
    const std::lock_guard lock{mutex_};
    return count_ != 0;
  }
  void raise_if_any() const {
    const std::lock_guard lock{mutex_};
    if (count_ != 0)
      throw std::runtime_error(std::to_string(count_) +
                               " messages did not take effect; the first was answered: " + first_);
  }

private:
  mutable std::mutex mutex_;
  std::size_t count_ = 0;
  std::string first_;
};

std::shared_ptr<const message_block> block_of(std::size_t at, std::size_t n, unix_ms stamp,
                                              const std::function<outgoing(std::size_t)>& message_of) {
  message_builder batch;
  for (auto i = at; i < at + n; ++i) {
    const auto out = message_of(i);
    message m;
    m.type = out.type;
    m.key = out.key;
    m.name = out.name;
    m.id = out.id;
    m.payload = out.payload;
    m.sent_at = stamp;
    batch.add(m);
  }
  return batch.finish();
}

}  // namespace

void hand_in(ingress& door, std::size_t n, flow& under_way, leaves when,
             const std::function<outgoing(std::size_t)>& message_of, const std::function<void(std::size_t)>& entered) {
  const auto stamp = wall_now();
  complaints wrong;
  flow answers{std::max<std::size_t>(n, 1)};
  // After the first complaint nothing more is sent: it would only hide what went wrong.
  for (std::size_t at = 0; at < n && !wrong.any();) {
    const auto size = std::min(batch_most, n - at);
    auto batch = block_of(at, size, stamp, message_of);
    under_way.enter(size);
    answers.enter(size);
    if (entered)
      for (auto i = at; i < at + size; ++i) entered(i);
    door.submit(std::move(batch), [&, when, size](const std::vector<message_result>& results) {
      const auto without_effect = wrong.hear(results);
      under_way.leave(when == leaves::answered ? size : without_effect);
      answers.leave(size);
    });
    at += size;
  }
  answers.wait_empty();
  wrong.raise_if_any();
}

void check_entities(ingress& door, const std::string& type, std::size_t n,
                    const std::function<std::string(std::size_t)>& key_of,
                    const std::function<bool(std::size_t, const entity_answer&)>& right) {
  std::atomic<std::size_t> wrong{0};
  flow reads{reads_most};
  for (std::size_t i = 0; i < n; ++i) {
    reads.enter(1);
    door.read({type, key_of(i)}, [&, i](const entity_answer& a) {
      if (a.kind == entity_answer::status::unavailable || !right(i, a)) ++wrong;
      reads.leave(1);
    });
  }
  reads.wait_empty();
  if (wrong != 0)
    throw std::runtime_error(std::to_string(wrong.load()) + " of " + std::to_string(n) + " entities of type " + type +
                             " are not what each message applied once makes of them");
}

}  // namespace pawl::bench
