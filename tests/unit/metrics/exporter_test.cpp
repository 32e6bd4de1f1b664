// The page Prometheus scrapes: read back by an independent reader, by promtool, and compared with METRICS.md.

#include "metrics/prometheus_exporter.hpp"
#include "tests/unit/metrics/exposition.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

// NOLINTBEGIN(concurrency-mt-unsafe): where the environment is used, the test has one thread.

namespace pawl::testing {

namespace {

/// Two entity types on four shards, with something counted everywhere.
struct busy_node : node_metrics {
  busy_node() : node_metrics(4, {"order", "ticket"}) {
    for (std::size_t shard = 0; shard < shards.size(); ++shard) {
      auto& s = *shards[shard];
      s.owned.set(shard % 2);
      s.entities.set(10);
      s.queued.set(3);
      s.commits.add(5);
      s.commits_refused.add(1);
      s.commits_fenced.add(2);
      s.commits_unknown.add(3);
      s.committed_messages.add(50);
      s.forwarded.add(7);
      s.claims.add(2);
      for (auto& h : s.handoffs) h.add();
      s.commit_latency.observe(0.003);
      s.handoff_pause.observe(0.2);
      for (auto& type : s.messages) {
        for (std::size_t o = 0; o < type.outcomes.size(); ++o) type.outcomes[o].add(o + 1);
        type.out_of_order.add(4);
        type.ids.set(6);
        type.ordering_violations.add(1);
        type.early_held.add(3);
        type.early_full.add(2);
        type.held.set(5);
        type.gaps_opened.add(6);
        type.gaps_filled.add(4);
        type.gaps_timed_out.add(1);
        type.latency.observe(0.0001);
        type.latency.observe(0.02, 2);
        type.latency.observe(100);
      }
    }
    view = 12;
    members = 3;
    store_up = 1;
    store_reconnects = 6;
    peer_links = 2;
    peer_bytes_in = 1'000;
    peer_bytes_out = 2'000;
    evictions = 1;
    shards_stalled = 2;
    shards_unserved = 3;
    shard_unserved_max_ms = 4'250;
    http_requests_2xx = 21;
    http_requests_4xx = 22;
    http_requests_5xx = 23;
    lease_renewal.observe(0.002);
  }
};

std::string page(const node_metrics& m) { return render_prometheus(m, "1.2.3"); }

std::filesystem::path project() { return std::filesystem::path(__FILE__).parent_path() / "../../.."; }

/// The names in METRICS.md: first cells of the tables about nodes.
std::set<std::string> documented_names() {
  std::ifstream file(project() / "metrics/METRICS.md");
  std::set<std::string> out;
  for (std::string line; std::getline(file, line);) {
    if (line == "## Added by Prometheus") break;
    if (!line.starts_with("| `")) continue;
    out.insert(line.substr(3, line.find('`', 3) - 3));
  }
  return out;
}

/// The promtool to use, or empty.
std::string promtool() {
  if (const char* given = std::getenv("PROMTOOL"); given != nullptr && *given != '\0') return given;
  std::istringstream folders(std::getenv("PATH") == nullptr ? "" : std::getenv("PATH"));
  for (std::string folder; std::getline(folders, folder, ':');) {
    auto candidate = folder + "/promtool";
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return {};
}

}  // namespace

TEST(Exporter, AddsTheShardsOfEachEntityTypeUp) {
  const exposition p(page(busy_node()));
  for (const auto* type : {"order", "ticket"}) {
    const std::map<std::string, std::string> labels{{"entity_type", type}};
    for (std::size_t o = 0; o < message_outcome_names.size(); ++o) {
      EXPECT_EQ(p.value("pawl_messages_total", {{"entity_type", type}, {"outcome", message_outcome_names[o]}}),
                4.0 * double(o + 1));
    }
    EXPECT_EQ(p.value("pawl_messages_out_of_order_total", labels), 16);
    EXPECT_EQ(p.value("pawl_processed_ids", labels), 24);
    EXPECT_EQ(p.value("pawl_ordering_violations_total", labels), 4);
    EXPECT_EQ(p.value("pawl_early_messages_total", {{"entity_type", type}, {"result", "held"}}), 12);
    EXPECT_EQ(p.value("pawl_early_messages_total", {{"entity_type", type}, {"result", "not_held"}}), 8);
    EXPECT_EQ(p.value("pawl_held_messages", labels), 20);
    EXPECT_EQ(p.value("pawl_number_gaps_total", {{"entity_type", type}, {"event", "opened"}}), 24);
    EXPECT_EQ(p.value("pawl_number_gaps_total", {{"entity_type", type}, {"event", "filled"}}), 16);
    EXPECT_EQ(p.value("pawl_number_gaps_total", {{"entity_type", type}, {"event", "timed_out"}}), 4);
    EXPECT_EQ(p.value("pawl_message_latency_seconds_count", labels), 16);
    EXPECT_NEAR(p.value("pawl_message_latency_seconds_sum", labels), 4 * (0.0001 + 0.04 + 100), 1e-6);
  }
}

TEST(Exporter, ShowsCommitsClaimsAndHandoffs) {
  const exposition p(page(busy_node()));
  EXPECT_EQ(p.value("pawl_commits_total"), 20);
  EXPECT_EQ(p.value("pawl_commits_refused_total"), 4);
  EXPECT_EQ(p.value("pawl_commits_fenced_total"), 8);
  EXPECT_EQ(p.value("pawl_commits_unknown_total"), 12);
  EXPECT_EQ(p.value("pawl_committed_messages_total"), 200);
  EXPECT_EQ(p.value("pawl_commit_latency_seconds_count"), 4);
  EXPECT_EQ(p.value("pawl_claims_total"), 8);
  EXPECT_EQ(p.value("pawl_forwarded_messages_total"), 28);
  for (const auto* reason : {"start", "join", "drain", "takeover"})
    EXPECT_EQ(p.value("pawl_handoffs_total", {{"reason", reason}}), 4);
  EXPECT_EQ(p.value("pawl_handoff_pause_seconds_bucket", {{"le", "0.1"}}), 0);
  EXPECT_EQ(p.value("pawl_handoff_pause_seconds_bucket", {{"le", "0.25"}}), 4);
}

TEST(Exporter, ShowsTheNode) {
  const exposition p(page(busy_node()));
  EXPECT_EQ(p.value("pawl_shards"), 4);
  EXPECT_EQ(p.value("pawl_shards_owned"), 2);
  EXPECT_EQ(p.value("pawl_shard_queued_messages"), 12);
  EXPECT_EQ(p.value("pawl_shard_entities"), 40);
  EXPECT_EQ(p.value("pawl_shards_stalled"), 2);
  EXPECT_EQ(p.value("pawl_shards_unserved"), 3);
  EXPECT_EQ(p.value("pawl_shard_unserved_seconds_max"), 4.25);
  EXPECT_EQ(p.value("pawl_members"), 3);
  EXPECT_EQ(p.value("pawl_view"), 12);
  EXPECT_EQ(p.value("pawl_store_up"), 1);
  EXPECT_EQ(p.value("pawl_store_reconnects_total"), 6);
  EXPECT_EQ(p.value("pawl_evictions_total"), 1);
  EXPECT_EQ(p.value("pawl_lease_remaining_seconds"), 0);  // it is no member
  EXPECT_EQ(p.value("pawl_lease_renewal_seconds_count"), 1);
  EXPECT_EQ(p.value("pawl_lease_renewal_seconds_bucket", {{"le", "0.0025"}}), 1);
  EXPECT_EQ(p.value("pawl_peer_connections"), 2);
  EXPECT_EQ(p.value("pawl_peer_bytes_total", {{"direction", "in"}}), 1'000);
  EXPECT_EQ(p.value("pawl_peer_bytes_total", {{"direction", "out"}}), 2'000);
  EXPECT_EQ(p.value("pawl_http_requests_total", {{"class", "2xx"}}), 21);
  EXPECT_EQ(p.value("pawl_http_requests_total", {{"class", "4xx"}}), 22);
  EXPECT_EQ(p.value("pawl_http_requests_total", {{"class", "5xx"}}), 23);
  EXPECT_EQ(p.value("pawl_build_info", {{"version", "1.2.3"}}), 1);
}

TEST(LeaseMargin, FallsBetweenBeatsAndNeverBelowZero) {
  using namespace std::chrono_literals;
  const lease_margin::clock::time_point sent{1h};
  lease_margin m(3s);
  EXPECT_FALSE(m.remaining(sent));
  m.show(sent);
  EXPECT_EQ(m.remaining(sent), 3'000ms);
  EXPECT_EQ(m.remaining(sent + 200ms), 2'800ms);
  EXPECT_EQ(m.remaining(sent + 1h), 0ms);
  m.show(sent + 1h);
  EXPECT_EQ(m.remaining(sent + 1h + 1ms), 2'999ms);
  m.show(std::nullopt);
  EXPECT_FALSE(m.remaining(sent));
}

TEST(Exporter, TheLeaseFallsByItself) {
  using namespace std::chrono_literals;
  node_metrics m(1, {"order"});
  m.lease.set_lease(1h);
  m.lease.show(lease_margin::clock::now() - 30min);
  const auto seconds = exposition(page(m)).value("pawl_lease_remaining_seconds");
  EXPECT_GT(seconds, 0);
  EXPECT_LE(seconds, 1'800);
}

TEST(Exporter, ShowsSeriesOfAShardOnlyAtItsOwner) {
  const exposition p(page(busy_node()));
  const auto series = p.all("pawl_shard_messages_total");
  ASSERT_EQ(series.size(), 2U);
  EXPECT_EQ(series[0].labels.at("shard"), "1");
  EXPECT_EQ(series[1].labels.at("shard"), "3");
  EXPECT_EQ(series[0].value, 2 * (1 + 2 + 3 + 4 + 5));
}

TEST(Exporter, EveryLabelCombinationExistsBeforeAnythingHappened) {
  const exposition p(page(node_metrics(2, {"order"})));
  for (const auto* outcome : message_outcome_names)
    EXPECT_EQ(p.value("pawl_messages_total", {{"entity_type", "order"}, {"outcome", outcome}}), 0);
  EXPECT_EQ(p.all("pawl_handoffs_total").size(), handoff_reason_names.size());
  EXPECT_EQ(p.all("pawl_http_requests_total").size(), 3U);
  EXPECT_EQ(p.all("pawl_peer_bytes_total").size(), 2U);
  EXPECT_EQ(p.value("pawl_ordering_violations_total", {{"entity_type", "order"}}), 0);
  EXPECT_EQ(p.value("pawl_message_latency_seconds_count", {{"entity_type", "order"}}), 0);
}

TEST(Exporter, BucketsAreCumulativeAndTheLastIsInfiniteAndTheCount) {
  const exposition p(page(busy_node()));
  std::size_t histograms = 0;
  for (const auto& [name, type] : p.types) {
    if (type != "histogram") continue;
    // Series of one histogram, by their labels without `le`.
    std::map<std::map<std::string, std::string>, std::vector<std::pair<double, double>>> series;
    for (auto s : p.all(name + "_bucket")) {
      const auto bound = std::stod(s.labels.at("le"));
      s.labels.erase("le");
      series[s.labels].emplace_back(bound, s.value);
    }
    for (const auto& [labels, buckets] : series) {
      ++histograms;
      for (std::size_t i = 1; i < buckets.size(); ++i) {
        EXPECT_LT(buckets[i - 1].first, buckets[i].first) << name;
        EXPECT_LE(buckets[i - 1].second, buckets[i].second) << name;
      }
      EXPECT_TRUE(std::isinf(buckets.back().first)) << name;
      EXPECT_EQ(buckets.back().second, p.value(name + "_count", labels)) << name;
    }
  }
  EXPECT_EQ(histograms, 5U);
  const std::map<std::string, std::string> order{{"entity_type", "order"}};
  const auto below = [&](const std::string& le) {
    return p.value("pawl_message_latency_seconds_bucket", {{"entity_type", "order"}, {"le", le}});
  };
  EXPECT_EQ(below("0.0001"), 4);
  EXPECT_EQ(below("0.01"), 4);
  EXPECT_EQ(below("0.025"), 12);
  EXPECT_EQ(below("2.5"), 12);
  EXPECT_EQ(below("+Inf"), 16);
}

TEST(Exporter, EscapesLabelValues) {
  const exposition p(render_prometheus(node_metrics(1, {"a\"b\\c"}), "1\"2"));
  EXPECT_EQ(p.value("pawl_ordering_violations_total", {{"entity_type", "a\"b\\c"}}), 0);
  EXPECT_EQ(p.value("pawl_build_info", {{"version", "1\"2"}}), 1);
}

TEST(Exporter, EveryFamilyHasHelpAndType) {
  const exposition p(page(busy_node()));
  EXPECT_EQ(p.helps.size(), p.types.size());
  for (const auto& [name, help] : p.helps) EXPECT_GT(help.size(), 5U) << name;
}

TEST(Exporter, ShowsTheProcess) {
  const exposition p(page(busy_node()));
  EXPECT_GT(p.value("process_cpu_seconds_total"), 0);
  EXPECT_GT(p.value("process_resident_memory_bytes"), 1e6);
  EXPECT_GE(p.value("process_open_fds"), 3);
  EXPECT_GT(p.value("process_max_fds"), p.value("process_open_fds"));
  EXPECT_LE(std::abs(p.value("process_start_time_seconds") - double(::time(nullptr))), 600);
}

TEST(Exporter, CountsADescriptorThatIsOpened) {
  const auto before = exposition(page(busy_node())).value("process_open_fds");
  const std::ifstream file("/proc/self/stat");
  ASSERT_TRUE(file);
  EXPECT_EQ(exposition(page(busy_node())).value("process_open_fds"), before + 1);
}

TEST(Exporter, AndItsReferenceNameTheSameMetrics) {
  std::set<std::string> exported;
  for (const auto& [name, type] : exposition(page(busy_node())).types) exported.insert(name);
  const auto documented = documented_names();
  for (const auto& name : exported) EXPECT_TRUE(documented.contains(name)) << name << " is missing in METRICS.md";
  for (const auto& name : documented) EXPECT_TRUE(exported.contains(name)) << name << " is in METRICS.md only";
}

TEST(Exporter, PassesPromtoolCheckMetrics) {
  const auto tool = promtool();
  ASSERT_FALSE(tool.empty())
      << "promtool is not in PATH and PROMTOOL is not set. Run: export PROMTOOL=$(scripts/find-promtool)";
  ASSERT_EQ(tool.find('\''), std::string::npos);

  for (const auto& text : {page(busy_node()), page(node_metrics(1, {"order"}))}) {
    FILE* pipe = ::popen(("'" + tool + "' check metrics 2>&1").c_str(), "w");
    ASSERT_NE(pipe, nullptr);
    EXPECT_EQ(std::fwrite(text.data(), 1, text.size(), pipe), text.size());
    const int status = ::pclose(pipe);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << tool << " check metrics: see its complaints above";
  }
}

}  // namespace pawl::testing

// NOLINTEND(concurrency-mt-unsafe)
