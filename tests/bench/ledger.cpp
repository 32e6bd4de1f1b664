#include "tests/bench/ledger.hpp"

#include "cluster/invariant.hpp"
#include "examples/order_workflow/order.hpp"
#include "persistence/codec.hpp"
#include "tests/bench/bench_order.hpp"

#include <algorithm>
#include <stdexcept>

namespace pawl::bench {

void ledger::take(const workload& w) {
  const auto first = first_order_of(w.options());
  workload::words words{w};
  std::uint32_t next = 0;
  for (const auto& e : w.events()) {
    if (e.number != next) continue;  // sent before
    ++next;
    apply(w, e, first, words);
  }
}

void ledger::take(const workload& w, std::span<const std::uint8_t> applied) {
  PAWL_INVARIANT(applied.size() == w.events().size(), "each event has a result");
  const auto first = first_order_of(w.options());
  workload::words words{w};
  std::vector<bool> seen(w.number_end());
  for (std::size_t i = 0; i < applied.size(); ++i) {
    if (applied[i] == 0) continue;
    const auto& e = w.events()[i];
    if (seen[e.number]) throw std::runtime_error("a message was answered `applied` twice");
    seen[e.number] = true;
    apply(w, e, first, words);
  }
}

std::size_t ledger::first_order_of(const workload_options& w) {
  const auto known =
      std::find_if(senders_.begin(), senders_.end(), [&](const sender& s) { return s.prefix == w.prefix; });
  if (known != senders_.end()) {
    PAWL_INVARIANT(w.orders <= known->orders, "a later workload of a sender has no more orders than its first");
    return known->first;
  }
  senders_.push_back({w.prefix, orders_.size(), w.orders});
  orders_.resize(orders_.size() + w.orders);
  return senders_.back().first;
}

void ledger::apply(const workload& w, const event& e, std::size_t first, workload::words& words) {
  words.put(e);
  auto& o = orders_[first + e.order];
  o.total += w.amount(e);
  const auto before = o.count++ == 0 ? OrderState{}.chain : std::string{o.chain.data(), o.chain.size()};
  const auto link = order_workflow::next_link(before, words.id());
  std::copy_n(link.begin(), o.chain.size(), o.chain.begin());
}

std::string ledger::key(std::size_t order) const {
  const auto after = std::find_if(senders_.begin(), senders_.end(), [&](const sender& s) { return s.first > order; });
  const auto& s = *(after - 1);
  return workload::key_of(s.prefix, order - s.first);
}

bool ledger::right(std::size_t order, std::string_view state) const {
  const auto& must = orders_[order];
  if (state.empty()) return must.count == 0;
  OrderState o;
  std::string error;
  return decode_msgpack(state, o, error) && o.count == must.count && o.total == must.total &&
         o.chain == std::string_view{must.chain.data(), must.chain.size()};
}

}  // namespace pawl::bench
