"""What goes wrong on purpose while the sender runs, and how long it was felt."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from .cluster import Cluster, Node
from .order_book import Message
from .progress import Progress
from .redis_server import RedisServer
from .sender import NodePool, Sender
from .tally import Pause, pause

_FELT_SECONDS = 5.0  # messages due within this after an incident are looked at
_REDIS_DOWN_SECONDS = 0.3


@dataclass(slots=True)
class Incident:
    """`begin` and `end` bound the messages whose latency is put down to it."""

    what: str
    begin: float
    end: float


class Incidents:
    """Kills a node after a third of the events and adds one after two thirds; half way, if told to, kills Redis."""

    def __init__(self, cluster: Cluster, redis: RedisServer, progress: Progress, rng: random.Random) -> None:
        self._cluster = cluster
        self._redis = redis
        self._progress = progress
        self._rng = rng
        self.happened: list[Incident] = []
        self.killed: set[str] = set()  # nodes
        self.joined: Callable[[], None] = lambda: None  # called when a node has been started
        self._redis_up = asyncio.Event()
        self._redis_up.set()

    async def run(self, sender: Sender, pool: NodePool, kill_redis: bool) -> None:
        await sender.reached(1 / 3)
        self._kill_node()
        if kill_redis:
            await sender.reached(1 / 2)
            self._redis_up.clear()
            self._redis.kill()  # `watch` starts it again
        await sender.reached(2 / 3)
        await self._redis_up.wait()  # a node does not start without its store
        await self._join(pool)

    async def watch(self) -> None:
        """Never returns. Starts Redis again whoever killed it; raises if a node ends that was not killed here."""
        while True:
            for node in self._cluster.nodes:
                if node.name not in self.killed and not node.child.running():
                    raise node.child.ended_early()
            if not self._redis.running():
                await self._restart_redis()
            await asyncio.sleep(0.02)

    def _begin(self, what: str) -> Incident:
        now = time.monotonic()
        incident = Incident(what, now, now + _FELT_SECONDS)
        if self.happened:
            self.happened[-1].end = min(self.happened[-1].end, now)
        self.happened.append(incident)
        return incident

    def _kill_node(self) -> None:
        if len(self._cluster.live) < 2:
            self._progress.note("one node only: none is killed")
            return
        victim: Node = self._rng.choice(self._cluster.live)
        self.killed.add(victim.name)
        self._begin(f"kill of {victim.name}")
        victim.child.kill()
        self._progress.note(f"{victim.name} was killed with SIGKILL; the others take its shards over")

    async def _restart_redis(self) -> None:
        self._redis_up.clear()
        self._begin("kill of Redis")
        self._progress.note("redis-server was killed; nothing can be committed until it is back")
        await asyncio.sleep(_REDIS_DOWN_SECONDS)
        self._redis.launch()
        await asyncio.to_thread(self._redis.wait_ready)
        self._redis_up.set()
        self._progress.note("redis-server is back, with what its append-only file holds")

    async def _join(self, pool: NodePool) -> None:
        node = self._cluster.start_node()
        self.joined()
        incident = self._begin(f"join of {node.name}")
        self._progress.note(f"{node.name} was started")
        await node.ready()
        incident.end = time.monotonic() + _FELT_SECONDS
        pool.add(node.endpoint)
        self._progress.note(f"{node.name} is ready; shards are handed over to it")

    def pauses(self, messages: list[Message]) -> list[tuple[str, Pause]]:
        return [(each.what, pause(messages, each.begin, each.end)) for each in self.happened]
