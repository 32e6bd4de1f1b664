"""What is sent, in which sequence: the events of many orders interleaved, some of them repeated."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path

from .orders import Event, Row, events_of


@dataclass(frozen=True)
class Entry:
    """One message to send. A copy repeats the id and content of an event that stands earlier in the schedule."""

    event: Event
    copy: bool


def interleave(rows: list[Row]) -> list[Event]:
    """All events as time goes by, so that many orders are under way at once; each order's own events stay in order."""
    timed = []
    for row in rows:
        latest = ""
        for event in events_of(row):
            latest = max(latest, event.at)  # stamps may run backwards
            timed.append((latest, event.order, event.seq, event))
    timed.sort(key=lambda item: item[:3])
    return [event for *_, event in timed]


def with_copies(events: list[Event], share: float, seed: int) -> list[Entry]:
    """Repeats the given share of the events: half of them right away, half much later, when later events of the
    order have been sent."""
    rng = random.Random(seed)
    positions = sorted(rng.sample(range(len(events)), int(len(events) * share)))
    last = {event.order: index for index, event in enumerate(events)}
    after: dict[int, list[Event]] = {}
    for position in positions:
        event = events[position]
        if rng.random() < 0.5:
            index = position
        else:
            index = min(len(events) - 1, max(last[event.order], position + 1) + rng.randrange(len(events) // 20 + 1))
        after.setdefault(index, []).append(event)
    schedule = []
    for index, event in enumerate(events):
        schedule.append(Entry(event, copy=False))
        schedule += [Entry(copied, copy=True) for copied in after.get(index, [])]
    return schedule


def write_events(events: list[Event], path: Path) -> None:
    """What should happen, once and in this order: the checker's input, one JSON object a line."""
    with path.open("w", encoding="utf-8") as file:
        for event in events:
            line = {"type": event.type, "order": event.order, "id": event.id, "message": event.message, "payload": event.payload}
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
