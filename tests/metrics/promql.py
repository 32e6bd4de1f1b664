"""As much of PromQL as checks of queries need: which series a query selects and how, and Grafana's variables."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORDS = {
    "and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "inf", "nan",
}  # fmt: skip
_TOKEN = re.compile(
    r'(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<number>\b\d+(?:\.\d+)?(?:e[+-]?\d+)?)"
    r"|(?P<grouping>\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\))"
    r"|(?P<selector>[a-zA-Z_:][\w:]*)(?P<matchers>\{[^}]*\})?(?P<window>\[[^\]]*\])?(?P<call>\s*\()?"
)
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Selector:
    """One selection of series. `window` is what stands in brackets, `inside` the function or aggregation around it."""

    metric: str
    matchers: dict[str, tuple[str, str]]
    window: str
    inside: str


def selectors(query: str) -> list[Selector]:
    """In the order in which they stand. Functions, keywords and the labels of groupings are none."""
    out: list[Selector] = []
    function = ""
    for match in _TOKEN.finditer(query):
        name = match["selector"]
        if name is None or name.lower() in _WORDS:
            continue
        if match["call"] or re.match(r"\s*(by|without)\s*\(", query[match.end() :]):
            function = name
            continue
        matchers = {label: (how, value) for label, how, value in _MATCHER.findall(match["matchers"] or "")}
        out.append(Selector(name, matchers, (match["window"] or "")[1:-1], function))
    return out


def groupings(query: str) -> set[str]:
    """Every label that something is grouped by."""
    return {
        label.strip()
        for listed in re.findall(r"\b(?:by|without)\s*\(([^)]*)\)", query)
        for label in listed.split(",")
        if label.strip()
    }


def substitute(query: str, values: dict[str, str]) -> str:
    """Puts values in place of $name and ${name}. KeyError for a variable that has none, as Grafana would leave it."""
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda match: values[match[1] or match[2]], query)


def rate_interval(step_seconds: float, scrape_seconds: float) -> str:
    """Grafana's $__rate_interval: at least four scrapes, so that one lost scrape leaves no gap."""
    return f"{max(step_seconds + scrape_seconds, 4 * scrape_seconds):g}s"
