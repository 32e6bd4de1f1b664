"""The Redis that both sides of a comparison use: a new one for each run."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path

from pawl_demo.errors import DemoError
from pawl_demo.redis_server import RedisServer

# A rewrite of the append-only file in the middle of one run and not of another would be noise.
SETTINGS = {"auto-aof-rewrite-percentage": "0"}


class Store:
    """An empty server with its files in a directory of its own, gone when the `with` block is left."""

    def __init__(self, parent: Path, appendfsync: str = "everysec") -> None:
        self.appendfsync = appendfsync
        self._directory = tempfile.TemporaryDirectory(prefix="redis-", dir=parent)
        self._server = RedisServer(Path(self._directory.name), {**SETTINGS, "appendfsync": appendfsync})

    @property
    def socket_path(self) -> Path:
        return self._server.socket_path

    def info(self) -> dict[str, str]:
        """What INFO says."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(str(self.socket_path))
            client.sendall(b"INFO\r\n")
            stream = client.makefile("rb")
            head = stream.readline()
            if not head.startswith(b"$"):
                raise DemoError(f"INFO was answered {head!r}")
            text = stream.read(int(head[1:])).decode(errors="replace")
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def cpu_seconds(self) -> float:
        info = self.info()
        return float(info["used_cpu_sys"]) + float(info["used_cpu_user"])

    def memory_bytes(self) -> int:
        return int(self.info()["used_memory"])

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        self._directory.cleanup()
