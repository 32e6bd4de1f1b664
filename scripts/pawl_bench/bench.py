"""What every measurement needs: the program, a place for files, and the servers and programs it starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from .figures import Figures
from .program import Program
from .store import Store


T = TypeVar("T")


class Bench:
    def __init__(self, executable: Path, directory: Path) -> None:
        self._executable = executable
        self._directory = directory

    def store(self, appendfsync: str = "everysec") -> Store:
        return Store(self._directory, appendfsync)

    def program(self, name: str, *arguments: str) -> Program:
        return Program(self._executable, name, list(arguments))

    def streams(self, store: Store, pipelined: bool) -> Program:
        flags = ["--pipelined"] if pipelined else []
        return self.program("streams", "--redis-socket", str(store.socket_path), *flags)

    def node(self, store: Store, *arguments: str, shards: int) -> Program:
        """The first node of a cluster, owning all shards."""
        node = self.program("node", "--redis-socket", str(store.socket_path), "--shards", str(shards), *arguments)
        try:
            node.ask("members", members=1)
        except BaseException:
            node.end()
            raise
        return node

    def joining(self, store: Store, name: str) -> Program:
        """One more node. It is settled when it, and all others, have been asked for `members`."""
        return self.program("node", "--redis-socket", str(store.socket_path), "--joins", "--name", name)


def timed(store: Store, run: Callable[[], T]) -> tuple[T, float]:
    """Runs it: what it returns, and the CPU seconds the server used meanwhile."""
    before = store.cpu_seconds()
    answer = run()
    return answer, store.cpu_seconds() - before


def load_figures(answer: dict[str, Any], server_s: float) -> Figures:
    """What every load tells, of one that ran alone."""
    figures = {
        "messages_per_s": answer["rate"],
        "node_us": answer["cpu_s"] * 1e6 / answer["messages"],
        "redis_us": server_s * 1e6 / answer["messages"],
    }
    if turned_away := sum(answer.get("turned_away", {}).values()):
        figures["turned_away"] = turned_away  # latencies are of the others
    return figures | latency_figures(answer)


def latency_figures(answer: dict[str, Any]) -> Figures:
    latency = answer.get("latency_ms") or {}
    return {f"{name}_ms": latency[name] for name in ("p50", "p99", "p99_9") if name in latency}


def batch_figures(before: dict[str, Any], after: dict[str, Any]) -> Figures:
    """From a node's accounts before and after a load."""
    commits = after["commits"] - before["commits"]
    messages = after["committed_messages"] - before["committed_messages"]
    return {"messages_per_commit": messages / commits} if commits else {}
