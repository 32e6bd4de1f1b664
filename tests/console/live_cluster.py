"""A real cluster of the order example under load, for the browser to look at.

Prints one line of JSON when it is ready: its nodes with their addresses and processes, and one order that exists. Then
it sends order events, some of them twice, until its standard input ends; then it stops everything.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import sys
from pathlib import Path

from pawl_demo.cluster import Cluster
from pawl_demo.errors import DemoError
from pawl_demo.orders import generate
from pawl_demo.processes import Workspace, stop_on_signals
from pawl_demo.redis_server import RedisServer
from pawl_demo.schedule import interleave, with_copies
from pawl_demo.sender import NodePool, Sender

_NODES = 3
_ORDERS = 40_000
_SEED = 7


async def _end_of_input() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(4096):
        pass


async def _serve(cluster: Cluster, shards: int, rate: float) -> None:
    cluster.init(shards)
    for _ in range(_NODES):
        cluster.start_node()
    for node in cluster.nodes:
        await node.ready()
    events = interleave(generate(_ORDERS, _SEED))
    pool = NodePool([node.endpoint for node in cluster.nodes], random.Random(_SEED))
    sender = Sender(with_copies(events, 0.05, _SEED), pool, rate, random.Random(_SEED))
    sending = asyncio.create_task(sender.run())
    ended = asyncio.create_task(_end_of_input())
    try:
        await asyncio.wait([sending, asyncio.create_task(sender.reached(0.01))], return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
        described = [{"name": node.name, "url": node.url, "pid": node.child.pid} for node in cluster.nodes]
        print(json.dumps({"nodes": described, "shards": shards, "order": events[0].order}), flush=True)
        await asyncio.wait([sending, ended], return_when=asyncio.FIRST_COMPLETED)
        if sending.done():
            sending.result()
        await ended
    finally:
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, DemoError):
            await sending


async def _run(options: argparse.Namespace, redis_socket: Path, directory: Path) -> None:
    with Cluster(options.program, "orders", redis_socket, directory) as cluster:
        await _serve(cluster, options.shards, options.rate)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--shards", type=int, default=256)
    parser.add_argument("--rate", type=float, default=600.0)
    options = parser.parse_args()
    stop_on_signals()
    with Workspace() as workspace:
        try:
            with RedisServer(workspace.path / "redis") as redis:
                asyncio.run(_run(options, redis.socket_path, workspace.path))
        except DemoError as error:
            workspace.keep = True
            print(f"error: {error}\nLogs: {workspace.path}", file=sys.stderr, flush=True)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
