"""What was seen while sending: counts, latencies, pauses, and the history file."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .order_book import Message

# An answer the sender makes up for a request that got none.
NO_ANSWER = "no answer"  # it left: the outcome is unknown
NOT_SENT = "not sent"  # the connection was refused


@dataclass(slots=True)
class Tally:
    lines: int = 0  # messages sent, every copy and every retry counted
    results: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    prefix_broken: int = 0  # resolved behind an unresolved message of the same order and batch
    began: float = 0.0
    ended: float = 0.0


@dataclass(frozen=True)
class Pause:
    """What an incident did to the messages around it."""

    longest_wait: float  # of one message, from the incident or when it was due, whichever was later, to its resolution
    longest_silence: float  # in which no message at all was resolved


def percentile(values: Sequence[float], share: float) -> float:
    """Of sorted values; 0 if there are none."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def latencies(messages: Sequence[Message], calm: Sequence[tuple[float, float]] = ()) -> list[float]:
    """Sorted, from when a message was due to its resolution; messages that met one of the given spans are left out."""
    return sorted(
        message.resolved_at - message.due
        for message in messages
        if not any(message.due < end and message.resolved_at > begin for begin, end in calm)
    )


def pause(messages: Sequence[Message], begin: float, end: float) -> Pause:
    """Looks at the messages that were due before `end` and not resolved at `begin`."""
    touched = [message for message in messages if message.due < end and message.resolved_at > begin]
    waits = [message.resolved_at - max(message.due, begin) for message in touched]
    times = sorted([begin, *(message.resolved_at for message in touched)])
    return Pause(
        longest_wait=max(waits, default=0.0),
        longest_silence=max((later - earlier for earlier, later in zip(times, times[1:])), default=0.0),
    )


def retries(messages: Sequence[Message]) -> Counter[str]:
    """How often a message was sent again, by the result that made it necessary."""
    return Counter(
        result for message in messages for result in message.results if result not in ("applied", "duplicate", "refused")
    )


def write_history(messages: Sequence[Message], began: float, path: Path) -> None:
    """One line a message: what was sent when, and every answer in turn."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["order", "position", "id", "message", "due_ms", "resolved_ms", "results"])
        for message in messages:
            event = message.event
            resolved = f"{(message.resolved_at - began) * 1e3:.1f}" if message.resolved_at else ""
            due = f"{(message.due - began) * 1e3:.1f}" if message.due else ""
            writer.writerow([event.order, event.seq, event.id, event.message, due, resolved, " ".join(message.results)])
