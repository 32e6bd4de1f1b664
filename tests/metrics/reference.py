"""metrics/METRICS.md, read: what is documented, with type and labels."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
METRICS = PROJECT / "metrics"

# Sections whose series no node exposes.
_OF_PROMETHEUS = "Added by Prometheus"
_RECORDED = "Recorded"


@dataclass(frozen=True)
class Metric:
    """`labels`: each name with the values it can have, or with none if the page lists none."""

    name: str
    type: str
    labels: dict[str, tuple[str, ...]]


@dataclass
class Reference:
    """What the page says. `nodes`: exposed by nodes. `prometheus`: added by it. `recorded`: made by rules."""

    nodes: dict[str, Metric] = field(default_factory=dict)
    prometheus: dict[str, Metric] = field(default_factory=dict)
    recorded: set[str] = field(default_factory=set)

    def find(self, name: str) -> Metric | None:
        """The metric a series belongs to: a histogram has three kinds of series."""
        for known in (self.nodes, self.prometheus):
            if name in known:
                return known[name]
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        metric = self.nodes.get(base)
        return metric if metric is not None and metric.type == "histogram" else None


def labels(cell: str) -> dict[str, tuple[str, ...]]:
    """Reads a cell such as: `entity_type`, `outcome` = applied, duplicate."""
    out: dict[str, tuple[str, ...]] = {}
    for name, values in re.findall(r"`(\w+)`(?: = ([^`]+))?", cell):
        out[name] = tuple(value.strip() for value in values.split(",") if value.strip())
    return out


def read(page: Path = METRICS / "METRICS.md") -> Reference:
    out = Reference()
    section = ""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("## "):
            section = line[3:]
        if not line.startswith("| `"):
            continue
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        names = re.findall(r"`([^`]+)`", cells[0])
        if section == _RECORDED:
            out.recorded.update(names)
            continue
        known = out.prometheus if section == _OF_PROMETHEUS else out.nodes
        if len(names) != 1 or len(cells) < 4 or names[0] in known:
            raise ValueError(f"{page}:{number}: not a row with one new metric, its type, labels and meaning")
        known[names[0]] = Metric(names[0], cells[1], labels(cells[2]))
    return out
