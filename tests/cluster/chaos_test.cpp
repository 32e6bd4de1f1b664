#include "tests/cluster/nemesis.hpp"
#include "tests/cluster/order_load.hpp"
#include "tests/cluster/seed.hpp"
#include "tests/cluster/test_cluster.hpp"
#include "tests/cluster/until.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <set>
#include <string>
#include <vector>

namespace pawl::testing {
namespace {

using namespace std::chrono_literals;

constexpr auto lease = 1'000ms;
const std::vector<std::string> nodes{"n1", "n2", "n3", "n4"};

/// How long faults go on: PAWL_CHAOS_SECONDS, or 20.
std::chrono::seconds faults_last() {
  const char* given = std::getenv("PAWL_CHAOS_SECONDS");  // NOLINT(concurrency-mt-unsafe): nobody changes it
  return std::chrono::seconds{given == nullptr ? 20 : std::strtol(given, nullptr, 10)};
}

TEST(Chaos, the_schedule_is_the_seed_s_alone_and_harms_nobody_twice_at_a_time) {
  const auto schedule = make_schedule(7, nodes, lease, 600s);
  const auto again = make_schedule(7, nodes, lease, 600s);
  ASSERT_EQ(schedule.size(), again.size());
  std::set<fault::kind> kinds;
  for (std::size_t i = 0; i < schedule.size(); ++i) {
    const auto& f = schedule[i];
    EXPECT_EQ(f.at, again[i].at);
    EXPECT_EQ(f.victim, again[i].victim);
    kinds.insert(f.what);
    int at_the_same_time = 0;
    for (const auto& g : schedule) {
      if (g.at > f.at || f.at >= g.at + g.length) continue;
      ++at_the_same_time;
      EXPECT_TRUE(&f == &g || f.victim != g.victim) << f << " and " << g;
    }
    EXPECT_LE(at_the_same_time, 2) << f;
  }
  EXPECT_EQ(kinds.size(), 13U) << "a kind of fault never came up";
  EXPECT_NE(make_schedule(8, nodes, lease, 600s).front().at, schedule.front().at);
}

TEST(Chaos, whatever_fails_for_a_while_every_event_takes_effect_once_and_in_order) {
  const auto length = faults_last();
  std::cout << "seed " << seed() << ", faults for " << length.count() << " s, " << nodes.size()
            << " nodes, lease 1 s, appendfsync always" << std::endl;
  test_cluster cluster{{.flags = {"--cluster-beat", "100ms", "--cluster-lease", "1s", "--request-timeout", "1s",
                                  "--redis-timeout", "1s", "--cluster-drain", "3s"},
                        .redis = {"--appendfsync", "always"},
                        .wired = true}};
  cluster.start(nodes);
  order_load load{cluster};
  load.every_order_moves_on();

  nemesis evil{cluster, nodes};
  evil.carry_out(make_schedule(seed(), nodes, lease, length));

  cluster.settle();
  load.every_order_moves_on();
  const auto orders = load.finish_and_check();
  EXPECT_EQ(cluster.logged(" error "), cluster.logged(" error cannot run ")) << "a node logged an error";

  const auto m = load.figures();
  std::cout << "faults:";
  for (const auto& [name, times] : evil.faults()) std::cout << ' ' << name << ' ' << times << ';';
  std::cout << " failed starts " << evil.failed_starts() << "\nevictions: " << cluster.logged("this member was evicted")
            << "\nmessages: " << m.sent << " sent, " << m.resolved << " acknowledged, " << m.duplicates
            << " duplicates discarded, " << m.unknown << " answered unknown, " << m.not_now << " not now, "
            << m.unanswered << " without an answer\n"
            << orders << std::endl;
}

}  // namespace
}  // namespace pawl::testing
