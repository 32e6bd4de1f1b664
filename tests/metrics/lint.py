"""What is wrong with a dashboard, one sentence each; nothing if it is as it should be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import promql
from reference import Reference

Json = dict[str, Any]

_COLUMNS = 24
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_VARIABLES = ("datasource", "cluster", "node")
_WINDOWS = ("$__rate_interval", "$__range")
_RANGE_FUNCTIONS = {"rate", "increase", "irate"}
# Given by the datasource and the scrape configuration to every series of a node.
_ADDED_LABELS = {"cluster", "node", "job", "instance", "le"}


def panels(dashboard: Json) -> list[Json]:
    """All that show data; rows do not."""
    return [panel for panel in dashboard.get("panels", []) if panel.get("type") != "row"]


def complaints(dashboard: Json, reference: Reference) -> list[str]:
    out = [*_frame(dashboard), *_variables(dashboard, reference), *_places(dashboard)]
    for panel in panels(dashboard):
        name = f"panel {panel.get('id')} “{panel.get('title', '')}”"
        out += [f"{name}: {text}" for text in _panel(panel, reference)]
    return out


def _frame(dashboard: Json) -> Iterator[str]:
    for key in ("title", "description", "uid"):
        if not dashboard.get(key):
            yield f"no {key}"
    if dashboard.get("schemaVersion") != 39:
        yield f"schemaVersion is {dashboard.get('schemaVersion')}, not 39"
    if "pawl" not in dashboard.get("tags", []):
        yield "no tag pawl, by which the dashboards link to each other"
    if not panels(dashboard):
        yield "no panels"


def _variables(dashboard: Json, reference: Reference) -> Iterator[str]:
    variables = {each["name"]: each for each in dashboard.get("templating", {}).get("list", [])}
    for name in _VARIABLES:
        if name not in variables:
            yield f"no variable {name}"
    for name, variable in variables.items():
        if variable["type"] != "query":
            continue
        if variable.get("datasource") != _SOURCE:
            yield f"variable {name}: does not use the chosen data source"
        query = variable.get("query", {}).get("query", "")
        match = re.fullmatch(r"label_values\(([a-z_]+)(?:\{.*\})?, (\w+)\)", query)
        metric = reference.find(match[1]) if match else None
        if match is None or metric is None or match[2] not in metric.labels.keys() | _ADDED_LABELS:
            yield f"variable {name}: {query} names no label of a metric of METRICS.md"
    known = variables.keys() | {"__rate_interval", "__range"}
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            for braced, plain in re.findall(r"\$(?:\{(\w+)\}|(\w+))", target.get("expr", "")):
                if (braced or plain) not in known:
                    yield f"panel {panel.get('id')}: there is no variable {braced or plain}"


def _places(dashboard: Json) -> Iterator[str]:
    ids: set[int] = set()
    taken: dict[tuple[int, int], int] = {}
    for panel in dashboard.get("panels", []):
        number = panel.get("id")
        if not isinstance(number, int) or number < 1 or number in ids:
            yield f"panel id {number} is not a number of its own"
        ids.add(number)
        place = panel.get("gridPos", {})
        if not all(isinstance(place.get(key), int) for key in "xywh") or min(place["w"], place["h"]) < 1:
            yield f"panel {number}: no place"
            continue
        if place["x"] < 0 or place["x"] + place["w"] > _COLUMNS:
            yield f"panel {number}: reaches beyond the {_COLUMNS} columns"
        cells = [
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]
        for other in {taken[cell] for cell in cells if cell in taken}:
            yield f"panel {number}: lies upon panel {other}"
        taken.update(dict.fromkeys(cells, number))


def _panel(panel: Json, reference: Reference) -> Iterator[str]:
    for key in ("title", "description"):
        if not panel.get(key, "").strip():
            yield f"no {key}"
    if not panel.get("fieldConfig", {}).get("defaults", {}).get("unit"):
        yield "no unit"
    if panel.get("datasource") != _SOURCE:
        yield "does not use the chosen data source"
    if panel.get("type") == "stat" and not panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps"):
        yield "no thresholds"
    targets = panel.get("targets", [])
    if not targets:
        yield "no query"
    if len({target.get("refId") for target in targets}) != len(targets):
        yield "two queries with one refId"
    for target in targets:
        if target.get("datasource") != _SOURCE:
            yield f"query {target.get('refId')} does not use the chosen data source"
        if not target.get("legendFormat"):
            yield f"query {target.get('refId')} has no legend"
        yield from _query(target.get("expr", ""), reference, instant=bool(target.get("instant")))
        yield from _legend(target, reference)


def _legend(target: Json, reference: Reference) -> Iterator[str]:
    """A label in a legend that the result does not have shows as nothing."""
    query = target.get("expr", "")
    shown = set(re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")))
    aggregated = re.match(r"\s*(sum|max|min|avg|count|histogram_quantile|topk)\b", query) is not None
    for label in shown - promql.groupings(query):
        if aggregated or label not in {"node", "cluster"}:
            yield f"the legend names {label}, by which the query does not group"


def _query(query: str, reference: Reference, *, instant: bool) -> Iterator[str]:
    found = promql.selectors(query)
    if not found:
        yield f"selects nothing: {query}"
    labels = set(_ADDED_LABELS)
    for selector in found:
        yield from _selector(selector, reference, instant)
        metric = reference.find(selector.metric)
        if metric is not None:
            labels |= metric.labels.keys()
    for label in promql.groupings(query) - labels:
        yield f"groups by {label}, which nothing it selects has"


def _selector(selector: promql.Selector, reference: Reference, instant: bool) -> Iterator[str]:
    name = selector.metric
    metric = reference.find(name)
    if metric is None:
        yield f"{name} is not in METRICS.md"
        return
    if selector.matchers.get("cluster") != ("=~", "$cluster"):
        yield f"{name} is not filtered by the variable cluster"
    if name != "ALERTS" and selector.matchers.get("node") != ("=~", "$node"):
        yield f"{name} is not filtered by the variable node"
    for label, (how, value) in selector.matchers.items():
        values = metric.labels.get(label)
        if label not in metric.labels.keys() | _ADDED_LABELS:
            yield f"{name} has no label {label}"
        elif values and not value.startswith("$") and not set(value.split("|")) <= set(values):
            yield f"{name}: {label} {how} {value} names a value that METRICS.md does not"
    counts = metric.type in ("counter", "histogram")
    # Whether a series of a counter exists may be asked without a rate.
    if counts and not selector.window and selector.inside != "count":
        yield f"{name} only ever rises; take its rate or increase"
    if selector.window and selector.inside not in _RANGE_FUNCTIONS:
        yield f"{name}: {selector.inside} over a window"
    if selector.window and not counts:
        yield f"{name} is a gauge: it has no rate"
    fixed_day = instant and re.fullmatch(r"\d+[hd]", selector.window)
    if selector.window and selector.window not in _WINDOWS and not fixed_day:
        yield f"{name} uses the fixed window {selector.window}; take $__rate_interval"
