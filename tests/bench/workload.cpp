#include "tests/bench/workload.hpp"

#include "examples/order_workflow/order.hpp"
#include "persistence/codec.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>

namespace pawl::bench {
namespace {

constexpr std::size_t recent_max = 200;

unix_ms wall_now() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

workload::workload(workload_options o) : options_(o), round_(o.orders) {
  std::iota(round_.begin(), round_.end(), 0u);
  order_workflow::OrderPurchased p;
  p.at = "2018-05-17T09:30";
  encode_msgpack(p, payload_);
  p.customer.assign(o.payload_bytes > payload_.size() ? o.payload_bytes - payload_.size() : 1, 'c');
  payload_.clear();
  encode_msgpack(p, payload_);
}

std::shared_ptr<const message_block> workload::next(std::size_t most) {
  message_builder out;
  auto now = wall_now();
  while (out.size() < most && given_ < options_.messages) {
    ++given_;
    message m;
    m.type = "order";
    m.name = "OrderPurchased";
    m.payload = payload_;
    m.sent_at = now;
    bool again = !recent_.empty() && std::bernoulli_distribution{options_.duplicates}(random_);
    if (again) {
      const auto& [key, id] = recent_[random_() % recent_.size()];
      m.key = key;
      m.id = id;
      out.add(m);
      continue;
    }
    if (at_ % round_.size() == 0) std::shuffle(round_.begin(), round_.end(), random_);
    auto key = "order-" + std::to_string(round_[at_++ % round_.size()]);
    auto id = "m" + std::to_string(++distinct_);
    m.key = key;
    m.id = id;
    out.add(m);
    auto& e = expected_[key];
    ++e.events;
    e.chain = order_workflow::next_link(e.chain, id);
    if (recent_.size() < recent_max) recent_.emplace_back(key, id);
    else recent_[distinct_ % recent_max] = {key, id};
  }
  return out.finish();
}

}  // namespace pawl::bench
