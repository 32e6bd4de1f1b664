#include "tests/cluster/order_load.hpp"

#include "tests/cluster/seed.hpp"
#include "tests/cluster/until.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <stdexcept>
#include <utility>

namespace pawl::testing {
namespace {

using namespace std::chrono_literals;

/// Leaves the nodes, Redis and the test some air on two cores.
constexpr auto between_requests = 25ms;
/// Before what was not resolved is sent again.
constexpr auto back_off = 20ms;
/// A node that is stopped takes requests and does not answer: a sender that waited for it would not show whether the
/// others go on.
constexpr auto request_patience = 3s;

/// One thread's connections to all nodes.
class connections {
public:
  connections(const test_cluster& cluster, unsigned lot) : cluster_(cluster) {
    std::seed_seq both{seed(), lot};
    dice_.seed(both);
  }

  /// A node by lot, and not this one if there is another.
  [[nodiscard]] door pick(const std::string& not_this) {
    auto doors = cluster_.doors();
    if (doors.size() > 1) std::erase_if(doors, [&](const door& d) { return d.node == not_this; });
    return doors.at(dice_() % doors.size());
  }

  [[nodiscard]] post_answer post(const door& to, const std::string& lines) {
    return clients_.try_emplace(to.port, to.port, request_patience).first->second.post_batch(lines);
  }

  [[nodiscard]] std::mt19937& dice() noexcept { return dice_; }

private:
  const test_cluster& cluster_;
  std::mt19937 dice_;
  std::map<std::uint16_t, node_client> clients_;
};

/// True if there is an answer for each message. No answer, or "not now" for the whole request, is none.
bool answered(const post_answer& a) { return a.status == 200; }

bool turned_away(const post_answer& a) {
  return a.status != 200 && a.status != 0 && a.status != 429 && a.status != 503;
}

}  // namespace

order_load::order_load(test_cluster& cluster, shape s) : cluster_(cluster), shape_(s), orders_(s.orders) {
  for (std::size_t i = 0; i < orders_.size(); ++i) {
    orders_[i].key = "order-" + std::to_string(i);
    ready_.push_back(&orders_[i]);
  }
  for (unsigned i = 0; i < s.senders; ++i) senders_.emplace_back([this, i] { send(i + 1); });
  repeater_ = std::thread{[this] { repeat(0); }};
}

order_load::~order_load() { stop(); }

void order_load::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
    changed_.notify_all();
  }
  for (auto& t : senders_) t.join();
  senders_.clear();
  if (repeater_.joinable()) repeater_.join();
}

void order_load::send(unsigned lot) {
  connections nodes{cluster_, lot};
  auto next = std::chrono::steady_clock::now();
  for (auto mine = take(nodes.dice()); !mine.empty(); mine = take(nodes.dice())) {
    door through;
    for (auto events = open_events(mine); !events.empty(); events = open_events(mine)) {
      std::this_thread::sleep_until(next);
      through = nodes.pick(through.node);
      make_copies(mine, through.node, nodes.dice());
      std::string lines;
      for (const auto& e : events) lines.append(e.json).append("\n");
      settle(mine, events, nodes.post(through, lines));
      next = std::chrono::steady_clock::now() + back_off;
    }
    put_back(mine);
    next = std::chrono::steady_clock::now() + between_requests;
  }
}

/// Takes some orders and makes new events of theirs; nothing when it is time to end.
order_load::orders_taken order_load::take(std::mt19937& dice) {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return stopped_ || finishing_ || !ready_.empty(); });
  orders_taken out;
  if (stopped_ || finishing_) return out;
  while (!ready_.empty() && out.size() < shape_.orders_per_request) {
    ready_.front()->made += 1 + dice() % 3;
    out.push_back(ready_.front());
    ready_.pop_front();
  }
  return out;
}

void order_load::put_back(const orders_taken& orders) {
  const std::lock_guard lock{mutex_};
  ready_.insert(ready_.end(), orders.begin(), orders.end());
  changed_.notify_all();
}

/// Nothing either once the load has been stopped.
std::vector<order_event> order_load::open_events(const orders_taken& orders) const {
  const std::lock_guard lock{mutex_};
  std::vector<order_event> out;
  if (stopped_) return out;
  for (const auto* o : orders)
    for (auto number = o->resolved + 1; number <= o->made; ++number) out.push_back(event_of(o->key, number));
  return out;
}

void order_load::settle(const orders_taken& orders, const std::vector<order_event>& events, const post_answer& answer) {
  if (turned_away(answer)) return fail("a request was turned away: " + answer.body);
  const std::lock_guard lock{mutex_};
  tally_.sent += events.size();
  if (!answered(answer)) {
    tally_.unanswered += events.size();
    changed_.notify_all();
    return;
  }
  if (answer.messages.size() != events.size()) {
    failure_ = "not one answer for each message: " + answer.body;
    return;
  }
  std::size_t at = 0;
  for (auto* o : orders) {
    std::uint64_t done = 0;
    bool waits = false;
    for (auto number = o->resolved + 1; number <= o->made; ++number, ++at) {
      const auto& a = answer.messages[at];
      if (a.id != events[at].id) failure_ = "the answer to " + events[at].id + " names " + a.id;
      if (a.result == "refused") failure_ = events[at].id + " was refused: " + a.reason;
      if (waits && a.resolved()) failure_ = events[at].id + " was resolved before an earlier event: " + answer.body;
      waits = waits || !a.resolved();
      (a.resolved() ? done : a.result == "unknown" ? tally_.unknown : tally_.not_now) += 1;
      tally_.duplicates += a.result == "duplicate" ? 1 : 0;
    }
    o->resolved += done;
    tally_.resolved += done;
  }
  changed_.notify_all();
}

