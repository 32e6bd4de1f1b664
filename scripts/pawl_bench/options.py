"""The suite's command line."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from pawl_demo.options import whole

DEFAULT_PARTS = ["main", "latency", "hot", "cold", "always"]
OTHER_PARTS = ["growth", "footprint", "overload", "workflow"]


@dataclass(frozen=True)
class Options:
    parts: list[str]
    rounds: int
    quick: bool
    full: bool
    against: Path | None


def parse(arguments: list[str]) -> Options:
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description="Measures Pawl beside what one would write by hand on Redis Streams, and beside a bare client, in one "
        "run on this machine, and checks every order of every run. Exit status 0 only if all were right.",
        epilog="Others: compare --against OLD.json [NEW.json], plot FILE.json, failover, members, placement, suspicion; "
        "each has --help. tests/bench/README.md says how to read the figures.",
    )
    add = parser.add_argument
    add(
        "parts",
        nargs="*",
        metavar="WHAT",
        help=f"of {', '.join(DEFAULT_PARTS + OTHER_PARTS)}, or all ({' '.join(DEFAULT_PARTS)})",
    )
    add("--rounds", type=whole(1, 100), help="of each comparison; the median is shown (5)")
    add("--quick", action="store_true", help="small loads, one round: to see that it works, not how fast")
    add("--full", action="store_true", help="also 10,000,000 entities and 1,000,000 timers: minutes more, and gigabytes")
    add("--against", type=Path, metavar="FILE", help="print ratios to an earlier run's figures as well")
    found = parser.parse_args(arguments)
    parts = found.parts or DEFAULT_PARTS
    if parts == ["all"]:
        parts = DEFAULT_PARTS + OTHER_PARTS
    for part in parts:
        if part not in DEFAULT_PARTS + OTHER_PARTS:
            parser.error(f"there is no part {part!r}; there are {', '.join(DEFAULT_PARTS + OTHER_PARTS)}")
    rounds = found.rounds or (1 if found.quick else 5)
    return Options(parts, int(rounds), found.quick, found.full, found.against)
