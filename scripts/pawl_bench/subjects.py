"""The systems that are compared. Each function is one run of one of them under a load: in a store of its own, warmed
up, timed, and every order checked afterwards; a wrong order is an error and ends the suite."""

from __future__ import annotations

from contextlib import ExitStack

from .bench import Bench, batch_figures, load_figures, timed
from .figures import Figures
from .group import Group
from .work import Pace, Work

HTTP_SENDERS = 16


def door(bench: Bench, work: Work, pace: Pace | None = None, appendfsync: str = "everysec") -> Figures:
    """One process; the sender is part of it."""
    load = work.timed() if pace is None else pace.of(work.timed())
    with bench.store(appendfsync) as store, bench.node(store, shards=work.shards) as node:
        node.ask("load", **work.warm_up())
        before = node.ask("account")
        answer, server_s = timed(store, lambda: node.ask("load", **load))
        after = node.ask("account")
        node.ask("check")
        return load_figures(answer, server_s) | batch_figures(before, after)


def streams(
    bench: Bench, work: Work, pace: Pace | None = None, appendfsync: str = "everysec", *, pipelined: bool
) -> Figures:
    """Written by hand on Redis Streams; producer and consumers in one process."""
    load = work.timed() if pace is None else pace.of(work.timed())
    with bench.store(appendfsync) as store, bench.streams(store, pipelined) as program:
        program.ask("fill", **work.warm_up())
        answer, server_s = timed(store, lambda: program.ask("load", **load))
        program.ask("check")
        return load_figures(answer, server_s)


def bare(bench: Bench, work: Work, windows: tuple[int, ...]) -> dict[int, Figures]:
    """The commits of a node, recorded and sent again by a client that does nothing else."""
    found: dict[int, Figures] = {}
    with bench.store() as store:
        arguments = ["--redis-socket", str(store.socket_path), "--shards", str(work.shards)]
        with bench.program("bare", *arguments) as program:
            recorded = program.ask("record", warm=work.warm_up(), **work.timed())
            for window in windows:
                answer, server_s = timed(store, lambda: program.ask("replay", window=window))
                found[window] = {
                    "messages_per_s": answer["rate"],
                    "redis_us": server_s * 1e6 / work.messages,
                    "messages_per_commit": work.messages / recorded["commits"],
                }
    return found


def http(bench: Bench, work: Work) -> Figures:
    """Batches over kept-alive connections from another process."""
    with ExitStack() as stack:
        store = stack.enter_context(bench.store())
        node = stack.enter_context(bench.node(store, "--http", shards=work.shards))
        client = stack.enter_context(bench.program("http", "--port", str(node.ready["http"])))
        senders = {"prefix": "h", "senders": HTTP_SENDERS}
        client.ask("load", **work.warm_up() | senders)
        before = node.ask("account")
        answer, server_s = timed(store, lambda: client.ask("load", **work.timed() | senders))
        after = node.ask("account")
        for sender in range(HTTP_SENDERS):
            for part in (work.warm_up(), work.timed()):
                share = {name: part[name] // HTTP_SENDERS for name in ("orders", "messages")}
                node.ask("assume", **part | share | {"prefix": f"h{sender}-"})
        node.ask("check")
        per_message = 1e6 / answer["messages"]
        return {
            "messages_per_s": answer["rate"],
            "node_us": (after["cpu_s"] - before["cpu_s"]) * per_message,
            "client_us": answer["cpu_s"] * per_message,
            "redis_us": server_s * per_message,
        } | batch_figures(before, after)


def forwarded(bench: Bench, work: Work, pace: Pace) -> Figures:
    """Two processes; all messages enter at the one that does not own them."""
    with bench.store() as store, Group(bench, store, 2, work.shards) as group:
        group.ask("load", lambda prefix: work.warm_up(prefix, 2))
        load = pace.of(work.timed("n0-"))
        # Half of the orders are the sender's own, and left out.
        load |= {"messages": 2 * load["messages"], "orders": work.orders // 2, "forwarded": True}
        answer, server_s = timed(store, lambda: group.nodes[0].ask("load", **load))
        group.ask("check")
        figures = load_figures(answer, server_s)
        del figures["node_us"]  # of one of the two
        return figures


def cluster(bench: Bench, work: Work, members: int) -> Figures:
    """Several processes, each with a sender whose orders lie on all of them: all but one in `members` messages are
    forwarded."""
    with bench.store() as store, Group(bench, store, members, work.shards) as group:
        group.ask("load", lambda prefix: work.warm_up(prefix, members))
        before = group.account()
        answers, server_s = timed(store, lambda: group.ask("load", lambda prefix: work.timed(prefix, members)))
        after = group.account()
        group.ask("check")
        messages = sum(answer["messages"] for answer in answers)
        return {
            "messages_per_s": messages / max(answer["seconds"] for answer in answers),
            "node_us": sum(answer["cpu_s"] for answer in answers) * 1e6 / messages,
            "redis_us": server_s * 1e6 / messages,
        } | batch_figures(before, after)
