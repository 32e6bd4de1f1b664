"""How the checkers read entities back."""

from __future__ import annotations

import http.client
import json
import time
import urllib.parse
from collections.abc import Sequence
from typing import Any

_UNAVAILABLE_SECONDS = 30.0
_PAUSE_SECONDS = 0.05

State = dict[str, Any]


class CannotTell(Exception):
    """The input or a state cannot be read."""


class EntityReader:
    """Asks one node after the other, over one connection. Used by one thread."""

    def __init__(self, nodes: Sequence[str]) -> None:
        self._nodes = list(nodes)
        self._connection: http.client.HTTPConnection | None = None

    def state(self, kind: str, key: str) -> State | None:
        """None if no message has taken effect for the entity. Raises CannotTell if no node answers in time."""
        path = "/v1/entities/" + "/".join(urllib.parse.quote(part, safe="") for part in (kind, key))
        deadline = time.monotonic() + _UNAVAILABLE_SECONDS
        said = ""
        while time.monotonic() < deadline:
            try:
                status, body = self._get(path)
                if status == 200:
                    return dict(json.loads(body)["state"])
                if status == 404:
                    return None
                said = f"status {status}: {body[:200].decode(errors='replace')}"
            except (OSError, http.client.HTTPException) as error:
                said = repr(error)
            except (ValueError, KeyError, TypeError) as error:
                raise CannotTell(f"{kind} {key}: {self._nodes[0]} answered something else than a state: {error!r}") from error
            self._next_node()
            time.sleep(_PAUSE_SECONDS)
        raise CannotTell(f"{kind} {key}: no node told its state within {_UNAVAILABLE_SECONDS:g} s; last {said}")

    def _get(self, path: str) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(urllib.parse.urlsplit(self._nodes[0]).netloc, timeout=10)
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def _next_node(self) -> None:
        self._nodes.append(self._nodes.pop(0))
        if self._connection:
            self._connection.close()
        self._connection = None
