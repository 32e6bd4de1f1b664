"""What nodes expose and what dashboards show, with real nodes, a real Prometheus and a run in which things go wrong.

Three nodes of the order workflow. First nothing is sent: what is exposed has to be what METRICS.md says, and every
query has to find its series, since a query that finds nothing looks like health. Then orders are sent, some twice and
some with gaps in their numbers, while a node is drained, another killed and a new one joins; after that every query
has to have given numbers, and what was done to the cluster has to be in them.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import random
import time
import unittest
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import exposition
import lint
import promql
import reference
from dashboards_test import dashboards
from pawl_demo.cluster import Cluster, Node
from pawl_demo.orders import Event, generate
from pawl_demo.processes import Workspace
from pawl_demo.redis_server import RedisServer
from pawl_demo.saga import plan
from pawl_demo.schedule import interleave, with_copies
from pawl_demo.sender import NodePool, Sender
from prometheus_server import SCRAPE_SECONDS, PrometheusServer, Series
from reference import PROJECT

PROGRAM = Path(os.environ.get("PAWL_ORDER_WORKFLOW", PROJECT / "build/dev/examples/order_workflow"))
CLUSTER = "watched"
SHARDS = 64
ORDERS = 2_500
SAGAS = 500
RATE = 600.0  # messages a second: some ten seconds, so many scrapes
DUPLICATES = 0.1
SEED = 1
# Every seventh order counts on with a number left out.
GAP_EVERY = 7
STEP_SECONDS = 1

# No event, no quantile: these may be NaN while nothing has happened, and only then.
_NAN_WHILE_IDLE = ("histogram_quantile",)


def with_gaps(events: list[Event]) -> list[Event]:
    """From the second event of every seventh order on, numbers are higher by one."""
    chosen = {order for index, order in enumerate(dict.fromkeys(event.order for event in events)) if index % GAP_EVERY == 0}
    return [
        dataclasses.replace(event, seq=event.seq + 1) if event.order in chosen and event.seq > 1 else event
        for event in events
    ]


def with_sagas(events: list[Event], orders: int) -> list[Event]:
    """Messages of the checkout saga spread among them, so that entities of every type take part."""
    sagas = plan(orders, SEED)
    mixed = [(index / len(events), 0, index, event) for index, event in enumerate(events)]
    mixed += [(index / len(sagas), 1, index, event) for index, event in enumerate(sagas)]
    return [event for *_, event in sorted(mixed, key=lambda item: item[:3])]


class Watched:
    """The nodes and the Prometheus that watches them."""

    def __init__(self, cluster: Cluster, prometheus: PrometheusServer) -> None:
        self.cluster = cluster
        self.prometheus = prometheus
        self.scraped: list[Node] = []

    async def start(self, count: int) -> None:
        new = [self.cluster.start_node() for _ in range(count)]
        for node in new:
            await node.ready()
        self.scraped += new
        self.prometheus.scrape(CLUSTER, self.scraped)

    async def page(self, node: Node) -> str:
        answer = await node.endpoint.request("GET", "/metrics")
        if answer.status != 200:
            raise ValueError(f"{node.name}: /metrics answered {answer.status}")
        return answer.body.decode()


async def send_while_nodes_go_and_come(watched: Watched) -> Sender:
    events = with_sagas(with_gaps(interleave(generate(ORDERS, SEED))), SAGAS)
    rng = random.Random(SEED)
    pool = NodePool([node.endpoint for node in watched.cluster.nodes], rng)
    sender = Sender(with_copies(events, DUPLICATES, SEED), pool, RATE, rng)
    drained, killed = watched.cluster.nodes[1:3]

    async def incidents() -> None:
        await sender.reached(1 / 5)
        body = f'{{"node":"{drained.name}"}}'.encode()
        answer = await drained.endpoint.request("POST", "/v1/drain", body)
        if answer.status != 202:
            raise ValueError(f"drain of {drained.name}: {answer.status} {answer.body!r}")
        await sender.reached(2 / 5)
        killed.child.kill()
        await sender.reached(3 / 5)
        await watched.start(1)
        pool.add(watched.cluster.nodes[-1].endpoint)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(incidents())
        tasks.create_task(sender.run())
    return sender


class Variables:
    """The dashboards' variables as Grafana puts them into queries."""

    def __init__(self, begin: float) -> None:
        self._begin = begin

    def into(self, query: str, nodes: str) -> str:
        values = {
            "cluster": CLUSTER,
            "node": nodes,
            "entity_type": ".+",
            "__rate_interval": promql.rate_interval(STEP_SECONDS, SCRAPE_SECONDS),
            "__range": f"{max(int(time.time() - self._begin), 1)}s",
        }
        return promql.substitute(query, values)


