"""Nodes of one cluster as local processes."""

from __future__ import annotations

import asyncio
import subprocess
import time
from pathlib import Path

from .errors import DemoError
from .http_client import Endpoint, HttpError
from .processes import Child, free_port, ignore_signals, stop_all

_READY_SECONDS = 30.0
_DRAIN_SECONDS = 15.0


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

    def stop(self, patience_seconds: float) -> None:
        """SIGTERM to all, SIGKILL to those that do not end in time."""
        for node in self.nodes:
            node.endpoint.close()
        late = stop_all([node.child for node in self.nodes], patience_seconds)
        if late and patience_seconds >= _DRAIN_SECONDS:
            print(f"Warning: {', '.join(late)} did not end within {patience_seconds:g} s of SIGTERM and was killed.")
