#include "metrics/prometheus_exporter.hpp"

#include "metrics/process_metrics.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

// A scrape is a snapshot: no registry keeps a second copy of the counters, so the hot path writes plain integers and
// nothing can be exported twice or after its owner is gone. The reference of all names is METRICS.md.

namespace pawl {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using labels = std::vector<ClientMetric::Label>;

/// Histograms of all shards added up.
template <std::size_t N>
class histogram_sum {
public:
  void add(const single_writer_histogram<N>& h) {
    for (std::size_t i = 0; i <= N; ++i) counts_[i] += h.count(i);
    sum_ += h.sum();
  }

  [[nodiscard]] ClientMetric::Histogram snapshot(const std::array<double, N>& bounds) const {
    ClientMetric::Histogram out;
    out.sample_sum = sum_;
    for (std::size_t i = 0; i < N; ++i) {
      out.sample_count += counts_[i];
      out.bucket.push_back({out.sample_count, bounds[i]});
    }
    // The count is taken from the buckets, so the two agree although the writer goes on while we read. The serializer
    // adds the bucket `+Inf` by itself; given here, it would appear twice.
    out.sample_count += counts_[N];
    return out;
  }

private:
  std::array<std::uint64_t, N + 1> counts_{};
  double sum_ = 0;
};

class page {
public:
  /// Begins a family; samples added next belong to it. `help` is one line: the serializer does not escape it, and a
  /// line end in it makes the whole scrape unreadable.
  void begin(MetricType type, std::string name, std::string help) {
    families_.push_back({std::move(name), std::move(help), type, {}});
  }

  void sample(std::uint64_t value, labels with = {}) { sample(static_cast<double>(value), std::move(with)); }

  void sample(double value, labels with = {}) {
    ClientMetric m;
    m.label = std::move(with);
    if (families_.back().type == MetricType::Counter) m.counter.value = value;
    else m.gauge.value = value;
    families_.back().metric.push_back(std::move(m));
  }

  void sample(ClientMetric::Histogram value, labels with = {}) {
    ClientMetric m;
    m.label = std::move(with);
    m.histogram = std::move(value);
    families_.back().metric.push_back(std::move(m));
  }

  template <class Value>
  void counter(std::string name, std::string help, Value value) {
    begin(MetricType::Counter, std::move(name), std::move(help));
    sample(std::move(value));
  }

  template <class Value>
  void gauge(std::string name, std::string help, Value value) {
    begin(MetricType::Gauge, std::move(name), std::move(help));
    sample(std::move(value));
  }

