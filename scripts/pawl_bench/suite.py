"""What a run of the suite has measured so far; rounds of different subjects take turns, so that what else the machine
does meets all of them alike."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from .figures import OTHERS, Figures, Measurement
from .others import Others

Run = Callable[[], Figures]


class Suite:
    def __init__(self, rounds: int, quick: bool, full: bool) -> None:
        self.rounds = rounds
        self.quick = quick  # a look, not a measurement: small loads
        self.full = full  # also what takes many minutes and gigabytes
        self.measurements: list[Measurement] = []
        self._others = Others()
        self._began = time.monotonic()

    def scaled(self, messages: int) -> int:
        return max(20_000, messages // 10) if self.quick else messages

    def take(self, part: str, subject: str, load: str, figures: Figures) -> None:
        """Adds one round, when all that it started has ended."""
        figures = {**figures, OTHERS: self._others.cores()}
        for known in self.measurements:
            if (known.part, known.subject, known.load) == (part, subject, load):
                break
        else:
            known = Measurement(part, subject, load)
            self.measurements.append(known)
        known.rounds.append(figures)
        said = ", ".join(f"{name} {value:,.4g}" if value < 1e4 else f"{name} {value:,.0f}" for name, value in figures.items())
        print(f"  {time.monotonic() - self._began:6.0f} s  {known.name}: {said}", file=sys.stderr, flush=True)

    def interleave(self, part: str, runs: list[tuple[str, str, Run]], rounds: int | None = None) -> None:
        """Each run, named by subject and load, once a round."""
        for _ in range(rounds or self.rounds):
            for subject, load, run in runs:
                self.take(part, subject, load, run())

    def median(self, part: str, subject: str, load: str, figure: str) -> float | None:
        for known in self.measurements:
            if (known.part, known.subject, known.load) == (part, subject, load):
                return known.median(figure)
        return None
