"""The promise itself: each message once, and in order."""

from __future__ import annotations

from .dashboard import Dashboard, Section
from .panels import Limits, Query, graph, heatmap, stat
from .queries import buckets, increase, quantile, rate, series, share_of, total

_TYPE = 'entity_type=~"$entity_type"'


def _outcome(pattern: str) -> str:
    return f'{_TYPE},outcome=~"{pattern}"'


def _judged() -> str:
    return total(rate("pawl_messages_total", _TYPE))


_PROMISE = Section(
    "The promise",
    [
        stat(
            "Ordering violations, 24 h",
            "Applied with a sender number not above the last one of the key. Must be 0: a defect here, or a sender that "
            "reuses numbers.",
            total(increase("pawl_ordering_violations_total", _TYPE, "24h")),
            "short",
            Limits(critical=1e-9),
            decimals=0,
            width=6,
        ),
        stat(
            "Duplicates recognised, 24 h",
            "Messages that had taken effect before and were not applied again.",
            total(increase("pawl_messages_total", _outcome("duplicate"), "24h")),
            "short",
            decimals=0,
            width=6,
        ),
        stat(
            "Duplicates",
            "Share of all messages now. A rise means that senders repeat themselves, often after timeouts.",
            share_of(total(rate("pawl_messages_total", _outcome("duplicate"))), _judged()),
            "percentunit",
            Limits(0.1, 0.5),
            decimals=2,
            width=6,
        ),
        stat(
            "Commits fenced, 24 h",
            "Commits by a node that no longer owned the shard. They were without effect; the node was stale.",
            total(increase("pawl_commits_fenced_total", window="24h")),
            "short",
            Limits(1),
            decimals=0,
            width=6,
        ),
    ],
)

_DUPLICATES = Section(
    "Duplicates",
    [
        graph(
            "Duplicates recognised",
            "By entity type. Not applied again; the sender is told so.",
            [Query(total(rate("pawl_messages_total", _outcome("duplicate")), "entity_type"), "{{entity_type}}")],
            "cps",
        ),
        graph(
            "Share of duplicates per node",
            "At the owners of the shards. Shards just taken over show the retries of what their former owner left.",
            [
                Query(
                    f"{total(rate('pawl_messages_total', _outcome('duplicate')), 'node')} / "
                    f"clamp_min({total(rate('pawl_messages_total', _TYPE), 'node')}, 1e-9)",
                    "{{node}}",
                )
            ],
            "percentunit",
            Limits(0.1),
        ),
    ],
)

_ORDER = Section(
    "Order",
    [
        graph(
            "Out of order at arrival",
            "Messages whose sender number is not the next one of the key: gaps and numbers that came before. Applied all "
            "the same; a steady rate means a sender that does not wait for its earlier message.",
            [Query(total(rate("pawl_messages_out_of_order_total", _TYPE), "entity_type"), "{{entity_type}}")],
            "cps",
        ),
        graph(
            "Ids remembered",
            "Of messages from outside that were applied or refused for good, as long as a repetition is recognised.",
            [Query(total(series("pawl_processed_ids", _TYPE), "entity_type"), "{{entity_type}}")],
            "short",
        ),
        graph(
            "Ordering violations",
            "By node. Any at all is for the runbook.",
            [Query(total(increase("pawl_ordering_violations_total", _TYPE), "node"), "{{node}}")],
            "short",
            Limits(critical=1e-9),
            bars=True,
        ),
        graph(
            "Refused for good",
            "Payloads that do not fit, handlers that throw or refuse, ids used with other content, messages too old.",
            [Query(total(rate("pawl_messages_total", _outcome("refused")), "entity_type"), "{{entity_type}}")],
            "cps",
        ),
        graph(
            "Not resolved",
            "busy: certainly not applied. unknown: may have been. The sender has to send both again with the same id.",
            [Query(total(rate("pawl_messages_total", _outcome("busy|unknown")), "outcome"), "{{outcome}}")],
            "cps",
            stacked=True,
        ),
    ],
)

_NUMBERS = Section(
    "Sequenced types",
    [
        graph(
            "Gaps in numbers",
            "Seen, filled by the missing numbers, and not filled within the type's gap_timeout: those are for the runbook.",
            [Query(total(rate("pawl_number_gaps_total", _TYPE), "event"), "{{event}}")],
            "cps",
        ),
        graph(
            "Early messages held",
            "In memory, until the numbers before them have come.",
            [Query(total(series("pawl_held_messages", _TYPE), "entity_type"), "{{entity_type}}")],
            "short",
        ),
        graph(
            "Early messages",
            "Answered busy and sent again. Not held: the buffer is full, or the number far ahead of all that makes sense.",
            [Query(total(rate("pawl_early_messages_total", _TYPE), "result"), "{{result}}")],
            "cps",
        ),
    ],
)

_LATENCY = Section(
    "Latency",
    [
        heatmap(
            "Latency of messages",
            "From arrival at the owner to the confirmed commit, as a distribution.",
            buckets("pawl_message_latency_seconds", _TYPE),
            "s",
        ),
        graph(
            "Latency p99 by entity type",
            "The line is the objective.",
            [
                Query(
                    quantile(0.99, "pawl_message_latency_seconds", _TYPE, ("entity_type",)),
                    "{{entity_type}}",
                )
            ],
            "s",
            Limits(0.05),
        ),
    ],
)

ORDERING = Dashboard(
    "ordering",
    "Pawl / Ordering and duplicates",
    "Each message once, and in order: what was repeated, what came out of order, what was refused.",
    [_PROMISE, _DUPLICATES, _ORDER, _NUMBERS, _LATENCY],
    by_entity_type=True,
)
