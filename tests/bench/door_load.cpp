#include "tests/bench/door_load.hpp"

#include "persistence/codec.hpp"
#include "tests/bench/accounts.hpp"
#include "tests/bench/bench_order.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

namespace pawl::bench {
namespace {

outcomes::kind kind_of(result_kind k) {
  if (k == result_kind::applied) return outcomes::kind::applied;
  return k == result_kind::duplicate ? outcomes::kind::duplicate : outcomes::kind::turned_away;
}

}  // namespace

door_load::door_load(ingress& door, workload w, load_options l)
    : door_(door),
      work_(std::move(w)),
      options_(l),
      words_(work_),
      outcomes_(work_.events().size()),
      under_way_(l.rate > 0 ? std::numeric_limits<std::size_t>::max() : l.window),
      pace_(1, {}) {}

nlohmann::json door_load::run() {
  const auto stamp = wall_now();
  const auto cpu = own_cpu_seconds();
  const auto began = bench_clock::now();
  pace_ = {options_.rate > 0 ? options_.rate : 1, began};
  for (std::size_t at = 0; at < work_.events().size();) {
    const auto n = next_batch(at);
    submit(at, n, stamp);
    at += n;
  }
  const auto sent = bench_clock::now();
  under_way_.wait_empty();
  const std::chrono::duration<double> seconds = bench_clock::now() - began;
  const auto cpu_used = own_cpu_seconds() - cpu;
  const std::chrono::duration<double> sending = sent - began;

  const auto turned_away = outcomes_.count(outcomes::kind::turned_away);
  const auto messages = work_.events().size();
  nlohmann::json reasons = nlohmann::json::object();
  for (std::size_t r = 0; r < reasons_.size(); ++r)
    if (reasons_[r] != 0) reasons[std::string{to_string(static_cast<reason_code>(r))}] = reasons_[r].load();
  std::vector<float> waits;
  outcomes_.add_latencies(first_counted(messages, options_.rate), waits);
  nlohmann::json out{{"seconds", seconds.count()},
                     {"cpu_s", cpu_used},
                     {"messages", messages},
                     {"resolved", messages - turned_away},
                     {"rate", static_cast<double>(messages - turned_away) / seconds.count()},
                     {"offered_rate", static_cast<double>(messages) / sending.count()},
                     {"turned_away", std::move(reasons)},
                     {"latency_ms", latency_ms(std::move(waits))}};
  if (options_.rate > 0) out["late_ms"] = std::chrono::duration<double, std::milli>(late_).count();
  return out;
}

std::size_t door_load::next_batch(std::size_t at) {
  auto n = std::min(options_.batch, work_.events().size() - at);
  if (options_.rate > 0) n = std::min<std::size_t>(n, pace_.wait(at) - at);
  under_way_.enter(n);
  return n;
}

void door_load::submit(std::size_t at, std::size_t n, unix_ms stamp) {
  message_builder batch;
  for (auto i = at; i < at + n; ++i) {
    const auto& e = work_.events()[i];
    words_.put(e);
    message m;
    m.type = "order";
    m.key = words_.key();
    m.name = "OrderEvent";
    m.id = words_.id();
    m.payload = work_.payload(e);
    m.sent_at = stamp;
    batch.add(m);
  }
  const auto handed_in = bench_clock::now();
  if (options_.rate > 0) late_ = std::max<std::chrono::nanoseconds>(late_, handed_in - pace_.due(at));
  door_.submit(batch.finish(), [this, at, n, handed_in](const std::vector<message_result>& results) {
    const auto now = bench_clock::now();
    for (std::size_t i = 0; i < n; ++i) {
      const auto& r = results[i];
      outcomes_.set(at + i, kind_of(r.kind), now - (options_.rate > 0 ? pace_.due(at + i) : handed_in));
      if (resolved(r.kind) && r.kind != result_kind::refused) continue;
      reasons_[static_cast<std::size_t>(r.code)].fetch_add(1, std::memory_order_relaxed);
      if (r.kind == result_kind::unknown) unknown_.fetch_add(1, std::memory_order_relaxed);
    }
    under_way_.leave(n);
  });
}

void door_load::enter_in(ledger& book) const {
  if (unknown_ != 0) throw std::runtime_error(std::to_string(unknown_.load()) + " messages were answered `unknown`");
  if (options_.rate == 0 && outcomes_.count(outcomes::kind::turned_away) != 0)
    throw std::runtime_error("messages were turned away although there was room for them");
  if (outcomes_.count(outcomes::kind::turned_away) == 0 && outcomes_.count(outcomes::kind::applied) != work_.distinct())
    throw std::runtime_error("not every message was answered `applied` once");
  book.take(work_, outcomes_.applied());
}

std::size_t door_load::state_bytes() const {
  OrderEvent e;
  OrderState o;
  std::string error, encoded;
  if (!decode_msgpack(work_.payload({0, 0}), e, error)) throw std::runtime_error(error);
  e.pause_us = 0;
  apply(o, e, "m");
  encode_msgpack(o, encoded);
  return encoded.size();
}

void check_orders(ingress& door, const ledger& book) {
  std::atomic<std::uint64_t> wrong{0};
  flow reads{512};
  for (std::size_t o = 0; o < book.orders(); ++o) {
    reads.enter(1);
    door.read({"order", book.key(o)}, [&, o](const entity_answer& a) {
      const bool known = a.kind != entity_answer::status::unavailable;
      if (!known || !book.right(o, a.state)) ++wrong;
      reads.leave(1);
    });
  }
  reads.wait_empty();
  if (wrong != 0)
    throw std::runtime_error(std::to_string(wrong.load()) + " of " + std::to_string(book.orders()) +
                             " orders are not what applying each message once makes of them");
}

}  // namespace pawl::bench
