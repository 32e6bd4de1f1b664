// Real processes under as much load as their doors take, with more of them than cores: nothing fails, so nobody may be
// evicted. How near it came shows in the longest time that a member's beat stood still, beside the lease.
#include "tests/bench/suspicion.hpp"

#include "persistence/keys.hpp"
#include "tests/bench/bench_cluster.hpp"
#include "tests/bench/order_traffic.hpp"
#include "tests/bench/quantile.hpp"
#include "tests/cluster/until.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <thread>

namespace pawl::bench {
namespace {

using clock = std::chrono::steady_clock;

struct settings {
  double minutes = 2;
  int nodes = 4;
  std::uint32_t shards = 256;
  std::uint32_t requests = 32;
  std::uint32_t messages = 500;
  std::vector<std::string> node_flags;
  std::string logs;
};

double seconds_since(clock::time_point t) { return std::chrono::duration<double>(clock::now() - t).count(); }

/// Looks at the member table again and again, as the members do.
class table_watch {
public:
  explicit table_watch(const bench_cluster& cluster) : cluster_(cluster) {}

  void look() {
    const auto now = clock::now();
    for (const auto& [node, row] : cluster_.store().hash(keys_.members())) {
      // `<incarnation> <beat> …`: both change when something is new.
      auto beat = row.substr(0, row.find(' ', row.find(' ') + 1));
      auto& seen = seen_[node];
      if (seen.beat == beat) continue;
      if (!seen.beat.empty()) {
        const auto stood = std::chrono::duration<double, std::milli>(now - seen.since).count();
        stood_ms_.push_back(stood);
      }
      seen = {std::move(beat), now};
    }
    most_votes_ = std::max(most_votes_, cluster_.store().hash(keys_.votes()).size());
  }
  /// Between two beats of a member.
  [[nodiscard]] const std::vector<double>& stood_ms() const noexcept { return stood_ms_; }
  /// Members that somebody accused, at any one time.
  [[nodiscard]] std::size_t most_votes() const noexcept { return most_votes_; }
  [[nodiscard]] std::string view() const { return cluster_.store().ask({"GET", keys_.view()}).text; }

private:
  struct sighting {
    std::string beat;
    clock::time_point since;
  };
  const bench_cluster& cluster_;
  const key_names keys_{"default"};
  std::map<std::string, sighting> seen_;
  std::vector<double> stood_ms_;
  std::size_t most_votes_ = 0;
};

}  // namespace

int suspicion(int argc, char** argv) {
  settings s;
  CLI::App app{"Whether members under full load take each other for dead"};
  app.add_option("--minutes", s.minutes, "of load")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--nodes", s.nodes, "processes")->capture_default_str()->check(CLI::Range(2, 32));
  app.add_option("--shards", s.shards, "shards")->capture_default_str();
  app.add_option("--requests", s.requests, "under way at any time")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--messages", s.messages, "in each request, about")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--node-flag", s.node_flags, "further flag of every node, as --node-flag=--cluster-beat=100ms");
  app.add_option("--logs", s.logs, "existing directory for the logs of the nodes")->check(CLI::ExistingDirectory);
  CLI11_PARSE(app, argc, argv);

  bench_cluster cluster{{PAWL_ORDER_WORKFLOW, s.shards, s.node_flags, s.logs}};
  order_traffic traffic{{.shards = s.shards}};
  for (int i = 1; i <= s.nodes; ++i) cluster.launch("n" + std::to_string(i));
  for (int i = 1; i <= s.nodes; ++i) cluster.await_door("n" + std::to_string(i));
  cluster.settle();
  traffic.use_doors(cluster.doors());

  table_watch watch{cluster};
  const auto view = watch.view();
  const auto begun = clock::now();
  traffic.flood(s.requests, s.messages);
  auto said = begun;
  while (seconds_since(begun) < s.minutes * 60) {
    watch.look();
    testing::look_again_soon();
    if (seconds_since(said) < 10) continue;
    said = clock::now();
    std::fprintf(stderr, "%.0f s: %.0f messages/s, longest without a beat %.0f ms\n", seconds_since(begun),
                 static_cast<double>(traffic.resolved()) / seconds_since(begun), largest(watch.stood_ms()));
  }
  const auto rate = static_cast<double>(traffic.resolved()) / seconds_since(begun);
  double load[1]{};
  ::getloadavg(load, 1);
  traffic.pause();
  double evictions = 0;
  double takeovers = 0;
  for (const auto& node : cluster.running()) {
    evictions += cluster.metric(node, "pawl_evictions_total");
    takeovers += cluster.metric(node, R"(pawl_handoffs_total{reason="takeover"})");
  }
  const auto view_after = watch.view();
  traffic.check(cluster.doors().front());

  std::printf("%d nodes, %u shards, %u cores, load average %.1f: %.0f messages/s for %.1f minutes\n", s.nodes, s.shards,
              std::thread::hardware_concurrency(), load[0], rate, s.minutes);
  std::printf("between two beats of a member: p50 %.0f, p99 %.0f, max %.0f ms; members accused at one time: %zu\n",
              median(watch.stood_ms()), quantile(watch.stood_ms(), 0.99), largest(watch.stood_ms()),
              watch.most_votes());
  std::printf("evictions %.0f, shards taken over %.0f, view %s -> %s; every order is as it must be\n", evictions,
              takeovers, view.c_str(), view_after.c_str());
  return evictions == 0 && view == view_after ? 0 : 1;
}

}  // namespace pawl::bench
