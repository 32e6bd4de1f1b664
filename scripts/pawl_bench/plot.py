"""A run's throughput and latency as one picture, in SVG written by hand: no library is needed to draw rectangles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

from .figures import Measurement
from .results import Results
from .table import number

_WIDTH = 960
_LEFT = 330  # where names end and figures begin
_RIGHT = 150  # kept free for the figure behind a bar
_ROW = 22
_BAR = 14
_HEAD = 46
_OWN, _OTHER, _INK, _FAINT = "#2a6f97", "#b0b7bf", "#1f2933", "#d8dde2"
_QUANTILES = (("p50_ms", "p50", 4.5), ("p99_ms", "p99", 3.5), ("p99_9_ms", "p99.9", 2.5))


class _Canvas:
    """Elements from top to bottom; `y` is where the next row goes."""

    def __init__(self) -> None:
        self.y = 20.0
        self._elements: list[str] = []

    def text(self, x: float, y: float, words: str, anchor: str = "start", weight: str = "normal", size: int = 12) -> None:
        self._elements.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" font-size="{size}">'
            f"{escape(words)}</text>"
        )

    def bar(self, y: float, length: float, color: str) -> None:
        self._elements.append(
            f'<rect x="{_LEFT}" y="{y:.1f}" width="{max(length, 1):.1f}" height="{_BAR}" fill="{color}"/>'
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, color: str, width: float = 1) -> None:
        self._elements.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" stroke-width="{width:g}"/>'
        )

    def dot(self, x: float, y: float, radius: float, color: str) -> None:
        self._elements.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{color}"/>')

    def title(self, words: str, below: str) -> None:
        self.text(20, self.y + 14, words, weight="bold", size=15)
        self.text(20, self.y + 31, below, size=11)
        self.y += _HEAD

    def svg(self) -> str:
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{self.y:.0f}" '
            f'viewBox="0 0 {_WIDTH} {self.y:.0f}" font-family="sans-serif" fill="{_INK}">\n'
            f'<rect width="100%" height="100%" fill="#ffffff"/>\n' + "\n".join(self._elements) + "\n</svg>\n"
        )


def _color(row: Measurement) -> str:
    return _OWN if row.subject.startswith("pawl") else _OTHER


def _by_load(rows: Sequence[Measurement]) -> dict[str, list[Measurement]]:
    found: dict[str, list[Measurement]] = {}
    for row in rows:
        found.setdefault(row.load, []).append(row)
    return found


def _throughput(canvas: _Canvas, rows: Sequence[Measurement]) -> None:
    canvas.title("Messages per second", "medians; the line shows the slowest and the fastest round; more is better")
    for load, group in _by_load(rows).items():
        most = max(row.spread("messages_per_s")[1] for row in group)  # type: ignore[index]
        scale = (_WIDTH - _LEFT - _RIGHT) / most
        canvas.text(20, canvas.y + 12, load, weight="bold")
        canvas.y += _ROW
        for row in group:
            middle, ends = row.median("messages_per_s") or 0, row.spread("messages_per_s") or (0, 0)
            canvas.text(_LEFT - 8, canvas.y + 11, row.subject, anchor="end")
            canvas.bar(canvas.y, middle * scale, _color(row))
            canvas.line(
                _LEFT + ends[0] * scale, canvas.y + _BAR / 2, _LEFT + ends[1] * scale, canvas.y + _BAR / 2, _INK
            )
            canvas.text(_LEFT + ends[1] * scale + 6, canvas.y + 11, number(middle))
            canvas.y += _ROW
        canvas.y += 8


def _latency(canvas: _Canvas, rows: Sequence[Measurement]) -> None:
    canvas.title("Latency, ms", "from when a message was due: p50, p99 and p99.9, large to small; less is better")
    values = [value for row in rows for name, _, _ in _QUANTILES if (value := row.median(name))]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)

    def x(value: float) -> float:
        return _LEFT + (math.log10(value) - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    top = canvas.y + 14
    for power in range(low, high + 1):
        canvas.text(x(10**power), canvas.y + 10, f"{10**power:g}", anchor="middle", size=11)
    canvas.y += _ROW
    bottom = canvas.y + sum(_ROW * (len(group) + 1) + 8 for group in _by_load(rows).values())
    for power in range(low, high + 1):
        canvas.line(x(10**power), top, x(10**power), bottom, _FAINT)
    for load, group in _by_load(rows).items():
        canvas.text(20, canvas.y + 12, load, weight="bold")
        canvas.y += _ROW
        for row in group:
            canvas.text(_LEFT - 8, canvas.y + 11, row.subject, anchor="end")
            points = [(value, radius) for name, _, radius in _QUANTILES if (value := row.median(name))]
            middle = canvas.y + _BAR / 2
            if points:
                canvas.line(x(points[0][0]), middle, x(points[-1][0]), middle, _color(row), 2)
                for value, radius in points:
                    canvas.dot(x(value), middle, radius, _color(row))
                said = " / ".join(number(value) for value, _ in points)
                canvas.text(_WIDTH - _RIGHT + 10, canvas.y + 11, said)
            canvas.y += _ROW
        canvas.y += 8


def draw(results: Results) -> str:
    """The picture of the parts `main` and `latency`, as far as they were measured."""
    canvas = _Canvas()
    throughput = [row for row in results.measurements if row.part == "main" and row.median("messages_per_s")]
    latency = [row for row in results.measurements if row.part == "latency" and row.median("p50_ms")]
    if throughput:
        _throughput(canvas, throughput)
        canvas.y += 12
    if latency:
        _latency(canvas, latency)
    facts = results.machine
    canvas.text(20, canvas.y + 12, ", ".join(facts[name] for name in ("date", "commit", "processor") if name in facts), size=11)
    canvas.y += 28
    return canvas.svg()
