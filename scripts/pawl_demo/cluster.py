"""Nodes of one cluster as local processes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .errors import DemoError
from .http_client import Endpoint, HttpError
from .processes import Child, free_port, ignore_signals, stop_all

_READY_SECONDS = 30.0
_DRAIN_SECONDS = 15.0
_REST_SECONDS = 30.0


class Node:
    """One run of a node. A node that was killed is not started again: a new one joins."""

    def __init__(self, name: str, child: Child, http_port: int) -> None:
        self.name = name
        self.child = child
        self.endpoint = Endpoint(name, "127.0.0.1", http_port)

    @property
    def url(self) -> str:
        return f"http://{self.endpoint.address}:{self.endpoint.port}"

    async def ready(self) -> None:
        """Returns when /readyz answers 200."""
        deadline = time.monotonic() + _READY_SECONDS
        said = "it did not listen"
        while time.monotonic() < deadline:
            if not self.child.running():
                raise self.child.ended_early()
            try:
                answer = await self.endpoint.request("GET", "/readyz", timeout=2.0)
                if answer.status == 200:
                    return
                said = answer.body.decode(errors="replace").strip()
            except HttpError as error:
                said = str(error)
            await asyncio.sleep(0.02)
        raise DemoError(f"{self.name} was not ready within {_READY_SECONDS:g} s: {said}\n{self.child.log_tail()}")


def unrest(said: Mapping[str, tuple[int, Sequence[Mapping[str, Any]]]]) -> str | None:
    """Why shards still move, from each node's view and rows of /v1/shards; None if they do not."""
    for name, (_, rows) in said.items():
        moving = [row["shard"] for row in rows if row["local"] != (row["claim"] == "held")]
        if moving:
            return f"{name} takes or gives away {len(moving)}"
    views = {view for view, _ in said.values()}
    return None if len(views) == 1 else f"views {sorted(views)}"


class Cluster:
    """The nodes of one cluster; leaving the `with` block stops them all."""

    def __init__(self, program: Path, name: str, redis_socket: Path, directory: Path) -> None:
        self.program = program
        self._name = name
        self._store = ["--cluster", name, "--redis-socket", str(redis_socket)]
        self._directory = directory
        self.nodes: list[Node] = []

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        ignore_signals()
        # After a failure or Ctrl-C nobody waits for a drain.
        self.stop(_DRAIN_SECONDS if kind is None else 2.0)

    def init(self, shards: int) -> None:
        """Creates the dataset: once per store."""
        argv = [str(self.program), "init", "--shards", str(shards), *self._store]
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            raise DemoError(f"{' '.join(argv)}: did not end within 60 s") from None
        except OSError as error:
            raise DemoError(f"{self.program} cannot be run ({error.strerror}); ./dev build builds it") from error
        if done.returncode != 0:
            raise DemoError(f"{' '.join(argv)}: status {done.returncode}\n{done.stdout}{done.stderr}")

    def start_node(self) -> Node:
        """Starts one more node; it is not ready yet."""
        name = f"n{len(self.nodes) + 1}"
        http_port = free_port()
        argv = [str(self.program), "--node", name, *self._store]
        argv += ["--http-port", str(http_port), "--peer-port", str(free_port())]
        node = Node(name, Child(name, argv, self._directory / f"{name}.log"), http_port)
        self.nodes.append(node)
        return node

    @property
    def live(self) -> list[Node]:
        return [node for node in self.nodes if node.child.running()]

    async def at_rest(self) -> None:
        """Returns when every live node acts on the same view and holds exactly the shards that this gives it: while
        shards move, what nodes say of them one after the other does not add up."""
        deadline = time.monotonic() + _REST_SECONDS
        while (why := await self._unrest()) is not None:
            if time.monotonic() > deadline:
                raise DemoError(f"shards still move after {_REST_SECONDS:g} s: {why}")
            await asyncio.sleep(0.05)

    async def _unrest(self) -> str | None:
        said = {}
        for node in self.live:
            try:
                status = json.loads((await node.endpoint.request("GET", "/v1/cluster")).body)
                shards = json.loads((await node.endpoint.request("GET", "/v1/shards")).body)
                said[node.name] = (int(status["view"]), list(shards["shards"]))
            except (HttpError, ValueError, KeyError, TypeError) as error:
                return f"{node.name}: {error!r}"
        return unrest(said)

    def stop(self, patience_seconds: float) -> None:
        """SIGTERM to all, SIGKILL to those that do not end in time."""
        for node in self.nodes:
            node.endpoint.close()
        late = stop_all([node.child for node in self.nodes], patience_seconds)
        if late and patience_seconds >= _DRAIN_SECONDS:
            print(f"Warning: {', '.join(late)} did not end within {patience_seconds:g} s of SIGTERM and was killed.")
