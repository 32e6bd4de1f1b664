"""A running cluster to play with: what to try, and waiting for Ctrl-C."""

from __future__ import annotations

import asyncio

from .cluster import Cluster


EXAMPLES = {
    "counter": ("counter", '{"type":"counter","key":"KEY","message":"Add","id":"a1","payload":{"amount":5}}'),
    "order_workflow": (
        "order",
        '{"type":"order","key":"KEY","message":"OrderPurchased","id":"KEY-1",'
        '"payload":{"customer":"ada","at":"2024-05-01T09:30"}}',
    ),
}


def print_what_to_try(cluster: Cluster, key: str | None = None, prometheus: str | None = None) -> None:
    """Prints commands for the live nodes; `key` names an entity that exists, else the first command's is looked up.

    @param prometheus address of one that watches the cluster
    """
    first, *others = cluster.live
    other = others[0] if others else first
    print("\nThe cluster is running. Any node takes any message and answers for any key:\n")
    for node in cluster.live:
        print(f"  {node.name}  {node.url}  process {node.child.pid}")
    entity, message = EXAMPLES[cluster.program.name]
    message = message.replace("KEY", f"my-{entity}")
    print(
        f"\nTry, in another terminal:\n\n"
        f"  curl -s {first.url}/v1/messages -H 'Content-Type: application/json' -d '{message}'\n"
        f"  curl -s {other.url}/v1/entities/{entity}/{key or f'my-{entity}'}\n"
        f"  {first.url}/console/         # in a browser: the whole cluster\n"
        + (f"  {prometheus}/                 # its metrics and alerts, in Prometheus\n" if prometheus else "")
        + f"  build/dev/cli/pawl status --node {first.url}\n"
        f"  curl -s {first.url}/v1/cluster\n"
        f"  curl -s {first.url}/v1/shards\n"
        f"  curl -s {first.url}/metrics\n"
        f"  kill -9 {first.child.pid}        # then ask {other.name} again\n\n"
        f"Logs: {first.child.log.parent}\n"
        f"Ctrl-C stops everything and removes it.",
        flush=True,
    )


async def stay_until_interrupted(cluster: Cluster) -> None:
    """Reports nodes that end; returns on Ctrl-C, or when no node is left."""
    gone = {node.name for node in cluster.nodes if not node.child.running()}
    try:
        while cluster.live:
            for node in cluster.nodes:
                if not node.child.running() and node.name not in gone:
                    gone.add(node.name)
                    print(f"{node.name} has ended.", flush=True)
            await asyncio.sleep(0.2)
        print("No node is left.", flush=True)
    except asyncio.CancelledError:  # Ctrl-C cancels the main task
        print(flush=True)