def queries() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every query of every panel, with where it stands."""
    for name, dashboard in dashboards().items():
        for panel in lint.panels(dashboard):
            for target in panel["targets"]:
                yield f"{name}, “{panel['title']}”, {target['refId']}", target


class LiveTest(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        # Else it reports every turn of the loop that takes a tenth of a second.
        asyncio.get_running_loop().set_debug(False)

    async def test_nodes_expose_what_is_documented_and_dashboards_show_what_happens(self) -> None:
        self.assertTrue(PROGRAM.exists(), f"{PROGRAM} is missing: scripts/compile dev order_workflow builds it")
        # In the subtests below a failure does not end the test: the run is long, and one may show several.
        with Workspace() as workspace:
            directory = workspace.path
            with (
                RedisServer(directory / "redis") as redis,
                PrometheusServer(directory / "watch") as prometheus,
                Cluster(PROGRAM, CLUSTER, redis.socket_path, directory) as cluster,
            ):
                cluster.init(SHARDS)
                watched = Watched(cluster, prometheus)
                await watched.start(3)
                owned = f'sum(pawl_shards_owned{{cluster="{CLUSTER}"}})'
                await asyncio.to_thread(prometheus.wait_for, owned, lambda found: _sum(found) == SHARDS)
                # Two for each other member, as METRICS.md and the alert count them.
                linked = f'min(pawl_peer_connections{{cluster="{CLUSTER}"}})'
                await asyncio.to_thread(prometheus.wait_for, linked, lambda found: _sum(found) == 4)
                await self.check_reference(watched)
                await self.check_idle(watched)
                begin = time.time()
                sender = await send_while_nodes_go_and_come(watched)
                # The last scrape has seen the last message, and every shard has its owner.
                resolved = f'sum(pawl_shards_owned{{cluster="{CLUSTER}"}})'
                await asyncio.to_thread(prometheus.wait_for, resolved, lambda found: _sum(found) == SHARDS)
                await asyncio.to_thread(self.check_variables, watched)
                await asyncio.to_thread(self.check_numbers, watched, begin)
                await asyncio.to_thread(self.check_what_happened, watched, sender)
                await asyncio.to_thread(self.check_rules, watched)

    async def check_reference(self, watched: Watched) -> None:
        """Both ways, before any message: names, types, labels, and values that labels can have."""
        known = reference.read()
        for node in watched.cluster.live:
            families = exposition.read(await watched.page(node))
            with self.subTest("names", node=node.name):
                self.assertEqual(sorted(families), sorted(known.nodes))
            for name in families.keys() & known.nodes.keys():
                with self.subTest(name, node=node.name):
                    self.assertEqual(families[name].type, known.nodes[name].type)
                    self.assertEqual(families[name].label_names(), {frozenset(known.nodes[name].labels)})
                    for label, values in known.nodes[name].labels.items():
                        if values:
                            self.assertEqual(sorted(families[name].values(label)), sorted(values))
            with self.subTest("shards", node=node.name):
                owned = families["pawl_shards_owned"].samples[0][2]
                self.assertEqual(len(families["pawl_shard_messages_total"].samples), owned)

    async def check_idle(self, watched: Watched) -> None:
        """A thing that has not happened is a 0, not an empty panel."""
        scrapes = 'min(count_over_time(up{job="pawl"}[1m]))'
        await asyncio.to_thread(watched.prometheus.wait_for, scrapes, lambda found: _sum(found) >= 6)
        variables = Variables(time.time() - 6)
        for where, target in queries():
            with self.subTest("idle", query=where):
                found = await asyncio.to_thread(watched.prometheus.now, variables.into(target["expr"], ".+"))
                self.assertTrue(found, f"finds nothing: {target['expr']}")
                if not target["expr"].startswith(_NAN_WHILE_IDLE):
                    self.assertTrue(all(series.finite() for series in found), f"not a number: {target['expr']}")

    def check_variables(self, watched: Watched) -> None:
        """The lists to choose from hold what there is."""
        for name, dashboard in dashboards().items():
            for variable in dashboard["templating"]["list"]:
                if variable["type"] != "query":
                    continue
                expected = {
                    "cluster": {CLUSTER},
                    "node": {node.name for node in watched.scraped},
                    "entity_type": {"order", "checkout", "account", "ticket"},
                }[variable["name"]]
                with self.subTest(name, variable=variable["name"]):
                    query = Variables(time.time()).into(variable["query"]["query"], ".+")
                    self.assertEqual(set(watched.prometheus.label_values(query)), expected)

    def check_numbers(self, watched: Watched, begin: float) -> None:
        """Every query, over the run, with all nodes and with some: series, and numbers in them."""
        some = "|".join(node.name for node in watched.cluster.live)
        self.assertEqual(some.count("|"), 1, "one drained, one killed, one joined: two live")
        variables, end = Variables(begin), time.time()
        asked = 0
        for where, target in queries():
            for nodes in (".+", f"({some})"):
                with self.subTest(query=where, nodes=nodes):
                    query = variables.into(target["expr"], nodes)
                    asked += 1
                    found = watched.prometheus.over(query, begin, end, STEP_SECONDS)
                    self.assertTrue(found, f"finds nothing: {query}")
                    self.assertTrue(all(series.finite() for series in found), f"never a number: {query}")
                    infinite = [series for series in found if float("inf") in series.values]
                    self.assertEqual(infinite, [], f"infinite: {query}")
        self.assertGreater(asked, 100)

    def check_what_happened(self, watched: Watched, sender: Sender) -> None:
        """What was done to the cluster is in the series that dashboards and alerts use."""
        results: Counter[str] = sender.tally.results
        self.assertGreater(results["duplicate"], 0)
        for query in (
            'pawl_messages_total{outcome="applied"}',
            'pawl_messages_total{outcome="duplicate"}',
            "pawl_messages_out_of_order_total",
            'pawl_handoffs_total{reason="drain"}',
            'pawl_handoffs_total{reason="takeover"}',
            'pawl_handoffs_total{reason="join"}',
            "pawl_forwarded_messages_total",
            "pawl_sequenced_messages_total",
        ):
            with self.subTest(query):
                self.assertGreater(_sum(watched.prometheus.now(f"sum(max_over_time({query}[10m]))")), 0)
        with self.subTest("in order"):
            self.assertEqual(_sum(watched.prometheus.now("sum(max_over_time(pawl_ordering_violations_total[10m]))")), 0)
        # What must not be caused by any of this.
        for alert in ("PawlOrderingViolation", "PawlCommitsRefused", "PawlEvicted", "PawlShardUnserved"):
            with self.subTest(alert):
                self.assertEqual(watched.prometheus.now(f'count_over_time(ALERTS{{alertname="{alert}"}}[10m])'), [])
        # The nodes that have gone are down for Prometheus, and the alert waits for its minute.
        watched.prometheus.wait_for('sum(up{job="pawl"} == bool 0)', lambda found: _sum(found) == 2)
        watched.prometheus.wait_for('count(ALERTS{alertname="PawlNodeDown"})', lambda found: _sum(found) == 2)

    def check_rules(self, watched: Watched) -> None:
        """Prometheus has evaluated every rule without an error, and recorded what is documented."""
        rules = watched.prometheus.rules()
        self.assertEqual([(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"], [])
        for name in reference.read().recorded:
            with self.subTest(name):
                found = watched.prometheus.now(name)
                self.assertTrue(found and all(series.finite() for series in found), found)


def _sum(found: list[Series]) -> float:
    return sum(series.values[-1] for series in found)


if __name__ == "__main__":
    unittest.main()
