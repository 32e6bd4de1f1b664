"""The order workflow, as far as its messages show it: any entity types can be chosen."""

from __future__ import annotations

from .dashboard import Dashboard, Section
from .panels import Limits, Query, graph, heatmap, stat
from .queries import buckets, increase, quantile, rate, series, share_of, total

_TYPE = 'entity_type=~"$entity_type"'


def _messages(outcomes: str) -> str:
    return f'{_TYPE},outcome=~"{outcomes}"'


_RANGE = Section(
    "In the chosen time",
    [
        stat(
            "Events applied",
            "Events that took effect, each once.",
            total(increase("pawl_messages_total", _messages("applied"), "$__range")),
            "short",
            decimals=0,
        ),
        stat(
            "Repetitions recognised",
            "Events that were sent again and not applied again.",
            total(increase("pawl_messages_total", _messages("duplicate"), "$__range")),
            "short",
            decimals=0,
        ),
        stat(
            "Refused",
            "Events that will never take effect.",
            total(increase("pawl_messages_total", _messages("refused"), "$__range")),
            "short",
            Limits(1e-9),
            decimals=0,
        ),
        stat(
            "To be sent again",
            "Answers busy and unknown. The same event may be counted more than once.",
            total(increase("pawl_messages_total", _messages("busy|unknown"), "$__range")),
            "short",
            decimals=0,
        ),
        stat(
            "Out of order",
            "Events whose number was not the next one of their order.",
            total(increase("pawl_messages_out_of_order_total", _TYPE, "$__range")),
            "short",
            decimals=0,
        ),
        stat(
            "Ordering violations",
            "Events applied after a later one of the same order. Must be 0.",
            total(increase("pawl_ordering_violations_total", _TYPE, "$__range")),
            "short",
            Limits(critical=1e-9),
            decimals=0,
        ),
    ],
)

_EVENTS = Section(
    "Events",
    [
        graph(
            "Applied",
            "By entity type: orders, and what else takes part.",
            [Query(total(rate("pawl_messages_total", _messages("applied")), "entity_type"), "{{entity_type}}")],
            "cps",
            stacked=True,
        ),
        graph(
            "Everything else",
            "Repetitions, refusals, and what its sender has to send again.",
            [Query(total(rate("pawl_messages_total", _messages("duplicate|refused|busy|unknown")), "outcome"), "{{outcome}}")],
            "cps",
        ),
        graph(
            "Effects per sending",
            "Share of the messages judged that took effect: 1 if nothing is ever repeated.",
            [
                Query(
                    share_of(
                        total(rate("pawl_messages_total", _messages("applied"))),
                        total(rate("pawl_messages_total", _TYPE)),
                    ),
                    "applied / judged",
                )
            ],
            "percentunit",
        ),
        graph(
            "Applied per node",
            "Which nodes the orders live on.",
            [Query(total(rate("pawl_messages_total", _messages("applied")), "node"), "{{node}}")],
            "cps",
            stacked=True,
        ),
        graph(
            "Time until an event is durable",
            "From arrival at the owner to the confirmed commit. The line is the objective.",
            [Query(quantile(q, "pawl_message_latency_seconds", _TYPE), f"p{q * 100:g}") for q in (0.5, 0.95, 0.99)],
            "s",
            Limits(0.05),
        ),
        heatmap(
            "Events by latency",
            "As a distribution.",
            buckets("pawl_message_latency_seconds", _TYPE),
            "s",
        ),
    ],
)

_BETWEEN = Section(
    "Between entities",
    [
        stat(
            "Waiting to be taken",
            "Messages that entities have sent and whose receiver is not known to have taken them.",
            total(series("pawl_outbox_messages")),
            "short",
            Limits(1_000, 20_000),
            decimals=0,
        ),
        stat(
            "Receivers stopped",
            "Pairs of shards that stand still after a rollback of the store. Must be 0.",
            total(series("pawl_outbox_receivers_stopped")),
            "short",
            Limits(critical=1),
            decimals=0,
        ),
        stat(
            "Dead letters",
            "Messages that could not take effect and wait for somebody to look.",
            total(series("pawl_dead_letters")),
            "short",
            Limits(1),
            decimals=0,
        ),
        stat("Timers pending", "Of all entities.", total(series("pawl_timers")), "short", decimals=0),
        graph(
            "Messages between entities",
            "Taken by their receivers, and batches that did not follow what had been taken: one per pair after a takeover.",
            [
                Query(total(rate("pawl_sequenced_messages_total")), "taken"),
                Query(total(rate("pawl_sequence_mismatches_total")), "did not follow"),
            ],
            "cps",
        ),
        graph(
            "Outbox per node",
            "What waits to be taken, by the node that sends it.",
            [Query(total(series("pawl_outbox_messages"), "node"), "{{node}}")],
            "short",
            stacked=True,
        ),
        graph(
            "Timers and dead letters",
            "Timers that became a message, and messages that became dead letters.",
            [
                Query(total(rate("pawl_timers_fired_total")), "timers fired"),
                Query(total(rate("pawl_dead_letters_added_total")), "dead letters"),
            ],
            "cps",
        ),
    ],
)

_INBOXES = Section(
    "Inboxes",
    [
        stat(
            "Furthest behind",
            "Age of the oldest entry that was read and waits to be taken, of the worst shard.",
            f"max({series('pawl_inbox_lag_seconds')})",
            "s",
            Limits(5, 30),
        ),
        stat(
            "Not read",
            "Inboxes whose stream is behind what was taken of it. Must be 0.",
            total(series("pawl_inbox_stopped")),
            "short",
            Limits(critical=1),
            decimals=0,
        ),
        graph(
            "Entries",
            "Taken, with their effects or as dead letters; and removed by somebody else before they were read, which must not happen.",
            [
                Query(total(rate("pawl_inbox_entries_total")), "taken"),
                Query(total(rate("pawl_inbox_lost_total")), "lost"),
            ],
            "cps",
        ),
    ],
)

ORDERS = Dashboard(
    "orders",
    "Pawl / Order workflow",
    "What became of the events of orders, and how long they took.",
    [_RANGE, _EVENTS, _BETWEEN, _INBOXES],
    by_entity_type=True,
)
