// How many messages per second one process commits through the in-process door, and what each costs node and server,
// beside a bare client that sends the same commits to the same server in the same run. Rounds alternate; medians are
// printed. Trust the ratio and the CPU per message: messages per second depend on what else the machine does.
#include "tests/bench/throughput.hpp"

#include "actors/caf/node.hpp"
#include "examples/order_workflow/order.hpp"
#include "metrics/log.hpp"
#include "persistence/codec.hpp"
#include "persistence/redis/dataset.hpp"
#include "persistence/redis/redis_store.hpp"
#include "tests/bench/bare_client.hpp"
#include "tests/bench/recorder.hpp"
#include "tests/bench/workload.hpp"

#include <CLI/CLI.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace pawl::bench {
namespace {

using clock = std::chrono::steady_clock;

struct settings {
  std::string socket;
  workload_options work;
  std::uint32_t shards = 64;
  std::size_t window = 16'384;  ///< messages handed in and not answered
  std::size_t batch = 256;      ///< messages handed in at once
  int rounds = 3;
};

struct figures {
  double pawl_rate = 0, bare_rate = 0;            ///< messages per second
  double pawl_server_us = 0, bare_server_us = 0;  ///< server CPU per message
  double node_us = 0;                             ///< CPU of this process per message, generator included
  double per_commit = 0;                          ///< messages
};

double own_cpu_seconds() {
  rusage u{};
  ::getrusage(RUSAGE_SELF, &u);
  auto seconds = [](timeval t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6; };
  return seconds(u.ru_utime) + seconds(u.ru_stime);
}

/// Messages under way, bounded.
class flow {
public:
  explicit flow(std::size_t most) : most_(most) {}
  void enter(std::size_t n) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return under_way_ + n <= most_ || under_way_ == 0; });
    under_way_ += n;
  }
  void leave(std::size_t n) {
    std::lock_guard lock{mutex_};
    under_way_ -= n;
    changed_.notify_one();
  }
  void wait_empty() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return under_way_ == 0; });
  }

private:
  std::size_t most_;
  std::size_t under_way_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
};

void check_orders(ingress& door, const workload& w) {
  std::atomic<std::uint64_t> wrong{0};
  flow reads{512};
  for (const auto& [key, expected] : w.expectation()) {
    reads.enter(1);
    door.read({"order", key}, [&, expected = &expected](entity_answer a) {
      order_workflow::Order o;
      std::string error;
      bool right = a.kind == entity_answer::status::found && decode_msgpack(a.state, o, error) &&
                   o.events == expected->events && o.chain == expected->chain;
      if (!right) ++wrong;
      reads.leave(1);
    });
  }
  reads.wait_empty();
  if (wrong != 0) throw std::runtime_error(std::to_string(wrong.load()) + " orders are not as they must be");
}

void wait_until_ready(node& n, std::uint32_t shards) {
  auto deadline = clock::now() + std::chrono::seconds{30};
  while (n.cluster().shards_owned != shards) {
    if (clock::now() > deadline) throw std::runtime_error("the node did not get its shards in 30 s");
    std::this_thread::yield();
  }
}

