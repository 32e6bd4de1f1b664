#pragma once

#include "tests/cluster/node_client.hpp"
#include "tests/cluster/order_events.hpp"
#include "tests/cluster/order_ledger.hpp"
#include "tests/cluster/test_cluster.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace pawl::testing {

/// Senders that keep a cluster busy until they are told to finish, and obey the rules: the events of an order go one
/// after the other; what is not resolved is sent again under the same id, through another node, before anything later
/// of that order. Successive events of an order come from different senders, through different nodes, and one in ten is
/// sent twice: a copy through another node at the same time, or long after, when later ones have taken effect. `seed()`
/// decides what is sent, and where.
class order_load {
public:
  struct shape {
    std::size_t orders = 160;
    std::size_t senders = 8;
    std::size_t orders_per_request = 10;
  };

  explicit order_load(test_cluster& cluster) : order_load(cluster, shape{}) {}
  order_load(test_cluster& cluster, shape s);
  /// Gives up what is not resolved yet.
  ~order_load();
  order_load(const order_load&) = delete;
  order_load& operator=(const order_load&) = delete;

  /// Waits until every order has got a further event, made after this call.
  void every_order_moves_on();
  /// Waits until so many events have been resolved, from the beginning.
  void reaches(std::uint64_t events);
  /// Makes no new events; returns when all there are have been resolved, then compares every order with what it must
  /// be: as it lies in Redis, which is returned, and as the cluster shows it. Differences are failures of the test.
  verdict finish_and_check();

  /// Messages by what became of them; one that is sent again counts again.
  struct tally {
    std::uint64_t sent = 0;
    std::uint64_t resolved = 0;    ///< the first resolution of each event
    std::uint64_t duplicates = 0;  ///< answers "duplicate", to events and to copies
    std::uint64_t unknown = 0;
    std::uint64_t not_now = 0;     ///< busy or blocked
    std::uint64_t unanswered = 0;  ///< no answer, or none of use
    /// Those that had to be sent again.
    [[nodiscard]] std::uint64_t retries() const noexcept { return unknown + not_now + unanswered; }
  };
  [[nodiscard]] tally figures() const;
  [[nodiscard]] std::uint64_t retries() const { return figures().retries(); }

private:
  struct order {
    std::string key;
    std::uint64_t made = 0;      ///< events so far
    std::uint64_t resolved = 0;  ///< of those; the first ones
  };
  /// One more sending of an event that somebody else takes care of.
  struct copy {
    order_event event;
    bool late = false;  ///< the event was resolved before the copy was made
    std::string not_through;
  };
  using orders_taken = std::vector<order*>;

  void send(unsigned lot);
  void repeat(unsigned lot);
  [[nodiscard]] orders_taken take(std::mt19937& dice);
  [[nodiscard]] std::vector<order_event> open_events(const orders_taken& orders) const;
  void settle(const orders_taken& orders, const std::vector<order_event>& events, const post_answer& answer);
  void put_back(const orders_taken& orders);
  void make_copies(const orders_taken& orders, const std::string& node, std::mt19937& dice);
  void settle_copies(const std::vector<copy>& copies, const post_answer& answer);
  void await(const std::string& what, const std::function<bool()>& condition);
  void fail(const std::string& why);
  void stop();
  [[nodiscard]] verdict check();

  test_cluster& cluster_;
  shape shape_;
  std::vector<order> orders_;  ///< the counts are guarded by mutex_

  mutable std::mutex mutex_;  ///< of all below
  std::condition_variable changed_;
  std::deque<order*> ready_;  ///< those no sender has at the moment
  std::vector<copy> copies_;
  tally tally_;
  bool finishing_ = false;     ///< no new events
  bool senders_done_ = false;  ///< no new copies either
  bool stopped_ = false;
  std::string failure_;

  std::vector<std::thread> senders_;
  std::thread repeater_;
};

}  // namespace pawl::testing
