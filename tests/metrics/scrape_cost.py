"""What a scrape costs: one node with 1,024 shards under load, alone and while /metrics is read ten times a second.

Not a test, since it judges by time. Run: PYTHONPATH=scripts python3 tests/metrics/scrape_cost.py
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import exposition
from pawl_demo import tally
from pawl_demo.cluster import Cluster, Node
from pawl_demo.orders import generate
from pawl_demo.processes import Workspace, stop_on_signals
from pawl_demo.redis_server import RedisServer
from pawl_demo.schedule import interleave, with_copies
from pawl_demo.sender import NodePool, Sender

PROGRAM = Path(__file__).resolve().parents[2] / "build/dev/examples/order_workflow"
SHARDS = 1_024
ORDERS = 5_000  # about 20,000 events
RATE = 2_000.0
SCRAPES_PER_SECOND = 10
ROUNDS = 3


@dataclass(frozen=True)
class Round:
    scrapes_ms: list[float]
    bytes: int
    latency_ms: tuple[float, float]
    commit_ms: float


async def _page(node: Node) -> tuple[str, float]:
    began = time.perf_counter()
    answer = await node.endpoint.request("GET", "/metrics")
    return answer.body.decode(), (time.perf_counter() - began) * 1e3


async def _commits(node: Node) -> tuple[float, float]:
    """Sum of the seconds of all commits, and their number."""
    samples = exposition.read((await _page(node))[0])["pawl_commit_latency_seconds"].samples
    values = {name: value for name, _, value in samples}
    return values["pawl_commit_latency_seconds_sum"], values["pawl_commit_latency_seconds_count"]


async def _scrape(node: Node, times: list[float]) -> None:
    while True:
        times.append((await _page(node))[1])
        await asyncio.sleep(1 / SCRAPES_PER_SECOND)


async def run_round(node: Node, seed: int, scraped: bool) -> Round:
    rng = random.Random(seed)
    schedule = with_copies(interleave(generate(ORDERS, seed)), 0.05, seed)
    sender = Sender(schedule, NodePool([node.endpoint], rng), RATE, rng)
    before = await _commits(node)
    times: list[float] = []
    scraping = asyncio.create_task(_scrape(node, times)) if scraped else None
    await sender.run()
    if scraping is not None:
        scraping.cancel()
    after = await _commits(node)
    waits = tally.latencies(sender.messages)
    return Round(
        times,
        len((await _page(node))[0]),
        (tally.percentile(waits, 0.5) * 1e3, tally.percentile(waits, 0.99) * 1e3),
        (after[0] - before[0]) / (after[1] - before[1]) * 1e3,
    )


def show(name: str, rounds: list[Round]) -> None:
    p50, p99 = (statistics.median(each.latency_ms[index] for each in rounds) for index in (0, 1))
    commit = statistics.median(each.commit_ms for each in rounds)
    print(f"{name:22} latency p50 {p50:6.2f} ms  p99 {p99:6.2f} ms   commit, mean {commit:6.3f} ms")
    times = sorted(time for each in rounds for time in each.scrapes_ms)
    if times:
        print(
            f"{'':22} {len(times)} scrapes of {rounds[-1].bytes:,} bytes: p50 {tally.percentile(times, 0.5):.2f} ms  "
            f"p99 {tally.percentile(times, 0.99):.2f} ms  longest {times[-1]:.2f} ms"
        )


async def measure() -> None:
    with Workspace() as workspace, RedisServer(workspace.path / "redis") as redis:
        with Cluster(PROGRAM, "cost", redis.socket_path, workspace.path) as cluster:
            cluster.init(SHARDS)
            node = cluster.start_node()
            await node.ready()
            alone: list[Round] = []
            scraped: list[Round] = []
            for index in range(ROUNDS):  # one beside the other: the machine is not the same all the time
                alone.append(await run_round(node, 2 * index, scraped=False))
                scraped.append(await run_round(node, 2 * index + 1, scraped=True))
            quiet = [(await _page(node))[1] for _ in range(200)]
    print(f"{SHARDS:,} shards, {RATE:,.0f} messages a second; medians of {ROUNDS} rounds")
    show("load alone", alone)
    show(f"{SCRAPES_PER_SECOND} scrapes a second", scraped)
    print(f"{'without load':22} 200 scrapes: p50 {statistics.median(quiet):.2f} ms  longest {max(quiet):.2f} ms")


if __name__ == "__main__":
    stop_on_signals()
    asyncio.run(measure())
