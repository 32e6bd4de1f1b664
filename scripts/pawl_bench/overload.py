"""More than it can take: is memory bounded, are refusals refusals, and does what was accepted still go fast? And one
shard that cannot keep up: do the others notice?"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from . import comparison
from .bench import Bench, latency_figures
from .figures import Figures
from .program import Program
from .subjects import door
from .suite import Suite
from .work import Pace, Work

PART = "overload"
TIMES = 3
_SLOW = {"prefix": "slow-", "tag": "t", "orders": 1, "pause_us": 20_000, "rate": 25.0, "batch": 1, "duplicates": 0}
_HTTP_SHARDS = 16  # so that what 256 connections can hold is more than the queues may
_HTTP_FLOOD = {"prefix": "h", "senders": 256, "batch": 1_024}


def _watched(node: Program, program: Program, **load: Any) -> tuple[dict[str, Any], float]:
    """A load's answer, and the greatest resident memory of the node meanwhile, in MB."""
    most = 0
    program.tell("load", **load)
    while not program.answered():
        most = max(most, node.resident_bytes())
        time.sleep(0.02)
    return program.answer(), most / 1e6


def _figures(answer: dict[str, Any], resident_mb: float, most: float | None = None) -> Figures:
    refusals = {f"turned_away_{kind}": float(count) for kind, count in answer["turned_away"].items()}
    return {
        "messages_per_s": answer["rate"],
        "offered_per_s": answer["offered_rate"],
        **({"late_ms": answer["late_ms"]} if "late_ms" in answer else {}),
        "turned_away": sum(refusals.values()),
        "resident_mb": resident_mb,
        **({"share_of_maximum": answer["rate"] / most} if most else {}),
        **refusals,
        **latency_figures(answer),
    }


def _door(bench: Bench, work: Work, seconds: float) -> Figures:
    most = _most(bench, work)
    with bench.store() as store, bench.node(store, shards=work.shards) as node:
        node.ask("load", **work.warm_up())
        pace = Pace(TIMES * most, seconds, work.batch)
        answer, resident_mb = _watched(node, node, **pace.of(work.timed()))
        node.ask("check")
        return _figures(answer, resident_mb, most)


def _most(bench: Bench, work: Work) -> float:
    """What one process takes at most. Asked anew just before: between two parts of a run, a shared machine's speed may
    change by more than is looked for here."""
    return door(bench, work)["messages_per_s"]


def _http(bench: Bench, work: Work) -> tuple[Figures, Figures]:
    """At most, and flooded."""
    with bench.store() as store, bench.node(store, "--http", shards=_HTTP_SHARDS) as node:
        port = str(node.ready["http"])
        with bench.program("http", "--port", port) as client:
            calm, calm_mb = _watched(node, client, **work.timed() | {"prefix": "c", "senders": 8, "batch": 256})
            client.ask("check")
            flood, flood_mb = _watched(node, client, **work.timed() | {"messages": 4 * work.messages} | _HTTP_FLOOD)
            client.ask("check")
    return _figures(calm, calm_mb, calm["rate"]), _figures(flood, flood_mb, calm["rate"])


def _beside_slow(bench: Bench, work: Work, pace: Pace, slow: bool) -> Figures:
    with bench.store() as store, bench.node(store, shards=work.shards) as node:
        node.ask("load", **work.warm_up())
        load = pace.of(work.timed())
        if slow:
            load["slow"] = _SLOW | {"messages": int(25 * pace.seconds)}
        answer, resident_mb = _watched(node, node, **load)
        node.ask("check")
        return _figures(answer, resident_mb)


def measure(bench: Bench, suite: Suite) -> None:
    work = Work(messages=suite.scaled(1_000_000))
    seconds = 2.0 if suite.quick else 5.0
    flooded = Work(messages=suite.scaled(400_000), orders=2_048, shards=_HTTP_SHARDS)
    for _ in range(min(suite.rounds, 3)):
        suite.take(PART, comparison.DOOR, f"offered {TIMES} times its most", _door(bench, work, seconds))
        calm, flood = _http(bench, flooded)
        suite.take(PART, comparison.HTTP, "8 senders", calm)
        suite.take(PART, comparison.HTTP, f"{_HTTP_FLOOD['senders']} senders, 64 times as many under way", flood)
    # What is due goes in at each moment, in small batches that cost more each than those the most is measured with: at
    # half of it, two cores are full already.
    pace = Pace(0.3 * _most(bench, work), seconds, work.batch)
    runs = [
        (comparison.DOOR, "at 30% of its most, all shards alike", partial(_beside_slow, bench, work, pace, slow=False)),
        (comparison.DOOR, "at 30% of its most, beside a slow shard", partial(_beside_slow, bench, work, pace, slow=True)),
    ]
    suite.interleave(PART, runs, min(suite.rounds, 3))
