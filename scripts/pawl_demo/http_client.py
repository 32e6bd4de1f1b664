"""A small HTTP/1.1 client over asyncio streams: keep-alive connections, one request at a time on each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

_HEAD_BYTES = 64 * 1024
_BODY_BYTES = 64 * 1024 * 1024


class HttpError(Exception):
    """No usable answer came: what became of the request is not known."""


class NotConnected(HttpError):
    """The request never left: the server refused the connection."""


@dataclass(frozen=True)
class Response:
    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One connection. After an HttpError it is closed and must not be used again."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader = reader
        self._writer = writer
        self._host = host
        self.reusable = True

    @classmethod
    async def open(cls, address: str, port: int, timeout: float) -> Connection:
        try:
            async with asyncio.timeout(timeout):
                reader, writer = await asyncio.open_connection(address, port, limit=_HEAD_BYTES)
        except (OSError, TimeoutError) as error:
            raise NotConnected(f"{address}:{port}: {error or 'connecting took too long'}") from error
        return cls(reader, writer, f"{address}:{port}")

    async def request(self, method: str, path: str, body: bytes, content_type: str, timeout: float) -> Response:
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            async with asyncio.timeout(timeout):
                self._writer.write(head.encode("ascii") + body)
                return await self._response()
        except (OSError, TimeoutError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            self.close()
            raise HttpError(f"{self._host}: {error or 'no answer in time'}") from error
        except BaseException:
            self.close()
            raise

    async def _response(self) -> Response:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status_line, *lines = head[:-4].split("\r\n")
        version, status, *_ = status_line.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers["content-length"]) if "content-length" in headers else -1
        if not version.startswith("HTTP/1.") or not 0 <= length <= _BODY_BYTES:
            raise ValueError(f"not an answer this client reads: {status_line[:80]!r}")
        body = await self._reader.readexactly(length)
        if headers.get("connection", "").lower() == "close" or version == "HTTP/1.0":
            self.close()
        return Response(int(status), headers, body)

    def close(self) -> None:
        self.reusable = False
        self._writer.close()


class Endpoint:
    """One server, with its idle connections."""

    def __init__(self, name: str, address: str, port: int) -> None:
        self.name = name
        self.address = address
        self.port = port
        self._idle: list[Connection] = []

    async def request(
        self, method: str, path: str, body: bytes = b"", content_type: str = "application/json", timeout: float = 8.0
    ) -> Response:
        """Sends one request. Raises NotConnected if it certainly did not leave, HttpError if nobody knows."""
        connection = self._idle.pop() if self._idle else await Connection.open(self.address, self.port, 2.0)
        response = await connection.request(method, path, body, content_type, timeout)
        if connection.reusable:
            self._idle.append(connection)
        return response

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()
