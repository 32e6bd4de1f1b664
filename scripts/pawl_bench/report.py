"""The tables of a run, part by part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from . import comparison
from .figures import OTHERS, Measurement
from .table import Column, of, ratio_to, render, spread_of

RATE = of("messages/s", "messages_per_s")
SPREAD = spread_of("min .. max", "messages_per_s")
NODE = of("node us/msg", "node_us")
REDIS = of("redis us/msg", "redis_us")
CLIENT = of("client us/msg", "client_us")
BATCH = of("msgs/commit", "messages_per_commit")
P50 = of("p50 ms", "p50_ms")
P99 = of("p99 ms", "p99_ms")
P99_9 = of("p99.9 ms", "p99_9_ms")


def _beside(rows: Sequence[Measurement], subject: str) -> Callable[[Measurement], float | None]:
    """The rate of that subject under the same load."""

    def base(row: Measurement) -> float | None:
        return next(
            (r.median("messages_per_s") for r in rows if r.subject == subject and r.load == row.load),
            None,
        )

    return base


def _columns(part: str, rows: Sequence[Measurement]) -> list[Column]:
    to_peer = ratio_to("x pipelined", "messages_per_s", _beside(rows, comparison.PIPELINED))
    to_bare = ratio_to("x bare", "messages_per_s", _beside(rows, comparison.BARE))
    if part == "latency":
        return [RATE, of("busy", "turned_away"), P50, P99, P99_9, NODE, REDIS]
    if part == "overload":
        return [
            RATE,
            of("offered/s", "offered_per_s"),
            of("x maximum", "share_of_maximum"),
            of("sender late ms", "late_ms"),
            of("busy", "turned_away"),
            P50,
            P99,
            P99_9,
            of("resident MB", "resident_mb"),
        ]
    if part == "footprint":
        return [of("bytes", "bytes"), of("x state", "times_state"), of("% of a core", "core_percent"), of("MB", "megabytes")]
    if part == "workflow":
        return [
            of("per s", "per_s"),
            spread_of("min .. max", "per_s"),
            of("node us each", "node_us_each"),
            of("redis us each", "redis_us_each"),
            of("x direct", "times_direct"),
            of("commits each", "commits_each"),
            P50,
            P99,
            of("node bytes", "node_bytes"),
            of("redis bytes", "redis_bytes"),
            of("schedule s", "schedule_s"),
            of("load s", "load_s"),
        ]
    return [RATE, SPREAD, to_peer, to_bare, NODE, REDIS, CLIENT, BATCH]


def tables(measurements: Sequence[Measurement]) -> str:
    parts = dict.fromkeys(row.part for row in measurements)
    blocks = []
    for part in parts:
        rows = [row for row in measurements if row.part == part]
        blocks.append(f"{part}\n\n{render(rows, _columns(part, rows))}")
    return "\n\n".join(blocks)


def disturbance(measurements: Sequence[Measurement]) -> str:
    """What else ran: a reader must know before believing the rest."""
    cores = [figures[OTHERS] for row in measurements for figures in row.rounds if OTHERS in figures]
    if not cores:
        return ""
    return f"Other programs took {median(cores):.2f} cores of this machine meanwhile, {max(cores):.2f} at most."
