"""A Prometheus of our own, on a free port, with the configuration and the rules that the project ships."""

from __future__ import annotations

import json
import math
import os
import shutil
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .cluster import Node
from .errors import DemoError
from .processes import Child, free_port, stop_all, wait_until

PROJECT = Path(__file__).resolve().parents[2]
METRICS = PROJECT / "metrics"
SCRAPE_SECONDS = 1
_READY_SECONDS = 60


def find_program() -> str | None:
    """Prometheus, if it is installed, or was once fetched by scripts/find-prometheus. Fetches nothing."""
    fetched = PROJECT / "build/tools/prometheus"
    return shutil.which("prometheus") or (str(fetched) if os.access(fetched, os.X_OK) else None)


def configuration() -> str:
    """metrics/prometheus/prometheus.yml as it is, but with a look at the nodes every second."""
    text = (METRICS / "prometheus/prometheus.yml").read_text(encoding="utf-8")
    for setting, shipped in (("scrape_interval", "15s"), ("evaluation_interval", "15s"), ("scrape_timeout", "5s")):
        if f"{setting}: {shipped}" not in text:
            raise DemoError(f"metrics/prometheus/prometheus.yml has no {setting}: {shipped}")
        text = text.replace(f"{setting}: {shipped}", f"{setting}: {SCRAPE_SECONDS}s")
    return text


@dataclass(frozen=True)
class Series:
    labels: dict[str, str]
    values: list[float]

    def finite(self) -> bool:
        return any(math.isfinite(value) for value in self.values)


class PrometheusServer:
    """Runs from the constructor on until the end of the `with` block. Raises DemoError if it does not become ready."""

    def __init__(self, program: str, directory: Path, cluster: str = "none", nodes: Sequence[Node] = ()) -> None:
        """@param nodes to read from the beginning; those that are named later may be found some seconds later only"""
        self.directory = directory
        self.url = f"http://127.0.0.1:{free_port()}"
        self._nodes = directory / "prometheus" / "nodes.yml"
        self._nodes.parent.mkdir(parents=True)
        (directory / "rules").symlink_to(METRICS / "rules")
        self.scrape(cluster, nodes)
        path = self._nodes.with_name("prometheus.yml")
        path.write_text(configuration(), encoding="utf-8")
        argv = [
            program,
            f"--config.file={path}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address={self.url.removeprefix('http://')}",
        ]
        self._child = Child("prometheus", argv, directory / "prometheus.log")
        try:
            wait_until(self._ready, _READY_SECONDS, f"Prometheus ready, see {directory / 'prometheus.log'}")
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> PrometheusServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        stop_all([self._child], 10)

    def scrape(self, cluster: str, nodes: Sequence[Node]) -> None:
        """Scrapes these from now on. JSON is YAML; replaced in one step, as it is read again at any time."""
        groups = [
            {"targets": [f"{node.endpoint.address}:{node.endpoint.port}"], "labels": {"cluster": cluster, "node": node.name}}
            for node in nodes
        ]
        new = self._nodes.with_suffix(".new")
        new.write_text(json.dumps(groups), encoding="utf-8")
        new.replace(self._nodes)

    def now(self, query: str) -> list[Series]:
        found = self.api("query", query=query)
        # Without rows a scalar would pass for a result.
        if found["resultType"] != "vector":
            raise ValueError(f"{query}: a {found['resultType']}")
        return [Series(each["metric"], [float(each["value"][1])]) for each in found["result"]]

    def wait_for(self, query: str, holds: Callable[[list[Series]], bool], seconds: float = 30) -> None:
        wait_until(lambda: holds(self.now(query)), seconds, f"{query} (the last answer: {self.now(query)})")

    def _ready(self) -> bool:
        if not self._child.running():
            raise self._child.ended_early()
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def api(self, path: str, **arguments: str) -> Any:
        """`data` of an answer; ValueError with what Prometheus says if it refuses."""
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(arguments)}"
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise ValueError(f"{arguments}: {error.read(1000).decode(errors='replace')}") from error
