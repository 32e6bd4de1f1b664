"""PromQL as the dashboards use it. Every selector filters by the two variables that every dashboard has."""

from __future__ import annotations

_CHOSEN = 'cluster=~"$cluster",node=~"$node"'


def series(metric: str, more: str = "") -> str:
    """The series of the chosen cluster and nodes. `more` are further matchers."""
    return f"{metric}{{{_CHOSEN}{',' + more if more else ''}}}"


def rate(metric: str, more: str = "") -> str:
    """Per second, over as long a window as the graph's resolution and the scrape interval ask for."""
    return f"rate({series(metric, more)}[$__rate_interval])"


def increase(metric: str, more: str = "", window: str = "$__rate_interval") -> str:
    return f"increase({series(metric, more)}[{window}])"


def total(expression: str, *by: str) -> str:
    return f"sum by ({', '.join(by)}) ({expression})" if by else f"sum({expression})"


def quantile(share: float, histogram: str, more: str = "", by: tuple[str, ...] = ()) -> str:
    """NaN, so nothing in a graph, while nothing is observed."""
    return f"histogram_quantile({share:g}, {total(rate(histogram + '_bucket', more), 'le', *by)})"


def mean(histogram: str, more: str = "") -> str:
    """0 while nothing is observed."""
    return share_of(total(rate(histogram + "_sum", more)), total(rate(histogram + "_count", more)))


def buckets(histogram: str, more: str = "") -> str:
    return total(increase(histogram + "_bucket", more), "le")


def share_of(part: str, whole: str) -> str:
    """0 instead of NaN while there is nothing to take a share of: an empty panel looks like a broken one."""
    return f"{part} / clamp_min({whole}, 1e-9)"
