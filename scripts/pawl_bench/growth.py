"""How the figures change when one thing grows and the rest stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from . import comparison
from .bench import Bench
from .subjects import cluster, door, streams
from .suite import Run, Suite
from .work import Work

PART = "growth"

_SHARDS = (16, 64, 256, 1_024, 4_096)
_PAYLOADS = (50, 180, 1_024, 8_192, 65_536)
_DUPLICATES = (0.0, 0.05, 0.25, 0.5)
_WINDOWS = (256, 1_024, 4_096, 16_384, 65_536)
_MEMBERS = (1, 2, 3, 5, 8)
_BYTES_UNDER_WAY = 16 << 20
_ROUNDS_MOST = 3  # a curve shows by itself which point is off


def _entities(bench: Bench, suite: Suite, base: Work) -> Iterator[tuple[str, str, Run]]:
    sizes = [1_000, 10_000, 100_000] + ([] if suite.quick else [1_000_000]) + ([10_000_000] if suite.full else [])
    for orders in sizes:
        yield comparison.DOOR, f"{orders:,} orders", partial(door, bench, replace(base, orders=orders))


def _payload(base: Work, size: int) -> Work:
    """As many messages, and under way, as bytes allow."""
    under_way = max(16, min(base.window, _BYTES_UNDER_WAY // size))
    messages = max(2_000, min(base.messages, base.messages * 400 // size))
    return replace(base, payload=size, messages=messages, window=under_way, batch=min(base.batch, max(1, under_way // 8)))


def _runs(bench: Bench, suite: Suite) -> Iterator[tuple[str, str, Run]]:
    base = Work(messages=suite.scaled(500_000))
    by_hand = replace(base, messages=suite.scaled(150_000))
    yield from _entities(bench, suite, base)
    for shards in _SHARDS:
        yield comparison.DOOR, f"{shards:,} shards", partial(door, bench, replace(base, shards=shards))
    for size in _PAYLOADS:
        load = f"{size:,} bytes a message"
        yield comparison.PIPELINED, load, partial(streams, bench, _payload(by_hand, size), pipelined=True)
        yield comparison.DOOR, load, partial(door, bench, _payload(base, size))
    for share in _DUPLICATES:
        load = f"{share:.0%} duplicates"
        yield comparison.PIPELINED, load, partial(streams, bench, replace(by_hand, duplicates=share), pipelined=True)
        yield comparison.DOOR, load, partial(door, bench, replace(base, duplicates=share))
    for window in _WINDOWS:
        load = f"{window:,} under way"
        sized = replace(base, window=window, batch=min(base.batch, max(1, window // 16)))
        yield comparison.PIPELINED, load, partial(streams, bench, replace(by_hand, window=window), pipelined=True)
        yield comparison.DOOR, load, partial(door, bench, sized)
    for members in _MEMBERS:
        yield "pawl", f"{members} processes", partial(cluster, bench, base, members=members)


def measure(bench: Bench, suite: Suite) -> None:
    suite.interleave(PART, list(_runs(bench, suite)), min(suite.rounds, _ROUNDS_MOST))
