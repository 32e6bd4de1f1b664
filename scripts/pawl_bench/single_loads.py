"""Loads that stress one thing: one key, entities that are not in memory, a disk that must answer first."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from . import comparison
from .bench import Bench, batch_figures, load_figures, timed
from .figures import Figures
from .subjects import door, streams
from .suite import Suite
from .work import Work

HOT, COLD, ALWAYS = "hot", "cold", "always"

_HOT_WINDOW = 4_096  # a node keeps 8,192 messages waiting for one shard at most

def measure_hot(bench: Bench, suite: Suite) -> None:
    """All messages to one key: one shard, one commit under way."""
    fast = Work(orders=1, messages=suite.scaled(500_000), window=_HOT_WINDOW)
    slow = replace(fast, messages=suite.scaled(100_000))
    load = "one order"
    suite.interleave(
        HOT,
        [
            (comparison.PLAIN, load, partial(streams, bench, slow, pipelined=False)),
            (comparison.PIPELINED, load, partial(streams, bench, slow, pipelined=True)),
            (comparison.DOOR, load, partial(door, bench, fast)),
        ],
    )


def measure_cold(bench: Bench, suite: Suite) -> None:
    """Each order exists in Redis, and is touched for the first time since the node started."""
    sizes = [100_000] if suite.quick else [1_000_000]
    if suite.full:
        sizes.append(10_000_000)
    for orders in sizes:
        work = Work(orders=orders, messages=orders, duplicates=0)
        # Ten million take minutes to prepare.
        rounds = min(suite.rounds, 1 if orders > 1_000_000 else 3)
        for _ in range(rounds):
            cold, warm = _cold_and_warm(bench, work)
            suite.take(COLD, comparison.DOOR, f"{work.load}, first touch", cold)
            suite.take(COLD, comparison.DOOR, f"{work.load}, in memory", warm)


def _cold_and_warm(bench: Bench, work: Work) -> tuple[Figures, Figures]:
    with bench.store() as store:
        with bench.node(store, shards=work.shards) as node:
            node.ask("load", **work.warm_up())
        with bench.joining(store, "n2") as node:
            node.ask("members", members=1)
            node.ask("assume", **work.warm_up())
            found = []
            for tag in ("c", "t"):
                before = node.ask("account")
                answer, server_s = timed(store, lambda: node.ask("load", **work.timed() | {"tag": tag}))
                found.append(load_figures(answer, server_s) | batch_figures(before, node.ask("account")))
            node.ask("check")
    return found[0], found[1]


def measure_always(bench: Bench, suite: Suite) -> None:
    """appendfsync always on both sides: no answer before the disk has it."""
    fast = Work(messages=suite.scaled(300_000))
    slow = replace(fast, messages=suite.scaled(50_000))
    load = f"{fast.load}, fsync before each answer"
    suite.interleave(
        ALWAYS,
        [
            (comparison.PLAIN, load, partial(streams, bench, slow, appendfsync="always", pipelined=False)),
            (comparison.PIPELINED, load, partial(streams, bench, slow, appendfsync="always", pipelined=True)),
            (comparison.DOOR, load, partial(door, bench, fast, appendfsync="always")),
        ],
    )
