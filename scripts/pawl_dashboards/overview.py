"""Is it healthy, and if not, where to look."""

from __future__ import annotations

from .dashboard import Dashboard, Section
from .panels import Limits, Query, graph, stat
from .queries import increase, quantile, rate, series, share_of, total

_UNRESOLVED = share_of(
    total(rate("pawl_messages_total", 'outcome=~"busy|unknown"')), total(rate("pawl_messages_total"))
)

_UP = series("up", 'job="pawl"')

_HEALTH = Section(
    "Health",
    [
        stat(
            "Applied",
            "Messages that took effect, per second.",
            total(rate("pawl_messages_total", 'outcome="applied"')),
            "cps",
        ),
        stat(
            "Not resolved",
            "Share of messages answered busy or unknown. Their senders send them again; above 0.1 % the objective of "
            "99.9 % is missed.",
            _UNRESOLVED,
            "percentunit",
            Limits(0.001, 0.01),
            decimals=2,
        ),
        stat(
            "Ordering violations, 24 h",
            "Messages applied with a sender number not above the last one of their key. Must be 0.",
            total(increase("pawl_ordering_violations_total", window="24h")),
            "short",
            Limits(critical=1e-9),
            decimals=0,
        ),
        stat(
            "Latency p99",
            "99 of 100 messages are durable within this, counted from their arrival at the owner. Objective: 50 ms. "
            "No value: no message.",
            quantile(0.99, "pawl_message_latency_seconds"),
            "s",
            Limits(0.05, 0.25),
        ),
        stat(
            "Shards without owner",
            "Shards of the cluster that none of the chosen nodes has claimed. A node not scraped counts as one without shards.",
            f"max({series('pawl_shards')}) - {total(series('pawl_shards_owned'))}",
            "short",
            Limits(critical=1),
        ),
        stat(
            "Alerts firing",
            "See the alerts in Prometheus; each names the section of the runbook that says what to do.",
            'count(ALERTS{alertstate="firing",cluster=~"$cluster"}) or vector(0)',
            "short",
            Limits(1, 3),
        ),
        stat(
            "Nodes that answer",
            "Nodes whose last scrape succeeded.",
            total(_UP),
            "short",
            Limits(critical=1, below=True),
        ),
        stat(
            "Nodes that do not",
            "Nodes in the scrape configuration that do not answer: dead, frozen, cut off, or taken away on purpose.",
            total(f"1 - {_UP}"),
            "short",
            Limits(1, 2),
        ),
        stat(
            "Members",
            "Members of the view, at the node that knows the fewest.",
            f"min({series('pawl_members')})",
            "short",
            Limits(critical=1, below=True),
        ),
        stat(
            "Store",
            "Whether every chosen node has all its connections to Redis.",
            f"min({series('pawl_store_up')})",
            "short",
            Limits(critical=1, below=True),
            names={"0": "down", "1": "up"},
        ),
        stat(
            "Unserved for",
            "How long the shard waits that has been unserved for longest. Up to a lease is a takeover; more does not pass "
            "by itself.",
            f"max({series('pawl_shard_unserved_seconds_max')})",
            "s",
            Limits(3, 15),
        ),
        stat(
            "Versions",
            "Different versions that run. More than one during a rolling upgrade only.",
            f"count(count by (version) ({series('pawl_build_info')}))",
            "short",
            Limits(warning=2),
        ),
    ],
)

_MESSAGES = Section(
    "Messages",
    [
        graph(
            "Messages by outcome",
            "Judged by the owners of their shards. A retry counts again. busy and unknown are not resolved.",
            [Query(total(rate("pawl_messages_total"), "outcome"), "{{outcome}}")],
            "cps",
            stacked=True,
        ),
        graph(
            "Latency",
            "From arrival at the owner to the confirmed commit. The line is the objective.",
            [Query(quantile(q, "pawl_message_latency_seconds"), f"p{q * 100:g}") for q in (0.5, 0.95, 0.99)],
            "s",
            Limits(0.05),
        ),
        graph(
            "Messages per node",
            "What each node judged, as the owner. Uneven: see the shards that take most.",
            [Query(total(rate("pawl_messages_total"), "node"), "{{node}}")],
            "cps",
        ),
        graph(
            "Forwarded per node",
            "Messages that a node took and another one owned.",
            [Query(total(rate("pawl_forwarded_messages_total"), "node"), "{{node}}")],
            "cps",
        ),
        graph(
            "Waiting messages",
            "In the queues of each node. Grows while a shard has no owner or the store is slow; full queues answer busy.",
            [Query(series("pawl_shard_queued_messages"), "{{node}}")],
            "short",
            Limits(10_000),
        ),
        graph(
            "HTTP requests by class",
            "4xx: senders are wrong or too fast. 5xx: an outcome is not known, or the node cannot serve.",
            [Query(total(rate("pawl_http_requests_total"), "class"), "{{class}}")],
            "reqps",
        ),
    ],
)

_PROCESSES = Section(
    "Processes",
    [
        graph(
            "CPU",
            "Cores in use.",
            [Query(rate("process_cpu_seconds_total"), "{{node}}")],
            "short",
        ),
        graph(
            "Resident memory",
            "Mostly entities: entities.passivate_after and entities.resident_per_shard bound them.",
            [Query(series("process_resident_memory_bytes"), "{{node}}")],
            "bytes",
        ),
        graph(
            "Entities in memory",
            "Over all shards of each node.",
            [Query(series("pawl_shard_entities"), "{{node}}")],
            "short",
        ),
        graph(
            "File descriptors",
            "Share of the limit in use. At the limit no connection is accepted.",
            [Query(f"{series('process_open_fds')} / {series('process_max_fds')}", "{{node}}")],
            "percentunit",
            Limits(0.8),
        ),
        graph(
            "Traffic between nodes",
            "Bytes sent to and received from other members.",
            [Query(total(rate("pawl_peer_bytes_total"), "node", "direction"), "{{node}} {{direction}}")],
            "Bps",
        ),
        graph(
            "Time since start",
            "Falls to 0 at a restart.",
            [Query(f"time() - {series('process_start_time_seconds')}", "{{node}}")],
            "s",
        ),
        graph(
            "Duration of a scrape",
            "What /metrics takes, as Prometheus sees it.",
            [Query(series("scrape_duration_seconds", 'job="pawl"'), "{{node}}")],
            "s",
        ),
    ],
)

OVERVIEW = Dashboard(
    "overview",
    "Pawl / Overview",
    "Is the cluster healthy, and if not, where to look.",
    [_HEALTH, _MESSAGES, _PROCESSES],
)
