"""A dashboard: its variables, and its panels placed in rows of 24 columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .panels import DATASOURCE, Json

_COLUMNS = 24


@dataclass(frozen=True)
class Section:
    title: str
    panels: Sequence[Json]


@dataclass(frozen=True)
class Dashboard:
    """`name` is the file's name, and with a prefix the uid by which others link to it: it never changes."""

    name: str
    title: str
    description: str
    sections: Sequence[Section]
    by_entity_type: bool = False

    def json(self) -> Json:
        return {
            "annotations": {"list": []},
            "description": self.description,
            "editable": True,
            "fiscalYearStartMonth": 0,
            "graphTooltip": 1,
            "links": [_LINKS],
            "panels": _placed(self.sections),
            "refresh": "30s",
            "schemaVersion": 39,
            "tags": ["pawl"],
            "templating": {"list": _variables(self.by_entity_type)},
            "time": {"from": "now-1h", "to": "now"},
            "timepicker": {},
            "timezone": "browser",
            "title": self.title,
            "uid": f"pawl-{self.name}",
            "version": 1,
            "weekStart": "",
        }


_LINKS: Json = {
    "asDropdown": False,
    "icon": "external link",
    "includeVars": True,
    "keepTime": True,
    "tags": ["pawl"],
    "targetBlank": False,
    "title": "Pawl",
    "tooltip": "",
    "type": "dashboards",
    "url": "",
}


def _variables(by_entity_type: bool) -> list[Json]:
    variables: list[Json] = [
        {
            "hide": 0,
            "includeAll": False,
            "label": "Data source",
            "multi": False,
            "name": "datasource",
            "options": [],
            "query": "prometheus",
            "refresh": 1,
            "regex": "",
            "type": "datasource",
        },
        # One cluster at a time: shard numbers of two have nothing to do with each other.
        _variable("cluster", "Cluster", "label_values(pawl_build_info, cluster)", many=False),
        _variable("node", "Node", 'label_values(pawl_build_info{cluster=~"$cluster"}, node)', many=True),
    ]
    if by_entity_type:
        query = 'label_values(pawl_messages_total{cluster=~"$cluster",node=~"$node"}, entity_type)'
        variables.append(_variable("entity_type", "Entity type", query, many=True))
    return variables


def _variable(name: str, label: str, query: str, *, many: bool) -> Json:
    variable: Json = {
        "datasource": DATASOURCE,
        "hide": 0,
        "includeAll": many,
        "label": label,
        "multi": many,
        "name": name,
        "options": [],
        "query": {"query": query, "refId": f"variable-{name}"},
        "refresh": 2,
        "regex": "",
        "sort": 1,
        "type": "query",
    }
    if many:
        # Instead of a list of all: a node that appears while the page is open belongs to it.
        variable["allValue"] = ".+"
        variable["current"] = {"selected": True, "text": ["All"], "value": ["$__all"]}
    return variable


def _placed(sections: Sequence[Section]) -> list[Json]:
    """Left to right, then down; every section begins with a row's title."""
    out: list[Json] = []
    y = 0
    for section in sections:
        out.append(
            {
                "collapsed": False,
                "gridPos": {"h": 1, "w": _COLUMNS, "x": 0, "y": y},
                "id": len(out) + 1,
                "panels": [],
                "title": section.title,
                "type": "row",
            }
        )
        y += 1
        x = height = 0
        for panel in section.panels:
            size = panel["gridPos"]
            if x + size["w"] > _COLUMNS:
                x, y, height = 0, y + height, 0
            out.append({**panel, "id": len(out) + 1, "gridPos": {**size, "x": x, "y": y}})
            x += size["w"]
            height = max(height, size["h"])
        y += height
    return out
