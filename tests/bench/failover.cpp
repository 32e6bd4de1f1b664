// How long messages wait when something happens to a cluster of real processes under load. Senders behave as ours must:
// a refused or closed request goes to another node at once, with the same ids. Waits are counted from when a message
// was due, so a sender that is held up hides nothing. The shards that the fault will move are known beforehand, because
// placement is a pure function; those get a request each of their own, every few milliseconds.
//
// All processes, the senders included, share this machine's cores: trust a figure only beside that of "load alone", and
// if the driver's own lag is small.
#include "tests/bench/failover.hpp"

#include "tests/bench/faults.hpp"
#include "tests/bench/quantile.hpp"
#include "tests/cluster/until.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <thread>

namespace pawl::bench {
namespace {

struct settings {
  std::vector<std::string> only;
  std::vector<std::uint32_t> shards{256, 1'024};
  int rounds = 3;
  std::uint64_t ids = 100'000;
  double rate = 20'000;
  double watched_rate = 4'000;
  std::vector<std::string> node_flags;
  std::string logs;
};

struct row {
  const fault* what = nullptr;
  std::uint32_t shards = 0;
  std::vector<fault_cost> rounds;

  [[nodiscard]] std::vector<double> each(double (*figure)(const fault_cost&)) const {
    std::vector<double> out;
    for (const auto& r : rounds) out.push_back(figure(r));
    return out;
  }
};

double first_of(const fault_cost& c) { return quantile(c.serving_ms, 0) - c.store_ms; }
double last_of(const fault_cost& c) { return largest(c.serving_ms) - c.store_ms; }
double p50_of(const fault_cost& c) { return quantile(c.wait_ms, 0.5); }
double p99_of(const fault_cost& c) { return quantile(c.wait_ms, 0.99); }
double max_of(const fault_cost& c) { return largest(c.wait_ms); }
double gap_of(const fault_cost& c) { return quantile(c.gap_ms, 0.99); }
double view_of(const fault_cost& c) { return c.view_ms; }
double store_of(const fault_cost& c) { return c.store_ms; }
double lag_of(const fault_cost& c) { return c.lag_ms; }
double rate_of(const fault_cost& c) { return static_cast<double>(c.resolved) / c.seconds; }
double retries_of(const fault_cost& c) { return static_cast<double>(c.retries); }

std::vector<std::string> node_names(std::size_t count) {
  std::vector<std::string> out;
  for (std::size_t i = 1; i <= count; ++i) out.push_back("n" + std::to_string(i));
  return out;
}

row measure(const settings& s, const fault& what, std::uint32_t shards) {
  row out{&what, shards, {}};
  bench_cluster cluster{{PAWL_ORDER_WORKFLOW, shards, s.node_flags, s.logs, what.relayed}};
  order_traffic traffic{
      {.shards = shards, .messages_per_second = s.rate, .watched_requests_per_second = s.watched_rate}};
  const auto nodes = node_names(what.nodes);
  for (const auto& n : nodes) cluster.launch(n);
  for (const auto& n : nodes) cluster.await_door(n);
  cluster.settle();
  traffic.use_doors(cluster.doors());
  traffic.flood(16, 500);
  testing::until(
      "the processed ids are filled", [&] { return traffic.resolved() >= s.ids; }, std::chrono::minutes{2});
  fault_scene scene{cluster, traffic, shards, nodes};
  for (; scene.round < s.rounds; ++scene.round) {
    out.rounds.push_back(what.strike(scene));
    const auto& c = out.rounds.back();
    std::fprintf(stderr, "%s, %u shards, round %d: last %.0f ms, waits p99 %.0f, max %.0f ms, view %.0f ms\n",
                 what.what.data(), shards, scene.round + 1, last_of(c), p99_of(c), max_of(c), c.view_ms);
  }
  traffic.pause();
  cluster.settle();
  traffic.check(cluster.doors().front());
  return out;
}

void print_heading() {
  std::printf("%-27s %6s %6s %7s %7s %7s | %6s %6s %7s %7s | %6s %8s %5s %7s  %s\n", "", "", "", "first", "last",
              "worst", "waits", "", "", "gap", "", "resolved", "", "driver", "");
  std::printf("%-27s %6s %6s %7s %7s %7s | %6s %6s %7s %7s | %6s %8s %5s %7s  %s\n", "ms", "shards", "keys", "serves",
              "serves", "last", "p50", "p99", "max", "p99", "resent", "per s", "view", "lag", "aim");
}

void print(const row& r) {
  const auto& f = *r.what;
  const auto last = r.each(last_of);
  const auto p99 = r.each(p99_of);
  const auto most = largest(r.each(max_of));
  const auto& judged = f.by == judged::last_shard ? last : p99;
  const bool met = f.median_ms == 0 ||
                   (median(judged) < f.median_ms && (f.by == judged::last_shard ? largest(last) : most) < f.most_ms);
  std::printf("%-27s %6u %6zu %7.0f %7.0f %7.0f | %6.1f %6.0f %7.0f %7.0f | %6.0f %8.0f %5.0f %7.0f  %s%s",
              f.what.data(), r.shards, r.rounds.front().wait_ms.size(), median(r.each(first_of)), median(last),
              largest(last), median(r.each(p50_of)), median(p99), most, median(r.each(gap_of)),
              median(r.each(retries_of)), median(r.each(rate_of)), median(r.each(view_of)), largest(r.each(lag_of)),
              f.aim.data(), met ? "" : "  MISSED");
  if (const auto own = median(r.each(store_of)); own != 0) std::printf("; its start took %.0f", own);
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace

int failover(int argc, char** argv) {
  settings s;
  CLI::App app{"How long messages wait when nodes die, freeze, come and go"};
  std::vector<std::string> known;
  for (const auto& f : faults()) known.emplace_back(f.name);
  app.add_option("--fault", s.only, "only these")->check(CLI::IsMember(known));
  app.add_option("--shards", s.shards, "shards")->capture_default_str();
  app.add_option("--rounds", s.rounds, "of each fault")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--ids", s.ids, "messages processed before the first fault")->capture_default_str();
  app.add_option("--rate", s.rate, "messages per second in all")->capture_default_str();
  app.add_option("--watched-rate", s.watched_rate, "requests per second to watched shards")->capture_default_str();
  app.add_option("--node-flag", s.node_flags, "further flag of every node, as --node-flag=--cluster-beat=100ms");
  app.add_option("--logs", s.logs, "existing directory for the logs of the nodes")->check(CLI::ExistingDirectory);
  CLI11_PARSE(app, argc, argv);

  double load[1]{};
  ::getloadavg(load, 1);
  std::printf(
      "%.0f messages/s over HTTP to all nodes, %llu ids processed before; redis-server with appendfsync everysec, "
      "its files in %s;\n%u cores for all of it, load average %.1f before. Median of %d rounds; \"worst\" and "
      "\"max\" are of all rounds.\n\n",
      s.rate, static_cast<unsigned long long>(s.ids), std::filesystem::temp_directory_path().c_str(),
      std::thread::hardware_concurrency(), load[0], s.rounds);
  print_heading();
  for (const auto shards : s.shards) {
    for (const auto& f : faults()) {
      if (!s.only.empty() && std::find(s.only.begin(), s.only.end(), f.name) == s.only.end()) continue;
      print(measure(s, f, shards));
    }
  }
  std::printf(
      "\nEvery order was compared with what it must be, after each row: nothing lost, doubled or out of order.\n");
  return 0;
}

}  // namespace pawl::bench