figures run_round(const settings& s, int round) {
  auto cluster = "bench-" + std::to_string(round);
  redis_options redis;
  redis.socket = s.socket;
  auto dataset = init_dataset(redis, cluster, s.shards);
  if (!dataset.ok()) throw std::runtime_error(dataset.error);

  node_options options;
  options.node = "bench";
  options.cluster = cluster;
  options.peer_port = 0;
  options.request_timeout = std::chrono::seconds{60};
  node_metrics metrics{s.shards, {"order"}};
  std::promise<void> ended;
  node door{options,         {{order_workflow::order()}, message_digester{dataset.info.secret}, options.state_bytes},
            dataset.info.id, s.shards,
            metrics,         [&](const std::string&) { ended.set_value(); }};
  if (auto why = door.listen(); !why.empty()) throw std::runtime_error(why);
  redis_store store{redis, cluster, door.shard_handlers(), door.member_handlers()};
  recorder tap{cluster, std::size_t{256} << 20};
  tap.attach(store.shards());
  door.start(tap, store.members(), store.lanes(), "");
  store.start();
  wait_until_ready(door, s.shards);

  workload work{s.work};
  std::atomic<std::uint64_t> applied{0}, duplicates{0}, others{0};
  flow under_way{s.window};
  figures out;
  auto server = server_cpu_seconds(s.socket);
  auto own = own_cpu_seconds();
  auto began = clock::now();
  for (auto batch = work.next(s.batch); !batch->messages.empty(); batch = work.next(s.batch)) {
    auto n = batch->messages.size();
    under_way.enter(n);
    door.submit(std::move(batch), [&, n](std::vector<message_result> results) {
      std::uint64_t a = 0, d = 0;
      for (const auto& r : results) {
        a += r.kind == result_kind::applied;
        d += r.kind == result_kind::duplicate;
      }
      applied += a;
      duplicates += d;
      others += n - a - d;
      under_way.leave(n);
    });
  }
  under_way.wait_empty();
  auto seconds = std::chrono::duration<double>(clock::now() - began).count();
  auto messages = static_cast<double>(s.work.messages);
  out.pawl_rate = messages / seconds;
  out.node_us = (own_cpu_seconds() - own) * 1e6 / messages;
  out.pawl_server_us = (server_cpu_seconds(s.socket) - server) * 1e6 / messages;
  out.per_commit = static_cast<double>(work.distinct()) / static_cast<double>(tap.commits());
  if (applied != work.distinct() || others != 0 || applied + duplicates != s.work.messages)
    throw std::runtime_error("applied " + std::to_string(applied.load()) + " of " + std::to_string(work.distinct()) +
                             ", unresolved " + std::to_string(others.load()));
  check_orders(door, work);
  door.drain();
  ended.get_future().wait();
  door.stop();
  store.stop();

  // The recorded commits may be fewer than all; the messages they carried are counted in proportion.
  auto share = static_cast<double>(tap.recorded().size()) / static_cast<double>(tap.commits());
  server = server_cpu_seconds(s.socket);
  seconds = send_bare(s.socket, tap.recorded(), s.shards);
  out.bare_rate = messages * share / seconds;
  out.bare_server_us = (server_cpu_seconds(s.socket) - server) * 1e6 / (messages * share);
  return out;
}

double median(std::vector<figures> all, double figures::*which) {
  std::sort(all.begin(), all.end(), [which](const figures& a, const figures& b) { return a.*which < b.*which; });
  return all[all.size() / 2].*which;
}

}  // namespace

int throughput(int argc, char** argv) {
  settings s;
  CLI::App app{"Committed messages per second beside the same bytes written raw"};
  app.add_option("--redis-socket", s.socket, "unix socket of a Redis of its own")->required();
  app.add_option("--orders", s.work.orders, "distinct entities")->capture_default_str();
  app.add_option("--messages", s.work.messages, "per round, duplicates included")->capture_default_str();
  app.add_option("--duplicates", s.work.duplicates, "share sent twice")->capture_default_str();
  app.add_option("--payload", s.work.payload_bytes, "bytes of a message's payload")->capture_default_str();
  app.add_option("--shards", s.shards, "shards")->capture_default_str();
  app.add_option("--window", s.window, "messages under way at most")->capture_default_str();
  app.add_option("--batch", s.batch, "messages handed in at once")->capture_default_str();
  app.add_option("--rounds", s.rounds, "rounds; the median is printed")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  log::set_level("warn");
  std::vector<figures> all;
  for (int round = 1; round <= s.rounds; ++round) {
    all.push_back(run_round(s, round));
    const auto& f = all.back();
    std::fprintf(stderr, "round %d: %.0f messages/s, bare %.0f\n", round, f.pawl_rate, f.bare_rate);
  }
  std::printf(
      "%u orders, %llu messages a round, %.0f %% of them sent twice, %u shards, %zu under way; every round's orders "
      "checked\n\n",
      s.work.orders, static_cast<unsigned long long>(s.work.messages), s.work.duplicates * 100, s.shards, s.window);
  std::printf("%-34s %12s %14s %14s %10s\n", "", "messages/s", "server us/msg", "node us/msg", "msgs/commit");
  std::printf("%-34s %12.0f %14.2f %14.2f %10.1f\n", "pawl, in-process door", median(all, &figures::pawl_rate),
              median(all, &figures::pawl_server_us), median(all, &figures::node_us), median(all, &figures::per_commit));
  std::printf("%-34s %12.0f %14.2f %14s %10.1f\n", "same commits, bare client", median(all, &figures::bare_rate),
              median(all, &figures::bare_server_us), "-", median(all, &figures::per_commit));
  std::printf("\npawl reaches %.0f %% of the bare client in this run (median of %d rounds)\n",
              100 * median(all, &figures::pawl_rate) / median(all, &figures::bare_rate), s.rounds);
  return 0;
}

}  // namespace pawl::bench
