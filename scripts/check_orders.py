#!/usr/bin/env python3
"""Decides whether every order ended as it must: each event applied exactly once, in order.

Reads the events in the order in which they must take effect (one JSON object a line: order, id, message, payload),
computes each order's final state by applying them once, and compares it with what the cluster answers. It shares no
code with the runtime or with the sender. An order's state carries a chain of the ids applied to it,

    chain = fnv1a64(previous chain as 16 hex digits + message id),   beginning with sixteen zeros,

so a wrong chain also tells what went wrong: the ids of the order are tried in every sequence until one explains it.

Exit status: 0 if everything is as it must be, 1 if anything is not, 2 if it cannot be told.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pawl_demo.entity_reader import CannotTell, EntityReader, State

FIRST_CHAIN = "0" * 16
_EXPLAINED_LENGTH = 7  # longer sequences than this are not searched for
_SHOWN = 10


@dataclass(frozen=True)
class Event:
    id: str
    message: str
    payload: dict[str, Any]


@dataclass
class Findings:
    """Counts of events, over all orders."""

    orders: int = 0
    expected: int = 0
    applied: int = 0
    lost: int = 0
    twice: int = 0
    misplaced: int = 0
    unexplained: int = 0  # orders whose state no sequence of their ids explains, or with wrong fields
    examples: list[str] = field(default_factory=list)

    def wrong(self) -> bool:
        return bool(self.lost or self.twice or self.misplaced or self.unexplained)


def next_chain(chain: str, message_id: str) -> str:
    """64-bit FNV-1a over the previous chain and the id, as 16 lowercase hex digits."""
    value = 0xCBF29CE484222325
    for byte in (chain + message_id).encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


_STATUS_AND_TIME = {
    "OrderPurchased": ("purchased", "purchased_at"),
    "OrderApproved": ("approved", "approved_at"),
    "OrderShipped": ("shipped", "shipped_at"),
    "OrderDelivered": ("delivered", "delivered_at"),
    "OrderCancelled": ("cancelled", "cancelled_at"),
}
_EMPTY_FIELDS = ("customer", "cancel_reason", *(time_field for _, time_field in _STATUS_AND_TIME.values()))


def fresh() -> State:
    """The state of an order before any event."""
    return {"status": "none", "events": 0, "chain": FIRST_CHAIN, **dict.fromkeys(_EMPTY_FIELDS, "")}


def replay(events: Sequence[Event]) -> State:
    """The state after applying the events once, in order."""
    state = fresh()
    for event in events:
        if event.message not in _STATUS_AND_TIME:
            raise CannotTell(f"event {event.id}: unknown message {event.message!r}")
        status, time_field = _STATUS_AND_TIME[event.message]
        if state["status"] != "cancelled":  # which is final
            state["status"] = status
        state[time_field] = event.payload["at"]
        if event.message == "OrderPurchased":
            state["customer"] = event.payload.get("customer")
        elif event.message == "OrderCancelled":
            state["cancel_reason"] = event.payload.get("reason")
        state["events"] += 1
        state["chain"] = next_chain(state["chain"], event.id)
    return state


def explain(ids: Sequence[str], count: int, chain: str) -> list[str] | None:
    """The sequence of `count` of these ids, repetitions allowed, that leads to the chain; None if there is none."""
    if not 0 <= count <= _EXPLAINED_LENGTH:
        return None

    def search(so_far: list[str], reached: str) -> list[str] | None:
        if len(so_far) == count:
            return so_far if reached == chain else None
        for message_id in ids:
            found = search([*so_far, message_id], next_chain(reached, message_id))
            if found is not None:
                return found
        return None

    return search([], FIRST_CHAIN)


def is_in_order(applied: Sequence[str], ids: Sequence[str]) -> bool:
    """Whether the first applications follow the order of `ids`."""
    positions = [ids.index(message_id) for message_id in dict.fromkeys(applied)]
    return positions == sorted(positions)


def compare(order: str, events: Sequence[Event], found: State | None, into: Findings) -> None:
    """Adds what is wrong with one order to the findings. `found` is None if the cluster knows nothing of it."""
    expected = replay(events)
    into.orders += 1
    into.expected += len(events)
    found = found or fresh()
    count, chain = found.get("events"), found.get("chain")
    into.applied += count if isinstance(count, int) else 0
    differing = [name for name, value in expected.items() if found.get(name) != value]
    if not differing:
        return

    ids = [event.id for event in events]
    names = {event.id: event.message.removeprefix("Order") for event in events}
    applied = explain(ids, count, chain) if isinstance(count, int) and isinstance(chain, str) else None
    if applied is None:
        into.unexplained += 1
        what = f"no sequence of its events leads to the state {json.dumps(found)}"
    elif applied == ids:
        into.unexplained += 1
        what = f"all events were applied once and in order, but {', '.join(differing)} differ: {json.dumps(found)}"
    else:
        times = Counter(applied)
        lost = sum(1 for message_id in ids if not times[message_id])
        into.lost += lost
        into.twice += sum(n - 1 for n in times.values())
        into.misplaced += not is_in_order(applied, ids)
        what = f"applied were {', '.join(names[message_id] for message_id in applied) or 'no events'}"
    if len(into.examples) < _SHOWN:
        into.examples.append(f"order {order}: expected {', '.join(names[i] for i in ids)}; {what}")


def read_events(path: Path) -> dict[str, list[Event]]:
    """Events by order, each order's in file order."""
    orders: dict[str, list[Event]] = {}
    seen: set[tuple[str, str]] = set()
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                try:
                    content = json.loads(line)
                    order, event = content["order"], Event(content["id"], content["message"], content["payload"])
                    event.payload["at"]
                except (ValueError, KeyError, TypeError) as error:
                    raise CannotTell(f"{path}:{number}: not an event: {error!r}") from error
                if (order, event.id) in seen:
                    raise CannotTell(f"{path}:{number}: id {event.id} was seen before")
                seen.add((order, event.id))
                orders.setdefault(order, []).append(event)
    except (OSError, UnicodeDecodeError) as error:
        raise CannotTell(f"{path}: {error}") from error
    if not orders:
        raise CannotTell(f"{path} has no events")
    return orders


