"""A redis-server of our own: temporary directory, free port and unix socket, append-only file."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path

from .errors import DemoError
from .processes import Child, free_port, stop_all, wait_until


def _program() -> str:
    """The server program. Debian ships it in redis-tools under another name; redis-server only links to it."""
    for name in ("redis-server", "redis-check-rdb"):
        found = shutil.which(name) or shutil.which(name, path="/usr/bin:/usr/local/bin")
        if found:
            return found
    raise DemoError("redis-server is missing; scripts/install-packages build installs it (package redis-tools)")


class RedisServer:
    """Starts on construction; `stop` or leaving the `with` block ends it. The data survives `kill` and `launch`."""

    def __init__(self, directory: Path, settings: Mapping[str, str] | None = None) -> None:
        """Further settings may take the place of those below."""
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self._settings = settings or {}
        self.socket_path = directory / "redis.sock"
        self.port = free_port()
        self._child: Child | None = None
        # A unix socket's path is limited to 107 bytes by the kernel; the server would only warn and go without.
        if len(os.fsencode(self.socket_path)) > 107:
            raise DemoError(f"the temporary directory's path is too long for a unix socket: {self.socket_path}; set TMPDIR")
        self.launch()
        self.wait_ready()

    def __enter__(self) -> RedisServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def launch(self) -> None:
        """Starts the server, which does not answer yet. Call it from the main thread: children die with the thread
        that started them."""
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "unixsocket": str(self.socket_path),
            "unixsocketperm": "700",
            "dir": str(self.directory),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "save": "",
            "daemonize": "no",
            **self._settings,
        }
        # argv[0] decides which of its programs the file is.
        argv = ["redis-server"] + [part for key, value in settings.items() for part in (f"--{key}", value)]
        self._child = Child("redis-server", argv, self.directory / "redis.log", executable=_program())

    def wait_ready(self) -> None:
        """Returns when it answers, its data loaded."""
        child = self._child
        if child is None:
            raise DemoError("redis-server was not started")

        def answers() -> bool:
            if not child.running():
                raise child.ended_early()
            return self._ping()

        wait_until(answers, 30, "redis-server did not answer PING")

    def _ping(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(1)
                client.connect(str(self.socket_path))
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith(b"+PONG")  # "-LOADING …" while the file is read
        except OSError:
            return False

    def running(self) -> bool:
        return self._child is not None and self._child.running()

    def kill(self) -> None:
        """SIGKILL, as a crash of the process would be."""
        if self._child:
            self._child.kill()

    def stop(self) -> None:
        if self._child:
            stop_all([self._child], 5)
