"""Feeds the schedule through all nodes: paced, in batches, with retries by the rules of the order book."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Coroutine, Sequence

from .errors import DemoError
from .http_client import Endpoint, HttpError, NotConnected
from .order_book import RESOLVED, UNRESOLVED, Message, OrderBook
from .schedule import Entry
from .tally import NO_ANSWER, NOT_SENT, Tally

_TICK_SECONDS = 0.001
_STALL_SECONDS = 60.0
_REFUSED_FIRST_SECONDS = 0.05
_REFUSED_MOST_SECONDS = 2.0


class NodePool:
    """The doors to the cluster. One that refuses connections is left alone for a while."""

    def __init__(self, endpoints: Sequence[Endpoint], rng: random.Random) -> None:
        self._rng = rng
        self._endpoints = list(endpoints)
        self._closed: dict[str, tuple[float, float]] = {}  # name → (closed until, for how long)

    def add(self, endpoint: Endpoint) -> None:
        self._endpoints.append(endpoint)

    def pick(self, now: float, other_than: Endpoint | None = None) -> Endpoint:
        """A random node: most keys belong to another one, which is the point."""
        open_ones = [e for e in self._endpoints if self._closed.get(e.name, (0.0, 0.0))[0] <= now]
        candidates = [e for e in open_ones if e is not other_than] or open_ones or self._endpoints
        return self._rng.choice(candidates)

    def refused(self, endpoint: Endpoint, now: float) -> None:
        _, last = self._closed.get(endpoint.name, (0.0, _REFUSED_FIRST_SECONDS / 2))
        span = min(last * 2, _REFUSED_MOST_SECONDS)
        self._closed[endpoint.name] = (now + span, span)
        endpoint.close()

    def answered(self, endpoint: Endpoint) -> None:
        self._closed.pop(endpoint.name, None)


class Sender:
    """Sends a schedule once. `messages` holds every distinct message, in schedule order."""

    def __init__(self, schedule: Sequence[Entry], pool: NodePool, rate: float, rng: random.Random) -> None:
        self._schedule = schedule
        self._pool = pool
        self._rate = rate
        self._rng = rng
        self._batch_limit, self._requests_limit = (64, 256) if rate else (500, 8)
        self._book = OrderBook()
        self._by_id: dict[str, Message] = {}
        self._position = 0
        self._requests: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._last_resolved = 0.0
        self._milestones: list[tuple[int, asyncio.Event]] = []
        self._failure: BaseException | None = None
        self.messages: list[Message] = []
        self.tally = Tally()

    @property
    def resolved(self) -> int:
        """Distinct messages so far."""
        return self._book.resolved

    async def reached(self, share: float) -> None:
        """Returns when this share of the schedule has been handed out."""
        event = asyncio.Event()
        self._milestones.append((int(len(self._schedule) * share), event))
        await event.wait()

    async def run(self) -> None:
        """Returns when every message is resolved; raises DemoError if that cannot be reached."""
        self.tally.began = self._last_resolved = time.monotonic()
        try:
            while self._position < len(self._schedule) or self._book.open or self._requests:
                if self._failure is not None:
                    raise self._failure
                now = time.monotonic()
                if now - self._last_resolved > _STALL_SECONDS:
                    raise DemoError(f"no message was resolved for {_STALL_SECONDS:g} s; {self._book.open} are waiting")
                self._hand_out(now)
                self._book.wake(now)
                while self._book.has_ready() and len(self._requests) < self._requests_limit:
                    self._start_batch(now)
                await self._wait(now)
        finally:
            for request in self._requests:
                request.cancel()
            await asyncio.gather(*self._requests, return_exceptions=True)
        self.tally.ended = max((message.resolved_at for message in self.messages), default=self.tally.began)

    def _hand_out(self, now: float) -> None:
        """Offers what is due: by the clock, or with rate 0 as much as keeps all requests full."""
        while self._position < len(self._schedule):
            if self._rate:
                due = self.tally.began + self._position / self._rate
                if due > now:
                    break
            else:
                due = now
                if self._book.open >= self._batch_limit * self._requests_limit:
                    break
            entry = self._schedule[self._position]
            self._position += 1
            message = self._by_id.get(entry.event.id)
            if message is None:
                message = self._by_id[entry.event.id] = Message(entry.event, due)
                self.messages.append(message)
            self._book.offer(message)
        for position, event in self._milestones:
            if self._position >= position:
                event.set()

    async def _wait(self, now: float) -> None:
        """Until a request ends, a message is due or an order has backed off long enough."""
        wake = now + 0.25
        if self._rate and self._position < len(self._schedule):
            wake = min(wake, self.tally.began + self._position / self._rate)
        backed_off = self._book.next_wake()
        if backed_off is not None:
            wake = min(wake, backed_off)
        self._changed.clear()
        loop = asyncio.get_running_loop()
        timer = loop.call_later(max(wake - time.monotonic(), _TICK_SECONDS), self._changed.set)
        await self._changed.wait()
        timer.cancel()

    def _start_batch(self, now: float) -> None:
        batch = self._book.batch(self._batch_limit)
        node = self._pool.pick(now)
        copy = self._book.take_copy(batch) if self._rng.random() < 0.5 else None
        if copy is not None:
            # The same message at the same time through another node, as an impatient client or a proxy would.
            index = next(i for i, message in enumerate(batch) if message is copy)
            batch = batch[:index] + batch[index + 1 :]
            self._spawn(self._send_copy(copy, self._pool.pick(now, other_than=node)))
        self._spawn(self._send(batch, node))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._requests.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._requests.discard(task)
        self._changed.set()
        if not task.cancelled() and task.exception() is not None:
            self._failure = task.exception()

    async def _send(self, batch: list[Message], node: Endpoint) -> None:
        results = await self._post(batch, node)
        now = time.monotonic()
        self.tally.prefix_broken += len(self._book.settle(batch, results, now))
        if any(result in RESOLVED for result in results):
            self._last_resolved = now

    async def _send_copy(self, copy: Message, node: Endpoint) -> None:
        """A racing copy is not retried: its original is."""
        copy.results.extend(result for result in await self._post([copy], node) if result in RESOLVED)

    async def _post(self, batch: list[Message], node: Endpoint) -> list[str]:
        """One request; an answer for each message of the batch, whatever happens."""
        body = b"".join(message.line() for message in batch)
        self.tally.lines += len(batch)
        try:
            answer = await node.request("POST", "/v1/messages", body, "application/x-ndjson")
        except NotConnected:
            self._pool.refused(node, time.monotonic())
            self.tally.lines -= len(batch)
            return [NOT_SENT] * len(batch)
        except HttpError:
            return [NO_ANSWER] * len(batch)
        self._pool.answered(node)
        if answer.status in (429, 503):
            return ["busy" if answer.status == 429 else "unknown"] * len(batch)
        if answer.status != 200:
            raise DemoError(f"{node.name} answered {answer.status} to a batch: {answer.body[:500].decode(errors='replace')}")
        return self._read(batch, answer.body, node)

    def _read(self, batch: list[Message], body: bytes, node: Endpoint) -> list[str]:
        """The lines of a batch's answer, which must be as many and in the same order as the messages."""
        try:
            lines = [json.loads(line) for line in body.splitlines()]
            ids = [line["id"] for line in lines]
            results = [str(line["result"]) for line in lines]
        except (ValueError, KeyError, TypeError) as error:
            raise DemoError(f"{node.name} answered a batch with something else than results: {body[:300]!r}") from error
        if ids != [message.event.id for message in batch] or not set(results) <= RESOLVED | UNRESOLVED:
            raise DemoError(f"{node.name}: the results do not fit the batch of {len(batch)}: {body[:300]!r}")
        for line in lines:
            self.tally.results[line["result"]] += 1
            if line["result"] == "refused":
                self.tally.refusals[str(line.get("reason", ""))] += 1
        return results
