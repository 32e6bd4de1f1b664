"""The figures of a run beside the metrics in which anybody can look them up, and whether the two agree.

A node's counters are in its memory: what they have counted since they were last read dies with it, and of a commit whose
answer was lost another owner may find out that it was applied, and count nothing. So counters agree to the unit in a run
in which nothing is killed; after a kill they must not say more than the checker counts, and the table says how much less.

What the nodes store does not die with them: each message from outside leaves its id in the commit that applied it. So the
ids that all shards remember are exactly as many as such messages have taken effect, whoever was killed when.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')
_LOOK_BACK = "1h"  # longer than a run


@dataclass(frozen=True)
class Metric:
    """Samples of one name with these labels, over all nodes: added up, or the greatest of them."""

    name: str
    labels: tuple[tuple[str, str], ...] = ()
    greatest: bool = False

    @property
    def counter(self) -> bool:
        return self.name.endswith("_total")

    def query(self) -> str:
        """In PromQL. Of a counter, the last that each node was heard to say counts, also if that node is gone."""
        matchers = ",".join(f'{name}="{value}"' for name, value in self.labels)
        series = f"{self.name}{{{matchers}}}" if matchers else self.name
        return f"{'max' if self.greatest else 'sum'}({f'max_over_time({series}[{_LOOK_BACK}])' if self.counter else series})"

    def of(self, pages: Sequence[str]) -> float:
        """From what the nodes' /metrics say. ValueError if none of them has it: nothing found is not 0."""
        found = [value for page in pages for value in self._samples(page)]
        if not found:
            raise ValueError(f"no node has {self.query()}")
        return max(found) if self.greatest else sum(found)

    def _samples(self, page: str) -> Iterator[float]:
        for line in page.splitlines():
            match = _SAMPLE.match(line)
            if match is None or match[1] != self.name:
                continue
            labels = dict(_LABEL.findall(match[2] or ""))
            if all(labels.get(name) == value for name, value in self.labels):
                yield float(match[3])


@dataclass(frozen=True)
class Figure:
    """What was counted without the metrics, and the metric that says the same."""

    what: str
    counted: int
    metric: Metric
    may_lack: bool = False  # some of it may have died with a node


@dataclass(frozen=True)
class Line:
    figure: Figure
    value: float

    @property
    def agrees(self) -> bool:
        return self.value == self.figure.counted or (self.figure.may_lack and 0 <= self.value < self.figure.counted)


def _messages(entity_type: str, outcome: str) -> Metric:
    return Metric("pawl_messages_total", (("entity_type", entity_type), ("outcome", outcome)))


def figures(found: Mapping[str, Any], sender: Mapping[str, Any], *, shards: int, members: int, killed: Sequence[str]) -> list[Figure]:
    """Those that can agree.

    @param found the checker's result
    @param sender what the sender saw
    @param killed nodes, and Redis
    """
    out = [
        Figure("shards served", shards, Metric("pawl_shards_owned")),
        Figure("nodes", members, Metric("pawl_members", greatest=True)),
        Figure("applied out of order", found["out_of_order"], Metric("pawl_ordering_violations_total")),
    ]
    # A message whose answer was lost is told `duplicate` when it is sent again, and its first answer counted nowhere.
    every_answer_came = not killed and sender["retried_unknown"] == 0
    if found["kind"] == "orders":
        ids = Metric("pawl_processed_ids", (("entity_type", "order"),))
        out.insert(0, Figure("events applied", found["applied"], ids))
        out.append(Figure("events applied, as counted", found["applied"], _messages("order", "applied"), may_lack=bool(killed)))
        if every_answer_came:
            out.append(Figure("duplicates discarded", sender["duplicates_discarded"], _messages("order", "duplicate")))
    else:
        out.insert(0, Figure("messages from outside", found["messages"], Metric("pawl_processed_ids")))
        out.append(Figure("orders that have not ended", found["unfinished"], Metric("pawl_timers")))
        out.append(Figure("messages not taken", found["unfinished"], Metric("pawl_outbox_messages")))
        out.append(Figure("orders expired", found["expired"], Metric("pawl_timers_fired_total"), may_lack=bool(killed)))
    return out


def compare(wanted: Sequence[Figure], value_of: Callable[[Metric], float]) -> list[Line]:
    return [Line(figure, value_of(figure.metric)) for figure in wanted]


def table(lines: Sequence[Line], killed: Sequence[str]) -> Iterator[str]:
    """As text: what, the count, the metric that says the same."""
    rows = [(line.figure.what, f"{line.value:,.0f}", line) for line in lines]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for what, value, line in rows:
        figure = line.figure
        text = f"  {what:<{widths[0]}}  {value:>{widths[1]}}  {figure.metric.query()}"
        if not line.agrees:
            text += f"   WRONG: counted were {figure.counted:,}"
        elif line.value != figure.counted:
            text += f"   of {figure.counted:,}; {figure.counted - line.value:,.0f} died with counters, in the kill of {' and '.join(killed)}"
        yield text