/// One event in ten: the first open one of an order, which may go out at any time, or one that is done already.
void order_load::make_copies(const orders_taken& orders, const std::string& node, std::mt19937& dice) {
  const std::lock_guard lock{mutex_};
  for (const auto* o : orders) {
    if (dice() % 10 != 0 || o->resolved == o->made) continue;
    const bool late = o->resolved != 0 && dice() % 2 == 0;
    copies_.push_back({event_of(o->key, late ? 1 + dice() % o->resolved : o->resolved + 1), late, node});
  }
  changed_.notify_all();
}

void order_load::repeat(unsigned lot) {
  connections nodes{cluster_, lot};
  for (;;) {
    std::vector<copy> mine;
    {
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [this] { return stopped_ || senders_done_ || !copies_.empty(); });
      if (stopped_ || copies_.empty()) return;
      mine.swap(copies_);
    }
    std::string lines;
    for (const auto& c : mine) lines.append(c.event.json).append("\n");
    settle_copies(mine, nodes.post(nodes.pick(mine.front().not_through), lines));
  }
}

/// Copies are not sent again: whoever sends the event itself takes care of it.
void order_load::settle_copies(const std::vector<copy>& copies, const post_answer& answer) {
  if (turned_away(answer)) return fail("a request was turned away: " + answer.body);
  {
    const std::lock_guard lock{mutex_};
    tally_.sent += copies.size();
  }
  if (!answered(answer)) return;
  if (answer.messages.size() != copies.size()) return fail("not one answer for each copy: " + answer.body);
  for (std::size_t i = 0; i < copies.size(); ++i) {
    const auto& result = answer.messages[i].result;
    if (result == "refused") fail("a copy of " + copies[i].event.id + " was refused: " + answer.messages[i].reason);
    if (result == "applied" && copies[i].late) fail(copies[i].event.id + " took effect twice");
    const std::lock_guard lock{mutex_};
    tally_.duplicates += result == "duplicate" ? 1 : 0;
  }
}

void order_load::fail(const std::string& why) {
  const std::lock_guard lock{mutex_};
  failure_ = why;
  changed_.notify_all();
}

/// @param condition is called with the lock held
void order_load::await(const std::string& what, const std::function<bool()>& condition) {
  std::unique_lock lock{mutex_};
  const auto done = changed_.wait_for(lock, 2 * patience, [&] { return !failure_.empty() || condition(); });
  if (!failure_.empty()) throw std::runtime_error("the load: " + failure_);
  if (!done) gave_up(what + "; " + std::to_string(tally_.resolved) + " events are resolved", 2 * patience);
}

void order_load::every_order_moves_on() {
  std::vector<std::uint64_t> before;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& o : orders_) before.push_back(o.made);
  }
  await("every order has got a further event", [&] {
    return std::equal(orders_.begin(), orders_.end(), before.begin(),
                      [](const order& o, std::uint64_t made) { return o.resolved > made; });
  });
}

void order_load::reaches(std::uint64_t events) {
  await(std::to_string(events) + " events are resolved", [&] { return tally_.resolved >= events; });
}

verdict order_load::finish_and_check() {
  {
    const std::lock_guard lock{mutex_};
    finishing_ = true;
    changed_.notify_all();
  }
  await("all events are resolved",
        [this] { return std::ranges::all_of(orders_, [](const order& o) { return o.resolved == o.made; }); });
  for (auto& t : senders_) t.join();
  senders_.clear();
  {
    const std::lock_guard lock{mutex_};
    senders_done_ = true;
    changed_.notify_all();
  }
  repeater_.join();
  await("the copies did no harm", [] { return true; });
  return check();
}

verdict order_load::check() {
  std::map<std::string, std::uint64_t> sent;
  for (const auto& o : orders_)
    if (o.made != 0) sent[o.key] = o.made;
  const auto stored = judge(sent, stored_orders(cluster_.store(), cluster_.shards()));
  EXPECT_TRUE(stored.flawless()) << "in Redis: " << stored;

  connections nodes{cluster_, 0};
  std::map<std::string, stored_order> shown;
  for (const auto& [key, events] : sent)
    until("order " + key + " can be read", [&] {
      const auto a = node_client{nodes.pick({}).port, request_patience}.order(key);
      if (a.status == 200) shown[key] = {a.order_status, a.events, a.chain};
      return a.status == 200 || a.status == 404;
    });
  const auto seen = judge(sent, shown);
  EXPECT_TRUE(seen.flawless()) << "as the nodes show it: " << seen;

  for (const auto& node : cluster_.active())
    EXPECT_EQ(cluster_.client(node).metric("pawl_ordering_violations_total{entity_type=\"order\"}"), 0) << node;
  EXPECT_GT(figures().duplicates, 0U) << "no event was sent twice: nothing was tested";
  return stored;
}

order_load::tally order_load::figures() const {
  const std::lock_guard lock{mutex_};
  return tally_;
}

}  // namespace pawl::testing
