#include "tests/bench/workload.hpp"

#include "persistence/codec.hpp"
#include "tests/bench/bench_order.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <numeric>
#include <random>

namespace pawl::bench {
namespace {

constexpr std::uint64_t repeated_within = 200;
constexpr std::size_t id_digits = 12;  // all ids have the same length

std::int64_t amount_of(std::size_t variant) { return static_cast<std::int64_t>(variant * 7919 % 10'007); }

OrderEvent event_of(std::size_t variant, const workload_options& o) {
  static constexpr std::array statuses{"created", "item-added", "paid", "packed", "shipped"};
  OrderEvent e;
  e.status = statuses[variant % statuses.size()];
  e.amount = amount_of(variant);
  e.pause_us = o.pause_us;
  return e;
}

std::string encoded(OrderEvent e, std::size_t size) {
  std::string bare;
  encode_msgpack(e, bare);
  e.note.assign(size > bare.size() ? size - bare.size() : 1, 'n');
  std::string out;
  encode_msgpack(e, out);
  return out;
}

template <class Number>
void append_number(std::string& out, Number n) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr;
  out.append(digits.data(), end);
}

}  // namespace

workload::workload(workload_options o) : options_(std::move(o)) {
  for (std::size_t v = 0; v < payloads_.size(); ++v)
    payloads_[v] = encoded(event_of(v, options_), options_.payload_bytes);

  std::mt19937_64 random{1};
  std::vector<std::uint32_t> round(options_.orders);
  std::iota(round.begin(), round.end(), 0U);
  const double repeat = options_.duplicates >= 1 ? 1 : options_.duplicates / (1 - options_.duplicates);
  std::bernoulli_distribution comes_again{std::min(repeat, 1.0)};
  std::array<std::vector<event>, 256> due;  // by position
  static_assert(repeated_within < std::tuple_size_v<decltype(due)>);
  std::size_t at = 0;
  events_.reserve(options_.messages);
  while (events_.size() < options_.messages) {
    auto& now = due[events_.size() % due.size()];
    if (!now.empty()) {
      const auto again = now.back();
      now.pop_back();
      auto& later = due[(events_.size() + 1) % due.size()];
      later.insert(later.end(), now.begin(), now.end());
      now.clear();
      events_.push_back(again);
      continue;
    }
    if (at % round.size() == 0) std::shuffle(round.begin(), round.end(), random);
    const event e{round[at++ % round.size()], number_end_++};
    if (comes_again(random)) due[(events_.size() + 1 + random() % repeated_within) % due.size()].push_back(e);
    events_.push_back(e);
  }
  distinct_ = number_end_;
}

void workload::keep(const std::function<bool(std::string_view key)>& sent) {
  words text{*this};
  std::erase_if(events_, [&](const event& e) {
    text.put(e);
    return !sent(text.key());
  });
  std::vector<bool> seen(number_end_);
  for (const auto& e : events_) seen[e.number] = true;
  distinct_ = static_cast<std::uint64_t>(std::count(seen.begin(), seen.end(), true));
}

std::int64_t workload::amount(const event& e) const noexcept { return amount_of(e.number % payloads_.size()); }

std::string workload::key_of(std::string_view prefix, std::uint64_t order) {
  std::string out{prefix};
  out += "order-";
  append_number(out, order);
  return out;
}

workload::words::words(const workload& w) : key_(w.options_.prefix + "order-"), id_(w.options_.tag + "m") {
  key_prefix_ = key_.size();
  id_prefix_ = id_.size();
}

void workload::words::put(const event& e) {
  key_.resize(key_prefix_);
  append_number(key_, e.order);
  id_.resize(id_prefix_ + id_digits);
  auto n = e.number;
  for (auto i = id_.size(); i-- > id_prefix_; n /= 10) id_[i] = static_cast<char>('0' + n % 10);
}

unix_ms wall_now() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace pawl::bench
