"""The main part: how many messages per second, and what each costs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from .bench import Bench
from .subjects import bare, cluster, door, http, streams
from .suite import Suite
from .work import SHARDS, Work

PART = "main"
DOOR = "pawl, one process"
HTTP = "pawl, HTTP batches"
CLUSTER = "pawl, 3 processes"
BARE = "bare client, same commits"
BARE_DEEP = "bare client, 16 times as many under way"
PLAIN = "redis streams by hand"
PIPELINED = "redis streams by hand, pipelined"

SMALL, LARGE = 1_000, 1_000_000


def measure(bench: Bench, suite: Suite) -> None:
    for orders in (SMALL, LARGE // 10 if suite.quick else LARGE):
        # As long as a few seconds each, whatever the speed.
        fast = Work(orders=orders, messages=suite.scaled(1_000_000))
        slow = replace(fast, messages=suite.scaled(200_000))
        load = fast.load
        for _ in range(suite.rounds):
            suite.interleave(
                PART,
                [
                    (PLAIN, load, partial(streams, bench, slow, pipelined=False)),
                    (PIPELINED, load, partial(streams, bench, slow, pipelined=True)),
                    (DOOR, load, partial(door, bench, fast)),
                    (HTTP, load, partial(http, bench, slow)),
                    (CLUSTER, load, partial(cluster, bench, fast, members=3)),
                ],
                rounds=1,
            )
            # One commit per shard under way is what a node has; more is what no ordered system may.
            ceilings = bare(bench, fast, (SHARDS, 16 * SHARDS))
            suite.take(PART, BARE, load, ceilings[SHARDS])
            suite.take(PART, BARE_DEEP, load, ceilings[16 * SHARDS])