  [[nodiscard]] std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

private:
  std::vector<MetricFamily> families_;
};

/// Sum of one counter over all shards.
template <class Get>
std::uint64_t total(const node_metrics& m, Get get) {
  std::uint64_t sum = 0;
  for (const auto& shard : m.shards) sum += get(*shard).value();
  return sum;
}

void add_messages(page& out, const node_metrics& m) {
  const auto type_label = [&](std::size_t type) { return ClientMetric::Label{"entity_type", m.entity_types[type]}; };
  const auto for_each_type = [&](auto get) {
    for (std::size_t type = 0; type < m.entity_types.size(); ++type) {
      out.sample(total(
                     m, [&](const shard_metrics& s) -> auto& { return get(s.messages[type]); }),
                 {type_label(type)});
    }
  };

  out.begin(MetricType::Counter, "pawl_messages_total", "Messages by their outcome at the owner of the shard.");
  for (std::size_t type = 0; type < m.entity_types.size(); ++type) {
    for (std::size_t o = 0; o < message_outcome_names.size(); ++o) {
      out.sample(total(
                     m, [&](const shard_metrics& s) -> auto& { return s.messages[type].outcomes[o]; }),
                 {type_label(type), {"outcome", message_outcome_names[o]}});
    }
  }

  out.begin(MetricType::Counter, "pawl_messages_out_of_order_total",
            "Messages that arrived with a sender number below or beyond the next one of their key.");
  for_each_type([](const message_metrics& t) -> auto& { return t.out_of_order; });

  out.begin(MetricType::Counter, "pawl_ordering_violations_total",
            "Messages applied with a sender number not above the last one applied. Must stay 0.");
  for_each_type([](const message_metrics& t) -> auto& { return t.ordering_violations; });

  out.begin(MetricType::Gauge, "pawl_processed_ids",
            "Ids of messages applied or refused for good that the shards of this node remember.");
  for_each_type([](const message_metrics& t) -> auto& { return t.ids; });

  out.begin(MetricType::Counter, "pawl_early_messages_total",
            "Messages of sequenced types that came before a missing number, and whether they were held.");
  for (std::size_t type = 0; type < m.entity_types.size(); ++type) {
    const auto early = [&](const char* result, single_writer_counter message_metrics::*member) {
      out.sample(total(
                     m, [&](const shard_metrics& s) -> auto& { return s.messages[type].*member; }),
                 {type_label(type), {"result", result}});
    };
    early("held", &message_metrics::early_held);
    early("not_held", &message_metrics::early_full);
  }

  out.begin(MetricType::Gauge, "pawl_held_messages", "Early messages in memory, until the missing numbers come.");
  for_each_type([](const message_metrics& t) -> auto& { return t.held; });

  out.begin(MetricType::Counter, "pawl_number_gaps_total", "Gaps in the numbers of sequenced entities.");
  for (std::size_t type = 0; type < m.entity_types.size(); ++type) {
    const auto gaps = [&](const char* event, single_writer_counter message_metrics::*member) {
      out.sample(total(
                     m, [&](const shard_metrics& s) -> auto& { return s.messages[type].*member; }),
                 {type_label(type), {"event", event}});
    };
    gaps("opened", &message_metrics::gaps_opened);
    gaps("filled", &message_metrics::gaps_filled);
    gaps("timed_out", &message_metrics::gaps_timed_out);
  }

  out.begin(MetricType::Histogram, "pawl_message_latency_seconds",
            "Time from acceptance at the owner to the confirmed commit.");
  for (std::size_t type = 0; type < m.entity_types.size(); ++type) {
    histogram_sum<latency_bounds.size()> sum;
    for (const auto& shard : m.shards) sum.add(shard->messages[type].latency);
    out.sample(sum.snapshot(latency_bounds), {type_label(type)});
  }

  out.counter("pawl_forwarded_messages_total", "Messages sent on to the member that owns their shard.",
              total(
                  m, [](const shard_metrics& s) -> auto& { return s.forwarded; }));
}

void add_commits(page& out, const node_metrics& m) {
  const auto counter = [&](const char* name, const char* help, single_writer_counter shard_metrics::*member) {
    out.counter(name, help,
                total(
                    m, [&](const shard_metrics& s) -> auto& { return s.*member; }));
  };
  counter("pawl_commits_total", "Commits confirmed by the store.", &shard_metrics::commits);
  counter("pawl_commits_refused_total", "Commits the store answered with an error: certainly not applied.",
          &shard_metrics::commits_refused);
  counter("pawl_commits_fenced_total", "Commits written under a token that is no longer the shard's.",
          &shard_metrics::commits_fenced);
  counter("pawl_commits_unknown_total", "Commits without a conclusive answer.", &shard_metrics::commits_unknown);
  counter("pawl_committed_messages_total", "Messages in confirmed commits.", &shard_metrics::committed_messages);

  histogram_sum<latency_bounds.size()> latency;
  for (const auto& shard : m.shards) latency.add(shard->commit_latency);
  out.begin(MetricType::Histogram, "pawl_commit_latency_seconds", "Time from sending a commit to its answer.");
  out.sample(latency.snapshot(latency_bounds));
}

void add_workflow(page& out, const node_metrics& m) {
  const auto sum = [&](single_writer_counter shard_metrics::*member) {
    return total(
        m, [&](const shard_metrics& s) -> auto& { return s.*member; });
  };
  out.counter("pawl_sequenced_messages_total",
              "Messages of numbering sources, other shards among them, taken for good.",
              sum(&shard_metrics::sequenced_messages));
  out.counter("pawl_sequence_mismatches_total", "Batches of numbering sources that did not follow what had been taken.",
              sum(&shard_metrics::sequence_mismatches));
  out.gauge("pawl_outbox_messages", "Messages of entities whose receiver is not known to have taken them.",
            sum(&shard_metrics::outbox_messages));
  out.gauge("pawl_outbox_receivers_stopped", "Pairs of shards that stand still after a rollback of the store.",
            sum(&shard_metrics::outbox_stopped));
  out.gauge("pawl_timers", "Pending timers.", sum(&shard_metrics::timers));
  out.counter("pawl_timers_fired_total", "Timers whose message was handled, or became a dead letter.",
              sum(&shard_metrics::timers_fired));
  out.counter("pawl_inbox_entries_total", "Entries of inboxes that were taken, with their effects or as dead letters.",
              sum(&shard_metrics::inbox_entries));
  out.counter("pawl_inbox_lost_total", "Entries that were removed from an inbox before they were read.",
              sum(&shard_metrics::inbox_lost));
  out.gauge("pawl_inbox_stopped", "Inboxes that are not read, because their stream is behind what was taken of it.",
            sum(&shard_metrics::inbox_stopped));
  std::uint64_t lag = 0;
  for (const auto& s : m.shards) lag = std::max(lag, s->inbox_lag_ms.value());
  out.gauge("pawl_inbox_lag_seconds", "Age of the oldest entry that was read and waits to be taken.",
            static_cast<double>(lag) / 1e3);
  out.gauge("pawl_dead_letters", "Dead letters of the shards this node owns.", sum(&shard_metrics::dead_letters));
  out.counter("pawl_dead_letters_added_total", "Messages that became dead letters.",
              sum(&shard_metrics::dead_letters_added));
}

void add_ownership(page& out, const node_metrics& m) {
  out.counter("pawl_claims_total", "Shard claims granted to this node.",
              total(
                  m, [](const shard_metrics& s) -> auto& { return s.claims; }));

  out.begin(MetricType::Counter, "pawl_handoffs_total", "Shards that began to be served by this node.");
  for (std::size_t r = 0; r < handoff_reason_names.size(); ++r) {
    out.sample(total(
                   m, [&](const shard_metrics& s) -> auto& { return s.handoffs[r]; }),
               {{"reason", handoff_reason_names[r]}});
  }

  histogram_sum<pause_bounds.size()> pause;
  for (const auto& shard : m.shards) pause.add(shard->handoff_pause);
  out.begin(MetricType::Histogram, "pawl_handoff_pause_seconds",
            "Time from a shard being placed on this node to it being served.");
  out.sample(pause.snapshot(pause_bounds));
}

void add_shards(page& out, const node_metrics& m) {
  const auto gauge = [&](const char* name, const char* help, single_writer_counter shard_metrics::*member) {
    out.gauge(name, help,
              total(
                  m, [&](const shard_metrics& s) -> auto& { return s.*member; }));
  };
  out.gauge("pawl_shards", "Shards of the dataset.", std::uint64_t{m.shards.size()});
  gauge("pawl_shards_owned", "Shards claimed by this node.", &shard_metrics::owned);
  gauge("pawl_shard_queued_messages", "Messages waiting at this node, over all shards.", &shard_metrics::queued);
  gauge("pawl_shard_entities", "Entities in memory at this node, over all shards.", &shard_metrics::entities);

  out.gauge("pawl_shards_stalled", "Shards of this node in a handler that has not returned for longer than a lease.",
            m.shards_stalled.load());
  out.gauge("pawl_shards_unserved", "Shards that this node could neither serve nor reach for more than a second.",
            m.shards_unserved.load());
  out.gauge("pawl_shard_unserved_seconds_max", "How long that has been so for the one unserved for longest, else 0.",
            static_cast<double>(m.shard_unserved_max_ms.load()) * 1e-3);

  // The only series per shard, and only from its owner: at 16,384 shards all of them from every node would be the
  // better part of the scrape. It starts with the claim; a rate over the cluster sums over nodes.
  out.begin(MetricType::Counter, "pawl_shard_messages_total",
            "Messages with any outcome, for each shard this node owns now.");
  for (std::size_t index = 0; index < m.shards.size(); ++index) {
    const auto& shard = *m.shards[index];
    if (shard.owned.value() == 0) continue;
    std::uint64_t messages = 0;
    for (const auto& type : shard.messages) {
      for (const auto& outcome : type.outcomes) messages += outcome.value();
    }
    out.sample(messages, {{"shard", std::to_string(index)}});
  }
}

void add_node(page& out, const node_metrics& m, const std::string& version) {
  out.gauge("pawl_members", "Members of the view this node acts on.", m.members.load());
  out.gauge("pawl_view", "Number of the view this node acts on.", m.view.load());
  out.gauge("pawl_store_up", "1 while all connections to the store are up, else 0.", m.store_up.load());
  out.counter("pawl_store_reconnects_total", "Connections to the store opened anew.", m.store_reconnects.load());
  out.counter("pawl_evictions_total", "Times this member was evicted by others.", m.evictions.load());
  out.gauge("pawl_lease_remaining_seconds",
            "How long this node would still be a member if it did not beat any more; 0 while it is none.",
            std::chrono::duration<double>(
                m.lease.remaining(lease_margin::clock::now()).value_or(std::chrono::milliseconds{0}))
                .count());
  histogram_sum<latency_bounds.size()> renewal;
  renewal.add(m.lease_renewal);
  out.begin(MetricType::Histogram, "pawl_lease_renewal_seconds", "Time from sending a beat to its confirmation.");
  out.sample(renewal.snapshot(latency_bounds));
  out.gauge("pawl_peer_connections", "Open connections to other members, two for each: one dialled by either side.",
            m.peer_links.load());

  out.begin(MetricType::Counter, "pawl_peer_bytes_total", "Bytes exchanged with other members.");
  out.sample(m.peer_bytes_in.load(), {{"direction", "in"}});
  out.sample(m.peer_bytes_out.load(), {{"direction", "out"}});

  out.begin(MetricType::Counter, "pawl_http_requests_total", "HTTP requests by the class of their status.");
  out.sample(m.http_requests_2xx.load(), {{"class", "2xx"}});
  out.sample(m.http_requests_4xx.load(), {{"class", "4xx"}});
  out.sample(m.http_requests_5xx.load(), {{"class", "5xx"}});

  out.begin(MetricType::Gauge, "pawl_build_info", "Always 1; the labels tell what runs.");
  out.sample(std::uint64_t{1}, {{"version", version}});
}

void add_process(page& out) {
  const auto process = read_process_metrics();
  const auto gauge = [&](const char* name, const char* help, std::optional<double> value) {
    if (value) out.gauge(name, help, *value);
  };
  if (process.cpu_seconds) {
    out.counter("process_cpu_seconds_total", "User and system CPU time spent.", *process.cpu_seconds);
  }
  gauge("process_resident_memory_bytes", "Resident memory.", process.resident_bytes);
  gauge("process_open_fds", "Open file descriptors.", process.open_fds);
  gauge("process_max_fds", "Limit of open file descriptors.", process.max_fds);
  gauge("process_start_time_seconds", "Start of the process, in seconds since 1970.", process.start_time);
}

}  // namespace

std::string render_prometheus(const node_metrics& metrics, const std::string& version) {
  page out;
  add_messages(out, metrics);
  add_commits(out, metrics);
  add_workflow(out, metrics);
  add_ownership(out, metrics);
  add_shards(out, metrics);
  add_node(out, metrics, version);
  add_process(out);
  return out.text();
}

}  // namespace pawl
