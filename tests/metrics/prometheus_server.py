"""A Prometheus of our own, on a free port, with the configuration that the project ships."""

from __future__ import annotations

import json
import math
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tools
from pawl_demo.cluster import Node
from pawl_demo.processes import Child, free_port, stop_all, wait_until
from reference import METRICS

SCRAPE_SECONDS = 1
_READY_SECONDS = 60


@dataclass(frozen=True)
class Series:
    labels: dict[str, str]
    values: list[float]

    def finite(self) -> bool:
        return any(math.isfinite(value) for value in self.values)


class PrometheusServer:
    """Takes metrics/prometheus/prometheus.yml and the rules as they are, but scrapes every second and other nodes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.url = f"http://127.0.0.1:{free_port()}"
        self._nodes = directory / "prometheus" / "nodes.yml"
        self._nodes.parent.mkdir(parents=True)
        (directory / "rules").symlink_to(METRICS / "rules")
        self.scrape(cluster="none", nodes=[])
        configuration = self._nodes.with_name("prometheus.yml")
        text = (METRICS / "prometheus/prometheus.yml").read_text(encoding="utf-8")
        for setting in ("scrape_interval", "evaluation_interval", "scrape_timeout"):
            old = {"scrape_timeout": "5s"}.get(setting, "15s")
            if f"{setting}: {old}" not in text:
                raise ValueError(f"prometheus.yml has no {setting}: {old}")
            text = text.replace(f"{setting}: {old}", f"{setting}: {SCRAPE_SECONDS}s")
        configuration.write_text(text, encoding="utf-8")
        argv = [
            tools.program("prometheus"),
            f"--config.file={configuration}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address={self.url.removeprefix('http://')}",
        ]
        self._child = Child("prometheus", argv, directory / "prometheus.log")
        wait_until(self._ready, _READY_SECONDS, f"Prometheus ready, see {directory / 'prometheus.log'}")

    def __enter__(self) -> PrometheusServer:
        return self

    def __exit__(self, *_: object) -> None:
        stop_all([self._child], 10)

    def scrape(self, cluster: str, nodes: list[Node]) -> None:
        """Scrapes these from now on. JSON is YAML; replaced in one step, as it is read again at any time."""
        groups = [
            {"targets": [f"{node.endpoint.address}:{node.endpoint.port}"], "labels": {"cluster": cluster, "node": node.name}}
            for node in nodes
        ]
        new = self._nodes.with_suffix(".new")
        new.write_text(json.dumps(groups), encoding="utf-8")
        new.replace(self._nodes)

    def now(self, query: str) -> list[Series]:
        found = self._api("query", query=query)
        # Without rows a scalar would pass for a result.
        if found["resultType"] != "vector":
            raise ValueError(f"{query}: a {found['resultType']}")
        return [Series(each["metric"], [float(each["value"][1])]) for each in found["result"]]

    def over(self, query: str, begin: float, end: float, step: int) -> list[Series]:
        found = self._api("query_range", query=query, start=f"{begin:.3f}", end=f"{end:.3f}", step=str(step))
        return [Series(each["metric"], [float(value) for _, value in each["values"]]) for each in found["result"]]

    def label_values(self, query: str) -> list[str]:
        """What Grafana shows for `label_values(SELECTOR, LABEL)`."""
        selector, _, label = query.removeprefix("label_values(").removesuffix(")").rpartition(", ")
        return list(self._api(f"label/{label}/values", **{"match[]": selector}))

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self._api("rules")["groups"] for rule in group["rules"]]

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

    def _api(self, path: str, **arguments: str) -> Any:
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(arguments)}"
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise ValueError(f"{arguments}: {error.read(1000).decode(errors='replace')}") from error
