"""The demo's command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path


@dataclass(frozen=True)
class Options:
    program: Path
    orders: int
    rate: float
    duplicates: float
    nodes: int
    shards: int
    seed: int
    input: Path | None
    keep: bool
    kill_redis: bool
    faults: bool
    saga: bool


def _number(kind: Callable[[str], float], least: float, most: float, text: str) -> float:
    try:
        value = kind(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of the kind expected") from None
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text} is not between {least:,} and {most:,}")
    return value


def whole(least: int, most: int) -> Callable[[str], float]:
    """An argument type: whole numbers within bounds."""
    return partial(_number, int, least, most)


def real(least: float, most: float) -> Callable[[str], float]:
    """An argument type: numbers within bounds."""
    return partial(_number, float, least, most)


def parse(arguments: list[str] | None = None) -> Options:
    parser = argparse.ArgumentParser(
        prog="./dev demo",
        description="Sends order events through a local cluster while a node is killed and another joins, then checks "
        "that each took effect exactly once and in order. Exit status 0 only if so.",
    )
    add = parser.add_argument
    add("--orders", type=whole(1, 1_000_000), default=10_000, help="orders to make up; about four events each (10000)")
    add("--rate", type=real(0, 1_000_000), default=2_000.0, help="messages a second; 0: as fast as it goes (2000)")
    add("--duplicates", type=real(0, 1), default=0.05, help="share of events sent again with the same id (0.05)")
    add("--nodes", type=whole(1, 16), default=3, help="nodes to begin with (3)")
    add("--shards", type=whole(1, 16_384), default=256, help="shards of the cluster (256)")
    add("--seed", type=whole(0, 2**63 - 1), default=1, help="of the orders, the repetitions and the choice of nodes (1)")
    add("--input", type=Path, metavar="FILE.csv", help="orders to take instead; README.md describes the format")
    add("--keep", action="store_true", help="leave the cluster running afterwards, until Ctrl-C")
    add("--kill-redis", action="store_true", help="kill Redis too, half way, and start it again")
    add("--no-faults", dest="faults", action="store_false", help="kill nothing and let no node join")
    add("--saga", action="store_true", help="send orders through the checkout saga instead, and check where every cent is")
    add("--program", type=Path, required=True, help=argparse.SUPPRESS)
    options = Options(**vars(parser.parse_args(arguments)))
    if options.kill_redis and not options.faults:
        parser.error("--kill-redis and --no-faults exclude each other")
    if options.saga and options.input:
        parser.error("--saga makes its orders up: it takes no --input")
    return options
