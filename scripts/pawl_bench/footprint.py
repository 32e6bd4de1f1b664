"""What things take that lie still: memory per entity and per processed id, and a node without work."""

from __future__ import annotations

import time
from typing import Any

from pawl_demo.processes import wait_until

from .bench import Bench
from .figures import Figures
from .program import Program
from .suite import Suite
from .work import SHARDS, Work

PART = "footprint"
_IDLE_SHARDS = 4_096
_IDLE_SECONDS = 5.0
_PASSIVATE_MS = 2_000


def _allocated(node: Program) -> int:
    """What the node's allocator has handed out: unlike pages, it falls when something is freed."""
    return int(node.ask("account", trimmed=True)["allocated_bytes"])


def _once_each(orders: int) -> dict[str, Any]:
    return Work(orders=orders, messages=orders, duplicates=0).timed()


def _ids(bench: Bench, entities: int, ids: int) -> dict[str, Figures]:
    """Entities first, each with one id; then many more ids for few of them."""
    with bench.store() as store, bench.node(store, shards=SHARDS) as node:
        empty = _allocated(node)
        state = node.ask("load", **_once_each(entities))["state_bytes"]
        filled, stored = _allocated(node), store.memory_bytes()
        few = Work(orders=min(1_000, entities), messages=ids, duplicates=0).timed() | {"tag": "i"}
        node.ask("load", **few)
        id_bytes = (_allocated(node) - filled) / ids
        stored_bytes = (store.memory_bytes() - stored) / ids
        node.ask("check")
    resident = (filled - empty) / entities - id_bytes
    return {
        "processed id, in the node": {"bytes": id_bytes},
        "processed id, in Redis": {"bytes": stored_bytes},
        f"resident entity, state of {state} bytes": {"bytes": resident, "times_state": resident / state},
    }


def _passivated(bench: Bench, entities: int, id_bytes: float) -> Figures:
    with bench.store() as store, bench.node(store, "--passivate-ms", str(_PASSIVATE_MS), shards=SHARDS) as node:
        empty = _allocated(node)
        node.ask("load", **_once_each(entities))
        wait_until(lambda: node.ask("account")["entities"] == 0, 120, "all entities are passivated")
        left = _allocated(node)
        node.ask("check")
    return {"bytes": (left - empty) / entities - id_bytes}


def _idle(bench: Bench) -> Figures:
    with bench.store() as store, bench.node(store, shards=_IDLE_SHARDS) as node:
        time.sleep(10)  # the claims are done, and what follows them once
        before = node.ask("account")
        time.sleep(_IDLE_SECONDS)
        after = node.ask("account")
    return {
        "core_percent": (after["cpu_s"] - before["cpu_s"]) * 100 / _IDLE_SECONDS,
        "megabytes": after["resident_bytes"] / 1e6,
    }


def measure(bench: Bench, suite: Suite) -> None:
    entities = 50_000 if suite.quick else 500_000
    found = _ids(bench, entities, 200_000 if suite.quick else 2_000_000)
    for subject, figures in found.items():
        suite.take(PART, subject, f"{entities:,} entities", figures)
    passivated = _passivated(bench, entities, found["processed id, in the node"]["bytes"])
    suite.take(PART, "passivated entity", f"{entities:,} entities", passivated)
    suite.take(PART, "node without work", f"{_IDLE_SHARDS:,} shards", _idle(bench))
