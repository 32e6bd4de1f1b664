"""Which messages may be sent now: the sender's side of the ordering promise, without any I/O.

Rules, per order: messages go in schedule order; while a request with messages of an order is under way, nothing else
of that order is sent, except another copy of the first of them; a message that was not resolved (`applied`,
`duplicate` or `refused`) is sent again with the same id before anything later.
"""

from __future__ import annotations

import heapq
import json
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from .orders import Event

RESOLVED = frozenset({"applied", "duplicate", "refused"})
UNRESOLVED = frozenset({"blocked", "busy", "unknown"})

_BACKOFF_FIRST_SECONDS = 0.01
_BACKOFF_MOST_SECONDS = 0.25


@dataclass(slots=True)
class Message:
    """One event on its way. Copies share it, so that every sending carries the very same bytes."""

    event: Event
    due: float = 0.0
    resolved_at: float = 0.0  # 0: not yet
    results: list[str] = field(default_factory=list)
    _line: bytes = b""

    def line(self) -> bytes:
        """The NDJSON line. `sent_at` is the time of the first sending and stays (it belongs to the id)."""
        if not self._line:
            event = self.event
            content = {
                "type": event.type,
                "key": event.order,
                "message": event.message,
                "id": event.id,
                "payload": event.payload,
                "sent_at": time.time_ns() // 1_000_000,
                "seq": event.seq,
            }
            self._line = json.dumps(content, separators=(",", ":")).encode() + b"\n"
        return self._line


@dataclass(slots=True)
class _Order:
    waiting: deque[Message] = field(default_factory=deque)
    under_way: bool = False
    backing_off: bool = False
    failures: int = 0


class OrderBook:
    """Messages offered and not resolved yet. Times are given, never asked for."""

    def __init__(self) -> None:
        self._orders: dict[str, _Order] = {}
        self._ready: deque[str] = deque()  # orders with something to send; none of them under way or backing off
        self._later: list[tuple[float, str]] = []  # heap: orders backing off, with the time when that ends
        self.open = 0  # messages offered and not settled, copies counted
        self.resolved = 0  # distinct messages

    def offer(self, message: Message) -> None:
        """Queues a message behind those of its order. Offering it again makes a copy."""
        key = message.event.order
        order = self._orders.setdefault(key, _Order())
        order.waiting.append(message)
        self.open += 1
        if len(order.waiting) == 1 and not order.under_way and not order.backing_off:
            self._ready.append(key)

    def wake(self, now: float) -> None:
        """Makes orders ready whose backing off is over."""
        while self._later and self._later[0][0] <= now:
            _, key = heapq.heappop(self._later)
            self._orders[key].backing_off = False
            self._ready.append(key)

    def next_wake(self) -> float | None:
        return self._later[0][0] if self._later else None

    def has_ready(self) -> bool:
        return bool(self._ready)

    def batch(self, limit: int) -> list[Message]:
        """Takes up to `limit` messages; each order's are in order and the earliest of that order."""
        taken: list[Message] = []
        while self._ready and len(taken) < limit:
            order = self._orders[self._ready.popleft()]
            order.under_way = True
            while order.waiting and len(taken) < limit:
                taken.append(order.waiting.popleft())
        return taken

    def take_copy(self, batch: Sequence[Message]) -> Message | None:
        """Removes one copy from a batch just taken, if it directly follows its original and that is the first of its
        order: only then may the copy travel at the same time on another way without overtaking anything."""
        for index in range(1, len(batch)):
            message, previous = batch[index], batch[index - 1]
            first = index == 1 or batch[index - 2].event.order != message.event.order
            if message is previous and first:
                self.open -= 1
                return message
        return None

    def settle(self, batch: Sequence[Message], results: Sequence[str], now: float) -> list[tuple[Message, str]]:
        """Takes the results of a batch. What is unresolved, and all behind it of the same order, waits for another
        try. Returns resolved messages that stood behind an unresolved one: the cluster broke rule B13."""
        broken: list[tuple[Message, str]] = []
        again: dict[str, list[Message]] = {}
        for message, result in zip(batch, results, strict=True):
            key = message.event.order
            message.results.append(result)
            if result in RESOLVED:
                if key in again:
                    broken.append((message, result))
                self.open -= 1
                if not message.resolved_at:
                    message.resolved_at = now
                    self.resolved += 1
            else:
                again.setdefault(key, []).append(message)
        for key in dict.fromkeys(message.event.order for message in batch):
            order = self._orders[key]
            order.under_way = False
            if key in again:
                order.waiting.extendleft(reversed(again[key]))
                pause = min(_BACKOFF_FIRST_SECONDS * 2**order.failures, _BACKOFF_MOST_SECONDS)
                order.failures = min(order.failures + 1, 8)
                order.backing_off = True
                heapq.heappush(self._later, (now + pause, key))
            else:
                order.failures = 0
                if order.waiting:
                    self._ready.append(key)
        return broken
