"""How long a message takes while there is room: open loop, counted from when each was due. Nothing is pinned."""

from __future__ import annotations

from functools import partial

from . import comparison
from .bench import Bench
from .subjects import door, forwarded, streams
from .suite import Suite
from .work import Pace, Work

PART = "latency"
FORWARDED = "pawl, forwarded to another process"
FIXED_RATE = 20_000
SHARES = (0.3, 0.7)


def maximum(bench: Bench, suite: Suite) -> float:
    """What one process takes at most, as measured in this run."""
    work = Work(messages=suite.scaled(1_000_000))
    known = suite.median(comparison.PART, comparison.DOOR, work.load, "messages_per_s")
    return known or door(bench, work)["messages_per_s"]


def measure(bench: Bench, suite: Suite) -> None:
    work = Work()
    seconds = 2.0 if suite.quick else 5.0
    load = f"{FIXED_RATE:,}/s, single messages"
    pace = Pace(FIXED_RATE, seconds)
    runs = [
        (comparison.DOOR, load, partial(door, bench, work, pace)),
        (FORWARDED, load, partial(forwarded, bench, work, pace)),
        (comparison.PLAIN, load, partial(streams, bench, work, pace, pipelined=False)),
        (comparison.PIPELINED, load, partial(streams, bench, work, pace, pipelined=True)),
    ]
    most = maximum(bench, suite)
    for share in SHARES:
        load = f"{share:.0%} of one process's most"
        pace = Pace(share * most, seconds, work.batch)
        runs.append((comparison.DOOR, load, partial(door, bench, work, pace)))
        runs.append((FORWARDED, load, partial(forwarded, bench, work, pace)))
    suite.interleave(PART, runs)