def check(orders: dict[str, list[Event]], nodes: Sequence[str]) -> Findings:
    """Compares all orders; each thread asks another node first."""
    keys = list(orders)
    threads = min(4, len(keys))

    def read(part: int) -> list[tuple[str, State | None]]:
        turn = part % len(nodes)
        reader = EntityReader([*nodes[turn:], *nodes[:turn]])
        return [(key, reader.state("order", key)) for key in keys[part::threads]]

    findings = Findings()
    with ThreadPoolExecutor(threads) as pool:
        for states in pool.map(read, range(threads)):
            for key, state in states:
                compare(key, orders[key], state, findings)
    return findings


def rows(findings: Findings, figures: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The table: what, how many, and a remark."""
    yield "events sent", f"{findings.expected:,}", f"of {findings.orders:,} orders"
    if figures:
        yield "as messages", f"{figures['sent']:,}", "every repetition and every retry counted"
    yield "applied", f"{findings.applied:,}", "as the final states count them"
    if figures:
        yield "duplicates discarded", f"{figures['duplicates_discarded']:,}", ""
        yield "retried, outcome unknown", f"{figures['retried_unknown']:,}", "no answer, or answered `unknown`"
        yield "retried, not admitted", f"{figures['retried_waiting']:,}", "`busy`, `blocked`, or no connection"
    yield "LOST", f"{findings.lost:,}", ""
    yield "APPLIED TWICE", f"{findings.twice:,}", ""
    yield "OUT OF ORDER", f"{findings.misplaced:,}", ""
    if findings.unexplained:
        yield "STATE WRONG", f"{findings.unexplained:,}", "orders whose state no sequence of their events explains"
    if not figures:
        return
    if figures["refused"]:
        yield "REFUSED", f"{figures['refused']:,}", "; ".join(figures["refusals"])
    if figures["resolved_behind_unresolved"]:
        yield "RESOLVED TOO EARLY", f"{figures['resolved_behind_unresolved']:,}", "behind an unresolved one of its order"
    for pause in figures["pauses"]:
        remark = f"longest wait of one message; {pause['longest_silence_ms']:,.0f} ms in which none was resolved"
        yield f"pause, {pause['what']}", f"{pause['longest_wait_ms']:,.0f} ms", remark
    yield "messages per second", f"{figures['messages_per_second']:,.0f}", f"over {figures['seconds']:.1f} s"
    yield "latency p50 / p99", "{:.1f} / {:.1f} ms".format(*figures["latency_ms"]), "from when a message was due; the sender's clock ticks every ms"
    if figures["calm_latency_ms"] and figures["pauses"]:
        yield "away from the pauses", "{:.1f} / {:.1f} ms".format(*figures["calm_latency_ms"]), ""


def result(findings: Findings) -> dict[str, Any]:
    return {"kind": "orders", "applied": findings.applied, "out_of_order": findings.misplaced}


def print_table(lines: Sequence[tuple[str, str, str]]) -> None:
    widths = [max(len(line[column]) for line in lines) for column in (0, 1)]
    for what, number, remark in lines:
        print(f"  {what:<{widths[0]}}  {number:>{widths[1]}}  {remark}".rstrip())


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Checks the final state of every order against a replay of its events.")
    parser.add_argument("--events", type=Path, required=True, help="what should happen: one JSON object a line, in order")
    parser.add_argument("--node", action="append", required=True, metavar="URL", help="of a live node; may be repeated")
    parser.add_argument("--figures", type=Path, help="the sender's figures (JSON), to be shown in the same table")
    parser.add_argument("--result", type=Path, help="file to write the counts to (JSON), for other programs")
    options = parser.parse_args(arguments)
    try:
        figures = json.loads(options.figures.read_text(encoding="utf-8")) if options.figures else {}
        findings = check(read_events(options.events), options.node)
        print_table(list(rows(findings, figures)))
        if options.result:
            options.result.write_text(json.dumps(result(findings)) + "\n", encoding="utf-8")
    except (CannotTell, OSError, ValueError, KeyError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    for example in findings.examples:
        print("  " + example)
    broken = findings.wrong() or bool(figures.get("refused") or figures.get("resolved_behind_unresolved"))
    print("\nNot as it must be." if broken else "\nEvery event took effect exactly once, in order.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
