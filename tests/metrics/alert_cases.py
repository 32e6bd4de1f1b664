"""For every alert a history in which it fires, and the nearest one in which it must not.

Series are written as promtool takes them: "a+bxn" is n more samples that rise by b. One sample a minute.
"""

from __future__ import annotations

from dataclasses import dataclass

Series = dict[str, str]


@dataclass(frozen=True)
class Case:
    """`labels` are those of the alert when it fires at `at`; `severity` comes from the rule."""

    at: str
    labels: dict[str, str]
    firing: Series
    silent: Series


N1 = 'cluster="c",node="n1",job="pawl"'
N2 = 'cluster="c",node="n2",job="pawl"'
NODE = {"cluster": "c", "node": "n1"}
JOB = {**NODE, "job": "pawl"}
CLUSTER = {"cluster": "c"}


def _one(at: str, labels: dict[str, str], series: str, firing: str, silent: str) -> Case:
    return Case(at, labels, {series: firing}, {series: silent})


def _counter(at: str, labels: dict[str, str], metric: str, more: str = "") -> Case:
    """One event in the sixth minute, or none."""
    series = f"{metric}{{{N1}{more}}}"
    return _one(at, labels, series, "0x5 1x60", "7x65")


def _outcomes(applied: str, busy: str) -> Series:
    name = f'pawl_messages_total{{{N1},entity_type="order",outcome='
    return {f'{name}"applied"}}': applied, f'{name}"busy"}}': busy}


def _latency(count: str, fast: str) -> Series:
    name = "pawl_message_latency_seconds"
    more = f'{N1},entity_type="order"'
    return {f"{name}_count{{{more}}}": count, f'{name}_bucket{{{more},le="0.05"}}': fast}


def _buckets(metric: str, within: str, beyond: str, edges: tuple[str, str]) -> Series:
    values = dict(zip((*edges, "+Inf"), (within, beyond, beyond)))
    return {f'{metric}_bucket{{{N1},le="{edge}"}}': counts for edge, counts in values.items()}


def _shards(rates: dict[str, str]) -> Series:
    return {f'pawl_shard_messages_total{{{N1},shard="{shard}"}}': values for shard, values in rates.items()}


_EVEN = {str(shard): "0+6000x40" for shard in range(20)}

