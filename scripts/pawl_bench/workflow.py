"""What entities do besides changing their state: messages to each other, timers, sagas of both; and messages that come by
the streams in Redis. Each run is in a store of its own, and every entity of it is read and checked afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from .bench import Bench, latency_figures, timed
from .figures import Figures
from .program import Program
from .store import Store
from .suite import Suite
from .work import SHARDS, WINDOW

PART = "workflow"
_ENTITIES = 1_000
_WARM_UP = 20_000
_SAGAS_UNDER_WAY = 4_096
_INBOX_RATE = 1_000.0
_INBOX_SECONDS = 10.0
_TIMERS_EACH = 50  # of one entity; a message may set 64
# From the first scheduling until all are due: they are scheduled and loaded again by another node meanwhile.
_DUE_SECONDS, _DUE_SECONDS_PER_TIMER = 15.0, 1e-4


@contextmanager
def _node(bench: Bench, program: str, store: Store, *arguments: str) -> Iterator[Program]:
    with bench.program(program, "--redis-socket", str(store.socket_path), "--shards", str(SHARDS), *arguments) as node:
        yield node


def _costs(store: Store, node: Program, run: Callable[[], dict[str, Any]]) -> Figures:
    """What each of what a load counts took: a message, an entry, a saga."""
    before = node.ask("account")
    answer, server_s = timed(store, run)
    commits = node.ask("account")["commits"] - before["commits"]
    count = answer["count"]
    return {
        "per_s": answer["rate"],
        "node_us_each": answer["cpu_s"] * 1e6 / count,
        "redis_us_each": server_s * 1e6 / count,
        "commits_each": commits / count,
    } | latency_figures(answer)


def _direct_and_relayed(bench: Bench, messages: int) -> tuple[Figures, Figures]:
    """The second of them is what being passed on adds: the same messages, less what they cost when they are not."""
    with bench.store() as store, _node(bench, "relay", store) as node:
        load = {"entities": _ENTITIES, "window": WINDOW}
        for name in ("direct", "relay"):
            node.ask(name, **load, messages=_WARM_UP, tag=f"w{name}")
        load["messages"] = messages
        direct = _costs(store, node, lambda: node.ask("direct", **load, tag="direct"))
        both = _costs(store, node, lambda: node.ask("relay", **load, tag="relay"))
        node.ask("check")
    relayed = {name: both[name] - direct[name] for name in ("node_us_each", "redis_us_each", "commits_each")}
    cpu = [sum(figures[name] for name in ("node_us_each", "redis_us_each")) for figures in (direct, relayed)]
    return direct, {"per_s": both["per_s"], **relayed, "times_direct": cpu[1] / cpu[0]}


def _saga(bench: Bench, sagas: int) -> Figures:
    with bench.store() as store, _node(bench, "saga", store) as node:
        node.ask("open", customers=_ENTITIES)
        node.ask("load", sagas=sagas // 10, window=_SAGAS_UNDER_WAY)
        figures = _costs(store, node, lambda: node.ask("load", sagas=sagas, window=_SAGAS_UNDER_WAY))
        node.ask("check")
    return figures


def _inbox(bench: Bench, entries: int, rate: float | None) -> Figures:
    with bench.store() as store, _node(bench, "inbox", store) as node:
        load = {"entities": _ENTITIES, "window": WINDOW}
        node.ask("load", **load, entries=_WARM_UP, tag="w")
        pace = {} if rate is None else {"rate": rate}
        figures = _costs(store, node, lambda: node.ask("load", **load, **pace, entries=entries, tag="t"))
        node.ask("check")
    return figures


def _timers(bench: Bench, timers: int) -> Figures:
    entities = timers // _TIMERS_EACH
    load = {"entities": entities, "window": WINDOW}
    with bench.store() as store:
        with _node(bench, "timers", store) as node:
            node.ask("touch", **load)
            empty, stored = node.ask("account"), store.memory_bytes()
            due_ms = int((time.time() + _DUE_SECONDS + timers * _DUE_SECONDS_PER_TIMER) * 1000)
            scheduled, server_s = timed(store, lambda: node.ask("schedule", **load, timers_each=_TIMERS_EACH, due_ms=due_ms))
            node.ask("pending", timers=timers)
            full, full_stored = node.ask("account"), store.memory_bytes()
        with _node(bench, "timers", store, "--joins", "--name", "n2") as node:
            loaded = node.ask("pending", timers=timers)
            fired = node.ask("fire", timers=timers)
            node.ask("check", entities=entities, timers_each=_TIMERS_EACH)
    return {
        "per_s": fired["rate"],
        "node_us_each": scheduled["cpu_s"] * 1e6 / timers,
        "redis_us_each": server_s * 1e6 / timers,
        "node_bytes": (full["resident_bytes"] - empty["resident_bytes"]) / timers,
        "redis_bytes": (full_stored - stored) / timers,
        "schedule_s": scheduled["seconds"],
        "load_s": loaded["seconds"],
    } | latency_figures(fired)


def measure(bench: Bench, suite: Suite) -> None:
    messages = suite.scaled(500_000)
    sagas = suite.scaled(100_000)
    for _ in range(suite.rounds):
        direct, relayed = _direct_and_relayed(bench, messages)
        load = f"{_ENTITIES:,} entities"
        suite.take(PART, "direct message", load, direct)
        suite.take(PART, "message passed on by its entity", load, relayed)
        suite.take(PART, "checkout saga", f"{_SAGAS_UNDER_WAY:,} under way", _saga(bench, sagas))
        suite.take(PART, "inbox entry", f"{WINDOW:,} under way", _inbox(bench, messages, None))
        slow = _inbox(bench, int(_INBOX_RATE * (2 if suite.quick else _INBOX_SECONDS)), _INBOX_RATE)
        suite.take(PART, "inbox entry", f"{_INBOX_RATE:,.0f}/s", slow)
    timers = 20_000 if suite.quick else 1_000_000 if suite.full else 100_000
    # A million takes two minutes.
    suite.interleave(PART, [("timer", f"{timers:,} due at once", lambda: _timers(bench, timers))], 1 if suite.full else None)
