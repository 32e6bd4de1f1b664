"""A local cluster to play with."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from .cluster import Cluster
from .errors import DemoError
from .options import whole
from .processes import Workspace, reader_is_gone, stop_on_signals
from .redis_server import RedisServer
from .try_it import print_what_to_try, stay_until_interrupted


async def run(program: Path, nodes: int, shards: int, workspace: Workspace) -> None:
    with RedisServer(workspace.path / "redis") as redis:
        with Cluster(program, "local", redis.socket_path, workspace.path) as cluster:
            cluster.init(shards)
            for _ in range(nodes):
                cluster.start_node()
            for node in cluster.nodes:
                await node.ready()
            print_what_to_try(cluster)
            await stay_until_interrupted(cluster)
            print("Stopping the nodes and Redis.", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev run", description="Starts a local cluster and its Redis, until Ctrl-C.")
    parser.add_argument("nodes", type=whole(1, 16), nargs="?", default=3, help="nodes to start (3)")
    parser.add_argument("--shards", type=whole(1, 16_384), default=256, help="shards of the cluster (256)")
    parser.add_argument("--program", type=Path, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    stop_on_signals()
    try:
        with Workspace() as workspace:
            try:
                asyncio.run(run(options.program, options.nodes, options.shards, workspace))
            except DemoError as error:
                workspace.keep = True
                print(f"error: {error}\nLogs: {workspace.path}", file=sys.stderr, flush=True)
                return 1
    except BrokenPipeError:
        return reader_is_gone()
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