CASES: dict[str, Case] = {
    "PawlOrderingViolation": _counter(
        "8m", {**NODE, "entity_type": "order"}, "pawl_ordering_violations_total", ',entity_type="order"'
    ),
    "PawlDuplicateSurge": Case(
        "30m",
        CLUSTER,
        {
            'pawl_messages_total{cluster="c",node="n1",outcome="applied"}': "0+80x40",
            'pawl_messages_total{cluster="c",node="n1",outcome="duplicate"}': "0+20x40",
        },
        {
            'pawl_messages_total{cluster="c",node="n1",outcome="applied"}': "0+95x40",
            'pawl_messages_total{cluster="c",node="n1",outcome="duplicate"}': "0+5x40",
        },
    ),
    # 2 % for an hour; and an hour that was as bad, but is over for ten minutes.
    "PawlDeliveryBudgetFast": Case(
        "90m", CLUSTER, _outcomes("0+98x120", "0+2x120"), _outcomes("0+98x120", "0+2x79 158x40")
    ),
    "PawlDeliveryBudgetSlow": Case(
        "400m", CLUSTER, _outcomes("0+990x500", "0+10x500"), _outcomes("0+998x500", "0+2x500")
    ),
    # Without messages nothing is slow: the silent case of the second is a counter that stands still.
    "PawlLatencyBudgetFast": Case("90m", CLUSTER, _latency("0+100x120", "0+80x120"), _latency("0+100x120", "0+95x120")),
    "PawlLatencyBudgetSlow": Case("400m", CLUSTER, _latency("0+100x500", "0+92x500"), _latency("7x500", "3x500")),
    "PawlNodeDown": _one("5m", JOB, f"up{{{N1}}}", "1x2 0x10", "1x2 0 1x10"),
    "PawlMetricsAbsent": Case("10m", {}, {f"pawl_build_info{{{N1}}}": "1 stale"}, {f"pawl_build_info{{{N1}}}": "1x20"}),
    "PawlNodeRestarts": _one(
        "50m", JOB, f"process_start_time_seconds{{{N1}}}", "100x9 200x9 300x9 400x30", "100x9 200x9 300x40"
    ),
    "PawlMemberMissing": Case(
        "6m",
        CLUSTER,
        {f"up{{{N1}}}": "1x10", f"up{{{N2}}}": "1x10", f"pawl_members{{{N1}}}": "1x10", f"pawl_members{{{N2}}}": "2x10"},
        {f"up{{{N1}}}": "1x10", f"up{{{N2}}}": "1x10", f"pawl_members{{{N1}}}": "2x10", f"pawl_members{{{N2}}}": "2x10"},
    ),
    "PawlViewsDiffer": Case(
        "5m",
        CLUSTER,
        {f"pawl_view{{{N1}}}": "4x10", f"pawl_view{{{N2}}}": "5x10"},
        {f"pawl_view{{{N1}}}": "4x3 5x10", f"pawl_view{{{N2}}}": "5x10"},
    ),
    "PawlEvicted": _counter("8m", NODE, "pawl_evictions_total"),
    "PawlPeerUnreachable": Case(
        "5m",
        JOB,
        {f"pawl_peer_connections{{{N1}}}": "3x10", f"pawl_members{{{N1}}}": "3x10"},
        {f"pawl_peer_connections{{{N1}}}": "4x10", f"pawl_members{{{N1}}}": "3x10"},
    ),
    "PawlFileDescriptors": Case(
        "10m",
        JOB,
        {f"process_open_fds{{{N1}}}": "900x20", f"process_max_fds{{{N1}}}": "1024x20"},
        {f"process_open_fds{{{N1}}}": "700x20", f"process_max_fds{{{N1}}}": "1024x20"},
    ),
    "PawlVersionsDiffer": Case(
        "70m",
        CLUSTER,
        {f'pawl_build_info{{{N1},version="1"}}': "1x90", f'pawl_build_info{{{N2},version="2"}}': "1x90"},
        {
            f'pawl_build_info{{{N1},version="1"}}': "1x30 stale",
            f'pawl_build_info{{{N1},version="2"}}': "_x30 1x60",
            f'pawl_build_info{{{N2},version="2"}}': "1x90",
        },
    ),
    "PawlShardsUnowned": Case(
        "5m",
        CLUSTER,
        {f"pawl_shards{{{N1}}}": "64x10", f"pawl_shards_owned{{{N1}}}": "63x10"},
        {
            f"pawl_shards{{{N1}}}": "64x10",
            f"pawl_shards{{{N2}}}": "64x10",
            f"pawl_shards_owned{{{N1}}}": "32x10",
            f"pawl_shards_owned{{{N2}}}": "32x10",
        },
    ),
    "PawlShardOwnedTwice": Case(
        "5m",
        CLUSTER,
        {f'pawl_shard_messages_total{{{N1},shard="7"}}': "0x10", f'pawl_shard_messages_total{{{N2},shard="7"}}': "0x10"},
        {
            f'pawl_shard_messages_total{{{N1},shard="7"}}': "0x10",
            f'pawl_shard_messages_total{{{N2},shard="8"}}': "0x10",
        },
    ),
    "PawlShardUnserved": _one("5m", NODE, f"pawl_shard_unserved_seconds_max{{{N1}}}", "0x2 20x10", "0x2 12x10"),
    "PawlHandlerStalled": _one("5m", JOB, f"pawl_shards_stalled{{{N1}}}", "0 2x10", "0x3 2 0x10"),
    "PawlHandoffSlow": Case(
        "15m",
        CLUSTER,
        _buckets("pawl_handoff_pause_seconds", "0x20", "0+8x20", ("5", "10")),
        _buckets("pawl_handoff_pause_seconds", "0+8x20", "0+8x20", ("2.5", "5")),
    ),
    # 1,000 messages a second on one shard beside 10 on each of 19; and the same load spread evenly.
    "PawlHotShard": Case(
        "30m",
        CLUSTER,
        _shards({**{shard: "0+600x40" for shard in _EVEN}, "7": "0+60000x40"}),
        _shards(_EVEN),
    ),
    "PawlQueueBacklog": _one("6m", JOB, f"pawl_shard_queued_messages{{{N1}}}", "20000x10", "20000x4 0x10"),
    "PawlStoreDown": _one("5m", JOB, f"pawl_store_up{{{N1}}}", "1x2 0x10", "1x10"),
    "PawlCommitsRefused": _counter("8m", CLUSTER, "pawl_commits_refused_total"),
    "PawlCommitsFenced": _counter("8m", NODE, "pawl_commits_fenced_total"),
    "PawlCommitsUnknown": _one("20m", CLUSTER, f"pawl_commits_unknown_total{{{N1}}}", "0+1x30", "0x9 1x30"),
    "PawlStoreFlaps": _one("15m", NODE, f"pawl_store_reconnects_total{{{N1}}}", "0+1x20", "0x9 2x20"),
    "PawlOutboxStopped": _one("3m", NODE, f"pawl_outbox_receivers_stopped{{{N1}}}", "0x1 1x5", "0x6"),
    "PawlOutboxGrows": _one("9m", NODE, f"pawl_outbox_messages{{{N1}}}", "30000x10", "30000x3 0x7"),
    "PawlInboxStopped": _one("3m", NODE, f"pawl_inbox_stopped{{{N1}}}", "0x1 1x5", "0x6"),
    "PawlInboxLost": _counter("8m", CLUSTER, "pawl_inbox_lost_total"),
    "PawlInboxLags": _one("6m", NODE, f"pawl_inbox_lag_seconds{{{N1}}}", "0 40x10", "0x3 40 0x10"),
    "PawlDeadLetters": _counter("8m", CLUSTER, "pawl_dead_letters_added_total"),
    "PawlNumberGaps": _counter(
        "8m", {**CLUSTER, "entity_type": "order"}, "pawl_number_gaps_total", ',entity_type="order",event="timed_out"'
    ),
    "PawlStoreSlow": Case(
        "20m",
        CLUSTER,
        _buckets("pawl_commit_latency_seconds", "0+90x30", "0+100x30", ("0.05", "0.1")),
        _buckets("pawl_commit_latency_seconds", "0+100x30", "0+100x30", ("0.025", "0.05")),
    ),
}
