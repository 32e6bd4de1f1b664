"""The main job, from an empty directory to the checker's verdict."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from pathlib import Path

from . import tally as seen
from .cluster import Cluster
from .errors import DemoError
from .http_client import Endpoint
from .incidents import Incidents
from .options import Options, parse
from .order_book import RESOLVED
from .orders import Event, generate, read_csv
from .processes import Workspace, memory_directory, reader_is_gone, stop_on_signals
from .progress import Progress
from .redis_server import RedisServer
from .saga import plan
from .schedule import interleave, with_copies, write_events
from .sender import NodePool, Sender
from .try_it import print_what_to_try, stay_until_interrupted

_CHECKER = [str(Path(__file__).resolve().parent.parent / "check_orders.py")]
_SAGA_CHECKER = ["-m", "pawl_demo.saga_checker"]


def say(text: str) -> None:
    print(text, flush=True)


async def send(
    options: Options, events: list[Event], cluster: Cluster, redis: RedisServer, directory: Path
) -> Path:
    """Sends the events while incidents happen. Returns the sender's figures, for the checker's table."""
    rng = random.Random(options.seed)
    schedule = with_copies(events, options.duplicates, options.seed)
    pace = f"{options.rate:,.0f} messages a second" if options.rate else "as fast as it goes"
    say(
        f"\nSending {len(events):,} {_what(events)}, {pace}, each to a node "
        f"picked at random, whoever owns the order.\n{len(schedule) - len(events):,} of them are sent again with the "
        "same message id: right away, at the same time through another node, or much later."
    )
    progress = Progress(len(events))
    pool = NodePool([node.endpoint for node in cluster.nodes], rng)
    sender = Sender(schedule, pool, options.rate, rng)
    incidents = Incidents(cluster, redis, progress, rng)

    async def show() -> None:
        while True:
            progress.update(sender.resolved)
            await asyncio.sleep(0.05)

    sending = asyncio.create_task(sender.run())
    background = [asyncio.create_task(show()), asyncio.create_task(incidents.watch())]
    if options.faults:
        background.append(asyncio.create_task(incidents.run(sender, pool, options.kill_redis)))
    try:
        await _first_failure_or(sending, background)
        if options.faults:
            await background[-1]  # a fast run may be over before the new node is ready
        progress.finish(sender.resolved)
    finally:
        for task in [sending, *background]:
            task.cancel()
        await asyncio.gather(sending, *background, return_exceptions=True)
        seen.write_history(sender.messages, sender.tally.began, directory / "history.csv")
    return _write_figures(sender, incidents, directory / "sender.json")


def _what(events: list[Event]) -> str:
    keys = {kind: len({event.order for event in events if event.type == kind}) for kind in ("order", "checkout", "account")}
    if keys["order"]:
        return f"events of {keys['order']:,} orders"
    return f"messages about {keys['checkout']:,} orders of {keys['account']:,} customers"


async def _first_failure_or(main: asyncio.Task[None], others: list[asyncio.Task[None]]) -> None:
    """Returns when `main` is done; raises as soon as any of them fails."""
    running = {main, *others}
    while not main.done():
        done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


def _write_figures(sender: Sender, incidents: Incidents, path: Path) -> Path:
    tally, messages = sender.tally, sender.messages
    retries = seen.retries(messages)
    seconds = max(tally.ended - tally.began, 1e-9)
    everything = seen.latencies(messages)
    calm = seen.latencies(messages, [(each.begin, each.end) for each in incidents.happened])
    figures = {
        "sent": tally.lines,
        "duplicates_discarded": tally.results["duplicate"],
        "refused": tally.results["refused"],
        "refusals": dict(tally.refusals.most_common(5)),
        "retried_unknown": retries["unknown"] + retries[seen.NO_ANSWER],
        "retried_waiting": retries["blocked"] + retries["busy"] + retries[seen.NOT_SENT],
        "resolved_behind_unresolved": tally.prefix_broken,
        "seconds": seconds,
        "messages_per_second": sum(tally.results[result] for result in RESOLVED) / seconds,
        "latency_ms": [seen.percentile(everything, share) * 1e3 for share in (0.5, 0.99)],
        "calm_latency_ms": [seen.percentile(calm, share) * 1e3 for share in (0.5, 0.99)] if calm else None,
        "pauses": [
            {"what": what, "longest_wait_ms": found.longest_wait * 1e3, "longest_silence_ms": found.longest_silence * 1e3}
            for what, found in incidents.pauses(messages)
        ],
    }
    path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return path


def check(checker: list[str], cluster: Cluster, figures: Path, directory: Path) -> int:
    """Runs the checker, a program of its own."""
    nodes = [part for node in cluster.live for part in ("--node", node.url)]
    argv = [sys.executable, *checker, "--events", str(directory / "events.jsonl"), "--figures", str(figures), *nodes]
    return subprocess.run(argv, check=False).returncode


async def demo(options: Options, events: list[Event], workspace: Workspace) -> int:
    subject = "order events take effect exactly once, in order"
    if options.saga:
        subject = "no order is left half done and no cent is lost"
    say(f"Pawl: {subject}, while nodes come and go. Seed {options.seed}.\n")
    write_events(events, workspace.path / "events.jsonl")
    say("Starting a redis-server of our own: appendonly yes, appendfsync everysec, maxmemory-policy noeviction.")
    if options.kill_redis and workspace.path.is_relative_to("/dev/shm"):
        # Seen with a slow disk: while an fsync is under way, everysec puts off write() but not the replies, and a kill
        # then takes back what was acknowledged. That is the store's promise, not what is to be shown here.
        say("Its files lie in memory (/dev/shm), so that no slow disk makes it acknowledge before it writes.")
    with RedisServer(workspace.path / "redis") as redis:
        with Cluster(options.program, "demo", redis.socket_path, workspace.path) as cluster:
            say(f"Creating the dataset with {options.shards} shards and starting {options.nodes} nodes, a process each.")
            cluster.init(options.shards)
            for _ in range(options.nodes):
                cluster.start_node()
            for node in cluster.nodes:
                await node.ready()
            say("  " + "   ".join(f"{node.name} {node.url}" for node in cluster.nodes))
            figures = await send(options, events, cluster, redis, workspace.path)
            if options.saga:
                say("\nEvery message is resolved. Now another program reads every checkout, ticket and account back, waits until")
                say("the last of their messages to each other has come, and looks for every cent that was paid in.\n")
            else:
                say("\nEvery message is resolved. Now another program replays the events once, in order, and compares the state")
                say("of every order, and the chained hash of the message ids applied to it, with what the cluster answers.\n")
            status = check(_SAGA_CHECKER if options.saga else _CHECKER, cluster, figures, workspace.path)
            if options.keep:
                print_what_to_try(cluster, None if options.saga else events[0].order)
                await stay_until_interrupted(cluster)
            say("\nStopping the nodes (SIGTERM: each hands its shards over) and Redis.")
    return status


def events_to_send(options: Options) -> list[Event]:
    if options.saga:
        return plan(options.orders, options.seed)
    return interleave(read_csv(options.input) if options.input else generate(options.orders, options.seed))


def failed(error: DemoError) -> int:
    print(f"\nerror: {error}", file=sys.stderr, flush=True)
    return 1


def main() -> int:
    options = parse()
    stop_on_signals()
    try:
        events = events_to_send(options)
        with Workspace(memory_directory() if options.kill_redis else None) as workspace:
            try:
                status = asyncio.run(demo(options, events, workspace))
            except DemoError as error:
                status = failed(error)
            if status != 0:
                workspace.keep = True
                print(f"\nLogs, the events and the history of every message: {workspace.path}", file=sys.stderr)
            return status
    except DemoError as error:
        return failed(error)
    except BrokenPipeError:
        return reader_is_gone()
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr, flush=True)
        return 130


if __name__ == "__main__":
    sys.exit(main())
