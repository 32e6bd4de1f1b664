"""Figures as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .figures import Measurement, ratio

Cell = Callable[[Measurement], str]


@dataclass(frozen=True)
class Column:
    title: str
    cell: Cell


def number(value: float | None) -> str:
    """Three digits that matter, or all of a large number."""
    if value is None:
        return "-"
    if abs(value) >= 100 or value == 0:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def of(title: str, figure: str) -> Column:
    """The median over the rounds."""
    return Column(title, lambda row: number(row.median(figure)))


def spread_of(title: str, figure: str) -> Column:
    """The least and the greatest of the rounds."""

    def cell(row: Measurement) -> str:
        ends = row.spread(figure)
        return f"{number(ends[0])} .. {number(ends[1])}" if ends and len(row.rounds) > 1 else ""

    return Column(title, cell)


def ratio_to(title: str, figure: str, base: Callable[[Measurement], float | None]) -> Column:
    def cell(row: Measurement) -> str:
        value = ratio(row.median(figure), base(row))
        return "-" if value is None else f"{value:.2f} x"

    return Column(title, cell)


def render(rows: Sequence[Measurement], columns: Sequence[Column]) -> str:
    """Names to the left, figures to the right; a column without any figure is left out."""
    names = [f"{row.subject}, {row.load}" for row in rows]
    cells = [[column.cell(row) for row in rows] for column in columns]
    shown = [n for n, column in enumerate(cells) if any(cell not in ("", "-") for cell in column)]
    lines = []
    width = max(len(name) for name in names)
    widths = {n: max(len(columns[n].title), *(len(cell) for cell in cells[n])) for n in shown}
    lines.append("".ljust(width) + "".join(f"  {columns[n].title:>{widths[n]}}" for n in shown))
    for row, name in enumerate(names):
        lines.append(name.ljust(width) + "".join(f"  {cells[n][row]:>{widths[n]}}" for n in shown))
    return "\n".join(line.rstrip() for line in lines)
