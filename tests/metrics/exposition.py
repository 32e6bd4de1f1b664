"""The Prometheus text format, read strictly, by code that shares nothing with the exporter."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(,|$)')


@dataclass
class Family:
    type: str
    samples: list[tuple[str, dict[str, str], float]] = field(default_factory=list)

    def label_names(self) -> set[frozenset[str]]:
        """The sets of label names that occur, without those that belong to the type."""
        return {frozenset(labels.keys() - {"le"}) for _, labels, _ in self.samples}

    def values(self, label: str) -> set[str]:
        return {labels[label] for _, labels, _ in self.samples if label in labels}


def _labels(text: str) -> dict[str, str]:
    out: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = _LABEL.match(text, at)
        if match is None or match[1] in out:
            raise ValueError(f"not labels: {text}")
        out[match[1]] = match[2]
        at = match.end()
    return out


def read(text: str) -> dict[str, Family]:
    """Families by name. ValueError on anything that is not what the format allows."""
    families: dict[str, Family] = {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name, kind = line.removeprefix("# TYPE ").split(" ")
            if name in families:
                raise ValueError(f"twice: {line}")
            families[name] = Family(kind)
        elif line and not line.startswith("# HELP "):
            match = _SAMPLE.match(line)
            if match is None:
                raise ValueError(f"not a sample: {line}")
            name = match[1] if match[1] in families else re.sub(r"_(bucket|sum|count)$", "", match[1])
            if name not in families or (name != match[1] and families[name].type != "histogram"):
                raise ValueError(f"outside of its family: {line}")
            families[name].samples.append((match[1], _labels(match[2] or ""), float(match[3])))
    return families
