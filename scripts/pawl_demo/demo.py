"""The main job, from an empty directory to the checker's verdict."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from . import tally as seen
from .cluster import Cluster
from .errors import DemoError
from .http_client import Endpoint, HttpError
from .incidents import Incidents
from .lookup import Metric, compare, figures, table
from .options import Options, parse
from .order_book import RESOLVED
from .orders import Event, generate, read_csv
from .processes import Workspace, memory_directory, reader_is_gone, stop_on_signals
from .progress import Progress
from .prometheus import PrometheusServer, find_program
from .redis_server import RedisServer
from .saga import plan
from .schedule import interleave, with_copies, write_events
from .sender import NodePool, Sender
from .try_it import print_what_to_try, stay_until_interrupted

_CHECKER = [str(Path(__file__).resolve().parent.parent / "check_orders.py")]
_SAGA_CHECKER = ["-m", "pawl_demo.saga_checker"]
_NAME = "demo"  # of the cluster


def say(text: str) -> None:
    print(text, flush=True)


async def send(
    options: Options, events: list[Event], cluster: Cluster, redis: RedisServer, watch: PrometheusServer | None, directory: Path
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
    if watch is not None:
        # One that was killed stays among the targets: that it is down is to be seen.
        incidents.joined = lambda: watch.scrape(_NAME, cluster.nodes)

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
        "killed": [each.what.removeprefix("kill of ") for each in incidents.happened if each.what.startswith("kill of ")],
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


def check(checker: list[str], cluster: Cluster, figures: Path, result: Path, directory: Path) -> int:
    """Runs the checker, a program of its own. Its counts are in `result` then, unless it could not tell (status 2)."""
    nodes = [part for node in cluster.live for part in ("--node", node.url)]
    argv = [sys.executable, *checker, "--events", str(directory / "events.jsonl"), "--figures", str(figures)]
    return subprocess.run([*argv, "--result", str(result), *nodes], check=False).returncode


async def look_up(options: Options, cluster: Cluster, watch: PrometheusServer | None, sender: Path, result: Path) -> bool:
    """Prints the figures of the run as the metrics have them. Returns whether they agree with what was counted."""
    seen_by_sender = json.loads(sender.read_text(encoding="utf-8"))
    killed = seen_by_sender["killed"]
    wanted = figures(
        json.loads(result.read_text(encoding="utf-8")),
        seen_by_sender,
        shards=options.shards,
        members=len(cluster.live),
        killed=killed,
    )
    await cluster.at_rest()
    if watch is None:
        say("\nThe same in the metrics, as the nodes' /metrics have them, added up; with Prometheus (apt-get install prometheus) it")
        say("would be asked instead, and would also know what a node said that was killed:\n")
        lines = compare(wanted, await _from_nodes(cluster))
    else:
        await asyncio.to_thread(_let_it_see, watch, cluster)
        say(f"\nThe same in the metrics, as Prometheus has them, at {watch.url}/graph with these queries:\n")
        lines = compare(wanted, lambda metric: _from_prometheus(watch, metric))
    for line in table(lines, killed):
        say(line)
    if killed:
        say("\nA node's counters die with it, with what they had counted since they were read last; the ids of what it applied do not.")
    agree = all(line.agrees for line in lines)
    say("\nThe metrics agree." if agree else "\nThe metrics do not agree with what was counted.")
    return agree


def _let_it_see(watch: PrometheusServer, cluster: Cluster) -> None:
    """Returns when Prometheus has read every live node since now, so that nothing is missing in what it says."""
    began = time.time()
    names = {node.name for node in cluster.live}
    query = f'timestamp(up{{cluster="{_NAME}"}} == 1)'
    watch.wait_for(query, lambda all: names <= {each.labels["node"] for each in all if each.values[0] > began})


def _from_prometheus(watch: PrometheusServer, metric: Metric) -> float:
    found = watch.now(metric.query())
    if len(found) != 1:
        raise DemoError(f"Prometheus finds nothing for {metric.query()}")
    return found[0].values[0]


async def _from_nodes(cluster: Cluster) -> Callable[[Metric], float]:
    try:
        answers = [await node.endpoint.request("GET", "/metrics") for node in cluster.live]
    except HttpError as error:
        raise DemoError(f"a node does not show its metrics: {error}") from error
    pages = [answer.body.decode() for answer in answers]

    def value_of(metric: Metric) -> float:
        try:
            return metric.of(pages)
        except ValueError as error:
            raise DemoError(str(error)) from error

    return value_of


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
    with contextlib.ExitStack() as running:
        redis = running.enter_context(RedisServer(workspace.path / "redis"))
        with Cluster(options.program, _NAME, redis.socket_path, workspace.path) as cluster:
            say(f"Creating the dataset with {options.shards} shards and starting {options.nodes} nodes, a process each.")
            cluster.init(options.shards)
            for _ in range(options.nodes):
                cluster.start_node()
            for node in cluster.nodes:
                await node.ready()
            say("  " + "   ".join(f"{node.name} {node.url}" for node in cluster.nodes))
            say(f"The console, in a browser: {cluster.nodes[0].url}/console/, or that of any other node.")
            watch = None
            if program := find_program():
                watch = running.enter_context(PrometheusServer(program, workspace.path / "watch", _NAME, cluster.nodes))
                await asyncio.to_thread(_let_it_see, watch, cluster)
                say(f"Prometheus reads their metrics every second, with the project's rules and alerts: {watch.url}")
            else:
                say("Prometheus is not installed (apt-get install prometheus): the metrics are read from the nodes in the end.")
            sender = await send(options, events, cluster, redis, watch, workspace.path)
            if options.saga:
                say("\nEvery message is resolved. Now another program reads every checkout, ticket and account back, waits until")
                say("the last of their messages to each other has come, and looks for every cent that was paid in.\n")
            else:
                say("\nEvery message is resolved. Now another program replays the events once, in order, and compares the state")
                say("of every order, and the chained hash of the message ids applied to it, with what the cluster answers.\n")
            result = workspace.path / "result.json"
            status = check(_SAGA_CHECKER if options.saga else _CHECKER, cluster, sender, result, workspace.path)
            if status == 0 and not await look_up(options, cluster, watch, sender, result):
                status = 1
            if options.keep:
                print_what_to_try(cluster, None if options.saga else events[0].order, watch.url if watch else None)
                await stay_until_interrupted(cluster)
            say(f"\nStopping the nodes (SIGTERM: each hands its shards over){', Prometheus' if watch else ''} and Redis.")
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
