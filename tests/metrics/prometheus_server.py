"""The demo's Prometheus, with what the tests ask of it besides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pawl_demo.prometheus
import tools
from pawl_demo.prometheus import SCRAPE_SECONDS, Series

__all__ = ["SCRAPE_SECONDS", "PrometheusServer", "Series"]


class PrometheusServer(pawl_demo.prometheus.PrometheusServer):
    def __init__(self, directory: Path) -> None:
        super().__init__(tools.program("prometheus"), directory)

    def over(self, query: str, begin: float, end: float, step: int) -> list[Series]:
        found = self.api("query_range", query=query, start=f"{begin:.3f}", end=f"{end:.3f}", step=str(step))
        return [Series(each["metric"], [float(value) for _, value in each["values"]]) for each in found["result"]]

    def label_values(self, query: str) -> list[str]:
        """What Grafana shows for `label_values(SELECTOR, LABEL)`."""
        selector, _, label = query.removeprefix("label_values(").removesuffix(")").rpartition(", ")
        return list(self.api(f"label/{label}/values", **{"match[]": selector}))

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self.api("rules")["groups"] for rule in group["rules"]]
