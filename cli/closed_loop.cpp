#include "cli/closed_loop.hpp"

#include "cli/outgoing_message.hpp"
#include "cli/wall_clock.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <future>
#include <limits>
#include <thread>

namespace pawl::cli {
namespace {

using std::chrono::steady_clock;

std::string filled(const std::string& payload, std::uint64_t number) {
  constexpr std::string_view place = "{n}";
  auto out = payload;
  for (auto at = out.find(place); at != out.npos; at = out.find(place, at))
    out.replace(at, place.size(), std::to_string(number));
  return out;
}

/// One connection. It owns the keys whose number leaves its own when divided by the number of connections.
class sender {
public:
  sender(const closed_loop_plan& plan, std::size_t number, std::string run, std::atomic<std::uint64_t>& sent,
         steady_clock::time_point end)
      : plan_(plan), number_(number), node_(number), run_(std::move(run)), sent_(sent), end_(end), http_(next_node()) {}

  closed_loop_result run() {
    const auto keys = (plan_.keys - 1 - number_) / plan_.connections + 1;
    for (std::uint64_t i = 0; steady_clock::now() < end_; ++i) {
      const auto n = sent_.fetch_add(1);
      if (n >= plan_.count) break;
      outgoing_message m;
      m.type = plan_.type;
      m.key = "bench-" + std::to_string(number_ + i % keys * plan_.connections);
      m.name = plan_.message;
      m.id = run_ + "-" + std::to_string(n);
      m.payload = filled(plan_.payload, n);
      m.sent_at = wall_clock_ms();
      if (!resolve(m)) break;
    }
    return std::move(out_);
  }

private:
  /// False if it could not be resolved: nothing may follow it.
  bool resolve(const outgoing_message& m) {
    constexpr std::chrono::milliseconds pause{20};
    const auto begun = steady_clock::now();
    for (;;) {
      const auto r = send_once(http_, m);
      switch (r.what) {
      case send_result::kind::applied: return count(out_.applied, begun);
      case send_result::kind::duplicate: return count(out_.duplicate, begun);
      case send_result::kind::refused: remember(r); return count(out_.refused, begun);
      case send_result::kind::rejected:
        remember(r);
        ++out_.refused;
        return false;
      case send_result::kind::unresolved: remember(r); break;
      }
      if (steady_clock::now() + pause > end_) {
        ++out_.unresolved;
        return false;
      }
      ++out_.retries;
      if (r.word == no_answer) http_ = next_node();  // that one may be dead
      std::this_thread::sleep_for(pause);
    }
  }

  http_client next_node() { return {plan_.nodes[node_++ % plan_.nodes.size()], plan_.timeout}; }

  bool count(std::uint64_t& what, steady_clock::time_point begun) {
    ++what;
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(steady_clock::now() - begun).count();
    out_.latencies_us.push_back(
        static_cast<std::uint32_t>(std::min<std::int64_t>(us, std::numeric_limits<std::uint32_t>::max())));
    return true;
  }

  void remember(const send_result& r) {
    if (out_.problem.empty()) out_.problem = r.word + (r.reason.empty() ? "" : ": " + r.reason);
  }

  const closed_loop_plan& plan_;
  std::size_t number_;
  std::size_t node_;
  std::string run_;
  std::atomic<std::uint64_t>& sent_;
  steady_clock::time_point end_;
  http_client http_;
  closed_loop_result out_;
};

void add(closed_loop_result& total, closed_loop_result part) {
  total.applied += part.applied;
  total.duplicate += part.duplicate;
  total.refused += part.refused;
  total.unresolved += part.unresolved;
  total.retries += part.retries;
  if (total.problem.empty()) total.problem = std::move(part.problem);
  total.latencies_us.insert(total.latencies_us.end(), part.latencies_us.begin(), part.latencies_us.end());
}

}  // namespace

double closed_loop_result::per_second() const {
  return seconds > 0 ? static_cast<double>(latencies_us.size()) / seconds : 0;
}

double closed_loop_result::latency_ms(double share) const {
  if (latencies_us.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(latencies_us.size())));
  return latencies_us[std::clamp<std::size_t>(rank, 1, latencies_us.size()) - 1] / 1'000.0;
}

closed_loop_result run_closed_loop(const closed_loop_plan& plan) {
  std::atomic<std::uint64_t> sent{0};
  const auto begun = steady_clock::now();
  const auto run = random_id();
  std::vector<std::future<closed_loop_result>> parts;
  // A connection without a key of its own would have nothing to send.
  for (std::size_t i = 0; i < std::min<std::uint64_t>(plan.connections, plan.keys); ++i)
    parts.push_back(std::async(std::launch::async, [&, i] {
      return sender{plan, i, run, sent, begun + plan.length}.run();
    }));
  closed_loop_result out;
  for (auto& p : parts) add(out, p.get());
  out.seconds = std::chrono::duration<double>(steady_clock::now() - begun).count();
  std::sort(out.latencies_us.begin(), out.latencies_us.end());
  return out;
}

}  // namespace pawl::cli
