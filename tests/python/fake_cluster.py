"""Doors of an imaginary cluster, within this process: they share one store and answer like nodes, faults included.

A fault may be drawn for each request: the connection is cut before or after the batch took effect, some messages are
answered `busy`, or `unknown` although they took effect, and what stands behind them `blocked`. Otherwise the rules hold.
"""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

from pawl_demo.http_client import Endpoint


class FakeCluster:
    """`applied` holds, per order, the message ids in the sequence in which they took effect."""

    def __init__(self, seed: int, faults: float) -> None:
        self._rng = random.Random(seed)
        self._faults = faults
        self._servers: list[asyncio.Server] = []
        self.applied: dict[str, list[str]] = {}
        self.contents: dict[str, set[bytes]] = {}

    async def start(self, count: int) -> list[Endpoint]:
        endpoints = []
        for index in range(count):
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self._servers.append(server)
            endpoints.append(Endpoint(f"n{index + 1}", "127.0.0.1", server.sockets[0].getsockname()[1]))
        return endpoints

    def close_door(self, index: int) -> None:
        """New connections to this node are refused from now on."""
        self._servers[index].close()

    def close(self) -> None:
        for server in self._servers:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
                lines = (await reader.readexactly(length)).splitlines()
                fate = self._rng.random()
                if fate < self._faults / 2:
                    return  # cut before anything took effect
                answer = b"".join(json.dumps(line).encode() + b"\n" for line in self._take(lines))
                if fate < self._faults:
                    return  # cut after it took effect
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client has gone, or the test is over
        finally:
            writer.close()

    def _take(self, lines: list[bytes]) -> list[dict[str, Any]]:
        results = []
        unresolved: set[str] = set()
        for line in lines:
            message = json.loads(line)
            key, message_id = message["key"], message["id"]
            self.contents.setdefault(message_id, set()).add(line)
            if key in unresolved:
                result = "blocked"
            else:
                result = self._one(key, message_id)
                if result in ("busy", "unknown"):
                    unresolved.add(key)
            results.append({"id": message_id, "result": result})
        return results

    def _one(self, key: str, message_id: str) -> str:
        fate = self._rng.random()
        if fate < self._faults / 2:
            return "busy"
        applied = self.applied.setdefault(key, [])
        new = message_id not in applied
        if new:
            applied.append(message_id)
        if fate < self._faults:
            return "unknown"  # though it took effect
        return "applied" if new else "duplicate"
