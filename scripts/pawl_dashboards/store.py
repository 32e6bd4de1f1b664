"""Commits, and the store they go to."""

from __future__ import annotations

from .dashboard import Dashboard, Section
from .panels import Limits, Query, graph, heatmap, stat
from .queries import buckets, increase, mean, quantile, rate, series, share_of, total

_NOW = Section(
    "Now",
    [
        stat(
            "Store",
            "Whether every chosen node has all its connections to Redis.",
            f"min({series('pawl_store_up')})",
            "short",
            Limits(critical=1, below=True),
            names={"0": "down", "1": "up"},
            width=6,
        ),
        stat(
            "Commit p99",
            "99 of 100 commits are answered within this. No value: no commit.",
            quantile(0.99, "pawl_commit_latency_seconds"),
            "s",
            Limits(0.05, 0.25),
            width=6,
        ),
        stat(
            "Refused commits, 1 h",
            "Answered with an error: the store is full, read only or misconfigured.",
            total(increase("pawl_commits_refused_total", window="1h")),
            "short",
            Limits(critical=1e-9),
            decimals=0,
            width=6,
        ),
        stat(
            "Unknown commits, 1 h",
            "Without a conclusive answer; the shard claimed anew and found out.",
            total(increase("pawl_commits_unknown_total", window="1h")),
            "short",
            Limits(1e-9),
            decimals=0,
            width=6,
        ),
    ],
)

_COMMITS = Section(
    "Commits",
    [
        graph(
            "Commits by answer",
            "confirmed is the normal one. fenced: written by a node that no longer owned the shard, without effect.",
            [
                Query(total(rate(metric)), legend)
                for metric, legend in (
                    ("pawl_commits_total", "confirmed"),
                    ("pawl_commits_refused_total", "refused"),
                    ("pawl_commits_fenced_total", "fenced"),
                    ("pawl_commits_unknown_total", "unknown"),
                )
            ],
            "ops",
        ),
        graph(
            "Messages per commit",
            "Rises with the load: what arrives while one commit is under way forms the next.",
            [Query(share_of(total(rate("pawl_committed_messages_total")), total(rate("pawl_commits_total"))), "average")],
            "short",
        ),
        graph(
            "Commit latency",
            "From sending a commit to its answer.",
            [Query(quantile(q, "pawl_commit_latency_seconds"), f"p{q * 100:g}") for q in (0.5, 0.95, 0.99)],
            "s",
            Limits(0.05),
        ),
        heatmap(
            "Commits by latency",
            "As a distribution. A second band above: fsync, or another user of the store.",
            buckets("pawl_commit_latency_seconds"),
            "s",
        ),
        graph(
            "Where a message spends its time",
            "Means. What is between the two is time in the shard's queue.",
            [
                Query(mean("pawl_message_latency_seconds"), "message"),
                Query(mean("pawl_commit_latency_seconds"), "commit"),
            ],
            "s",
        ),
        graph(
            "Committed messages",
            "Per node.",
            [Query(rate("pawl_committed_messages_total"), "{{node}}")],
            "cps",
            stacked=True,
        ),
    ],
)

_CONNECTION = Section(
    "Connection",
    [
        graph(
            "Store up",
            "1 while a node has all its connections to the store.",
            [Query(series("pawl_store_up"), "{{node}}")],
            "short",
            steps=True,
        ),
        graph(
            "Reconnects",
            "Connections opened anew: the network, or a restart of the store.",
            [Query(increase("pawl_store_reconnects_total"), "{{node}}")],
            "short",
            bars=True,
        ),
        graph(
            "Commit p99 per node",
            "One node alone: its way to the store. All together: the store.",
            [Query(quantile(0.99, "pawl_commit_latency_seconds", by=("node",)), "{{node}}")],
            "s",
            Limits(0.05),
        ),
        graph(
            "Claims granted",
            "A steady rate: the connection flaps, and shards are claimed anew each time.",
            [Query(rate("pawl_claims_total"), "{{node}}")],
            "cps",
        ),
    ],
)

STORE = Dashboard(
    "store",
    "Pawl / Store",
    "Commits: how many, how large, how long they take, and how the store answers.",
    [_NOW, _COMMITS, _CONNECTION],
)
