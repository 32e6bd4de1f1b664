"""The kinds of panels, as Grafana's JSON (schema version 39)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

DATASOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Query:
    """`legend` names a series by its labels, such as `{{node}}`."""

    expression: str
    legend: str


@dataclass(frozen=True)
class Limits:
    """Values from which a panel turns yellow and red; `below` if low values are the bad ones."""

    warning: float | None = None
    critical: float | None = None
    below: bool = False

    def steps(self) -> list[Json]:
        if self.below:
            steps: list[Json] = [{"color": "red", "value": None}]
            if self.warning is not None:
                steps.append({"color": "yellow", "value": self.critical})
            steps.append({"color": "green", "value": self.critical if self.warning is None else self.warning})
            return steps
        steps = [{"color": "green", "value": None}]
        if self.warning is not None:
            steps.append({"color": "yellow", "value": self.warning})
        if self.critical is not None:
            steps.append({"color": "red", "value": self.critical})
        return steps


NONE = Limits()


def _targets(queries: Sequence[Query], instant: bool = False, form: str = "time_series") -> list[Json]:
    return [
        {
            "datasource": DATASOURCE,
            "editorMode": "code",
            "expr": query.expression,
            "format": form,
            "instant": instant,
            "legendFormat": query.legend,
            "range": not instant,
            "refId": chr(ord("A") + index),
        }
        for index, query in enumerate(queries)
    ]


def _panel(kind: str, title: str, description: str, size: tuple[int, int], targets: list[Json]) -> Json:
    width, height = size
    return {
        "datasource": DATASOURCE,
        "description": description,
        "fieldConfig": {"defaults": {}, "overrides": []},
        "gridPos": {"h": height, "w": width, "x": 0, "y": 0},  # the dashboard places it
        "id": 0,
        "options": {},
        "targets": targets,
        "title": title,
        "type": kind,
    }


def stat(
    title: str,
    description: str,
    query: str,
    unit: str,
    limits: Limits = NONE,
    *,
    decimals: int | None = None,
    names: dict[str, str] | None = None,
    width: int = 4,
) -> Json:
    """One number of now. `names` are texts to show instead of a value."""
    panel = _panel("stat", title, description, (width, 4), _targets([Query(query, title)], instant=True))
    defaults: Json = {"unit": unit, "thresholds": {"mode": "absolute", "steps": limits.steps()}}
    if decimals is not None:
        defaults["decimals"] = decimals
    if names:
        defaults["mappings"] = [{"type": "value", "options": {value: {"text": text} for value, text in names.items()}}]
    panel["fieldConfig"]["defaults"] = defaults
    panel["options"] = {
        "colorMode": "value" if limits == NONE else "background",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "textMode": "value",
    }
    return panel


def graph(
    title: str,
    description: str,
    queries: Sequence[Query],
    unit: str,
    limits: Limits = NONE,
    *,
    stacked: bool = False,
    bars: bool = False,
    steps: bool = False,
    width: int = 12,
) -> Json:
    """Series over time. Limits are drawn as lines."""
    panel = _panel("timeseries", title, description, (width, 8), _targets(queries))
    custom: Json = {
        "drawStyle": "bars" if bars else "line",
        "fillOpacity": 60 if bars else 20 if stacked else 8,
        "lineInterpolation": "stepAfter" if steps else "linear",
        "lineWidth": 1,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "normal" if stacked else "none"},
        "thresholdsStyle": {"mode": "off" if limits == NONE else "line"},
    }
    panel["fieldConfig"]["defaults"] = {
        "custom": custom,
        "min": 0,
        "thresholds": {"mode": "absolute", "steps": limits.steps()},
        "unit": unit,
    }
    panel["options"] = {
        "legend": {"calcs": ["lastNotNull", "max"], "displayMode": "table", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel


def heatmap(title: str, description: str, query: str, unit: str, *, width: int = 12) -> Json:
    """The buckets of a histogram over time, darker where more fell."""
    panel = _panel("heatmap", title, description, (width, 8), _targets([Query(query, "{{le}}")], form="heatmap"))
    panel["fieldConfig"]["defaults"] = {"unit": "short"}
    panel["options"] = {
        "calculate": False,
        "cellGap": 1,
        "color": {
            "exponent": 0.5,
            "fill": "dark-orange",
            "mode": "scheme",
            "reverse": False,
            "scale": "exponential",
            "scheme": "Oranges",
            "steps": 64,
        },
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "tooltip": {"mode": "single", "showColorScale": False, "yHistogram": False},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": unit},
    }
    return panel


def ranking(title: str, description: str, query: Query, unit: str, *, width: int = 12) -> Json:
    """The values of now as bars, one a series."""
    panel = _panel("bargauge", title, description, (width, 8), _targets([query], instant=True))
    panel["fieldConfig"]["defaults"] = {
        "min": 0,
        "thresholds": {"mode": "absolute", "steps": NONE.steps()},
        "unit": unit,
    }
    panel["options"] = {
        "displayMode": "basic",
        "orientation": "horizontal",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "showUnfilled": True,
        "valueMode": "color",
    }
    return panel
