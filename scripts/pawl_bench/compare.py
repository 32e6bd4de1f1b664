"""Two runs beside each other, figure by figure."""

from __future__ import annotations

from .figures import OTHERS
from .results import Results
from .table import number


def ratios(old: Results, new: Results) -> list[tuple[str, str, float, float]]:
    """Name, figure, old and new median: of all that both have."""
    before = {row.name: row.medians() for row in old.measurements}
    return [
        (row.name, figure, before[row.name][figure], value)
        for row in new.measurements
        for figure, value in row.medians().items()
        if figure in before.get(row.name, {}) and figure != OTHERS
    ]


def render(old: Results, new: Results) -> str:
    lines = [f"from {old.machine.get('commit', '?')} to {new.machine.get('commit', '?')}, medians; new / old"]
    for key in ("processor", "kernel", "redis"):
        if old.machine.get(key) != new.machine.get(key):
            lines.append(f"not the same {key}: {old.machine.get(key)}; now {new.machine.get(key)}")
    shown = ""
    for name, figure, before, after in ratios(old, new):
        if name != shown:
            lines.append(name)
            shown = name
        change = f"{after / before:.2f} x" if before else "-"
        lines.append(f"  {figure:<22} {number(before):>12} {number(after):>12} {change:>9}")
    if not shown:
        lines.append("nothing in common")
    return "\n".join(lines)
