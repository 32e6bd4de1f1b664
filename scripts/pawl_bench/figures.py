"""What was measured, round by round, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

# Of one run: the name of a figure says its unit last.
Figures = dict[str, float]

OTHERS = "others_cores"  # what other programs took of the machine meanwhile


@dataclass
class Measurement:
    """One subject under one load; a round is one run of it."""

    part: str  # of the suite, such as "main"
    subject: str
    load: str
    rounds: list[Figures] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The same for the same thing in another run of the suite."""
        return f"{self.part}: {self.subject}, {self.load}"

    def median(self, figure: str) -> float | None:
        values = [figures[figure] for figures in self.rounds if figure in figures]
        return median(values) if values else None

    def spread(self, figure: str) -> tuple[float, float] | None:
        values = [figures[figure] for figures in self.rounds if figure in figures]
        return (min(values), max(values)) if values else None

    def medians(self) -> Figures:
        names = dict.fromkeys(name for figures in self.rounds for name in figures)
        return {name: value for name in names if (value := self.median(name)) is not None}

    def as_json(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "subject": self.subject,
            "load": self.load,
            "median": self.medians(),
            "rounds": self.rounds,
        }


def from_json(rows: Iterable[Mapping[str, Any]]) -> list[Measurement]:
    return [
        Measurement(str(row["part"]), str(row["subject"]), str(row["load"]), [dict(r) for r in row["rounds"]])
        for row in rows
    ]


def ratio(value: float | None, base: float | None) -> float | None:
    return value / base if value is not None and base else None
