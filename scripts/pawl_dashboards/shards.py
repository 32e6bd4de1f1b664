"""Who owns which shards, how they move, and which of them is hot."""

from __future__ import annotations

from .dashboard import Dashboard, Section
from .panels import Limits, Query, graph, heatmap, ranking, stat
from .queries import buckets, increase, quantile, rate, series, total

_BY_SHARD = total(rate("pawl_shard_messages_total"), "shard")

_NOW = Section(
    "Now",
    [
        stat("Shards", "Of the dataset; fixed when it was made.", f"max({series('pawl_shards')})", "short"),
        stat(
            "Without owner",
            "Claimed by none of the chosen nodes.",
            f"max({series('pawl_shards')}) - {total(series('pawl_shards_owned'))}",
            "short",
            Limits(critical=1),
        ),
        stat(
            "Owned twice",
            "Shards that two nodes show as theirs: one of them does not know yet, and cannot commit. For a scrape or two "
            "this is a move.",
            f"count(count by (shard) ({series('pawl_shard_messages_total')}) > 1) or vector(0)",
            "short",
            Limits(critical=1),
        ),
        stat(
            "Unserved",
            "Shards that some node could for more than a second neither serve nor reach.",
            f"max({series('pawl_shards_unserved')})",
            "short",
            Limits(critical=1),
        ),
        stat(
            "Stalled",
            "Shards in a handler that has not returned for longer than a lease.",
            total(series("pawl_shards_stalled")),
            "short",
            Limits(1, 2),
        ),
        stat(
            "Views",
            "Different views that nodes act on. More than one for longer than a few beats: not all reach the store.",
            f'count(count_values("view", {series("pawl_view")}))',
            "short",
            Limits(critical=2),
        ),
    ],
)

_OWNERSHIP = Section(
    "Ownership",
    [
        graph(
            "Shards owned",
            "Stacked: the sum is the number of shards, a dip a gap in service, a step a rebalance.",
            [Query(series("pawl_shards_owned"), "{{node}}")],
            "short",
            stacked=True,
            steps=True,
        ),
        graph(
            "Unserved shards",
            "As each node sees it. Short at a takeover; /v1/shards says what is waited for.",
            [Query(series("pawl_shards_unserved"), "{{node}}")],
            "short",
            Limits(1),
        ),
        graph(
            "Longest without service",
            "The shard that has waited for longest, as each node sees it.",
            [Query(series("pawl_shard_unserved_seconds_max"), "{{node}}")],
            "s",
            Limits(3, 15),
        ),
        graph(
            "Members",
            "Of the view that each node acts on.",
            [Query(series("pawl_members"), "{{node}}")],
            "short",
            steps=True,
        ),
        graph(
            "View",
            "Its number; it only rises. Lines that stay apart are nodes that do not agree.",
            [Query(series("pawl_view"), "{{node}}")],
            "short",
            steps=True,
        ),
        graph(
            "Lease left",
            "How long each node would still be a member if it beat no more. At 0 the others take its shards over.",
            [Query(series("pawl_lease_remaining_seconds"), "{{node}}")],
            "s",
            steps=True,
        ),
        graph(
            "Beat confirmed, p99",
            "From sending a beat to the store's answer.",
            [Query(quantile(0.99, "pawl_lease_renewal_seconds"), "p99")],
            "s",
            Limits(0.2, 1),
        ),
        graph(
            "Evictions",
            "Times a node was thrown out by others: it was paused or cut off for longer than a lease.",
            [Query(increase("pawl_evictions_total"), "{{node}}")],
            "short",
            Limits(critical=1),
            bars=True,
        ),
    ],
)

_MOVES = Section(
    "Moves",
    [
        graph(
            "Handoffs by reason",
            "Shards that began to be served at another node. start, join and drain are planned; takeover: a member was lost.",
            [Query(total(increase("pawl_handoffs_total"), "reason"), "{{reason}}")],
            "short",
            bars=True,
            stacked=True,
        ),
        graph(
            "Pause of a handoff",
            "From a shard being placed on a node to it being served there: what a message may have to wait.",
            [Query(quantile(q, "pawl_handoff_pause_seconds"), f"p{q * 100:g}") for q in (0.5, 0.99)],
            "s",
            Limits(1, 5),
        ),
        heatmap(
            "Pauses",
            "Every handoff, by its pause.",
            buckets("pawl_handoff_pause_seconds"),
            "s",
        ),
        graph(
            "Claims granted",
            "More than handoffs explain: connections to the store break, and shards are claimed anew.",
            [Query(total(rate("pawl_claims_total"), "node"), "{{node}}")],
            "cps",
        ),
    ],
)

_LOAD = Section(
    "Load",
    [
        ranking(
            "Shards that take most messages",
            "One far above the others: a hot key.",
            Query(f"topk(10, {_BY_SHARD})", "shard {{shard}}"),
            "cps",
        ),
        graph(
            "Skew",
            "The busiest shard beside the average. High at a low rate means nothing.",
            [Query(f"max({_BY_SHARD}) / clamp_min(avg({_BY_SHARD}), 1e-9)", "max / average")],
            "short",
            Limits(10),
        ),
        graph(
            "Stalled shards",
            "In a handler that has not returned for longer than a lease.",
            [Query(series("pawl_shards_stalled"), "{{node}}")],
            "short",
            Limits(1),
        ),
        graph(
            "Connections between nodes",
            "Open connections to other members, as each node counts them: two for each, one dialled by either side.",
            [Query(series("pawl_peer_connections"), "{{node}}")],
            "short",
            steps=True,
        ),
    ],
)

SHARDS = Dashboard(
    "shards",
    "Pawl / Shards and rebalancing",
    "Who owns which shards, how they move, and which of them is hot.",
    [_NOW, _OWNERSHIP, _MOVES, _LOAD],
)
