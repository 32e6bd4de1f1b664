"""`python3 -m pawl_bench PROGRAM OUTPUT [WHAT…] [OPTIONS]`: see options.py, and `./dev bench --help`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from pawl_demo.errors import DemoError
from pawl_demo.processes import Workspace, memory_directory, reader_is_gone, stop_on_signals

from . import (
    compare,
    comparison,
    footprint,
    growth,
    latency,
    machine,
    options,
    overload,
    plot,
    report,
    results,
    single_loads,
    workflow,
)
from .bench import Bench
from .suite import Suite

_PARTS: dict[str, Callable[[Bench, Suite], None]] = {
    "main": comparison.measure,
    "latency": latency.measure,
    "hot": single_loads.measure_hot,
    "cold": single_loads.measure_cold,
    "always": single_loads.measure_always,
    "growth": growth.measure,
    "footprint": footprint.measure,
    "overload": overload.measure,
    "workflow": workflow.measure,
}

# Benchmarks of their own, which need no Redis or start and kill one.
_ALONE = {"failover", "members", "placement", "suspicion"}

_ROOT = Path(__file__).parents[2]


def _alone(argv: list[str]) -> int:
    """With its files in memory, if there is room: the machine's disk is no part of what is measured."""
    with Workspace(memory_directory()) as workspace:
        return subprocess.run(argv, check=False, env={**os.environ, "TMPDIR": str(workspace.path)}).returncode


def _suite(program: Path, output: Path, arguments: list[str]) -> int:
    asked = options.parse(arguments)
    old = results.read(asked.against) if asked.against else None
    # On the disk, not in memory: both sides wait for it when Redis does.
    with Workspace() as workspace:
        bench = Bench(program, workspace.path)
        suite = Suite(asked.rounds, asked.quick, asked.full)
        facts = machine.describe(bench, _ROOT)
        try:
            for part in asked.parts:
                _PARTS[part](bench, suite)
        finally:  # what was measured until something failed took its time as well
            found = results.Results(facts, suite.measurements)
            path = found.write(output)
    print("\n".join(f"{name:<12} {value}" for name, value in facts.items()))
    print(f"\nMedians of {asked.rounds} rounds; every order of every run was checked.")
    print(report.disturbance(suite.measurements) + "\n")
    print(report.tables(suite.measurements))
    print(f"\nWritten to {path} and {_draw(path).name}.")
    if old:
        print("\n" + compare.render(old, found))
    return 0


def _compare(output: Path, arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev bench compare", description="Ratios of two runs' figures.")
    parser.add_argument("--against", type=Path, required=True, metavar="OLD.json")
    parser.add_argument("new", type=Path, nargs="?", metavar="NEW.json", help="the latest run, if not given")
    asked = parser.parse_args(arguments)
    print(compare.render(results.read(asked.against), results.read(asked.new or results.latest(output))))
    return 0


def _plot(output: Path, arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dev bench plot", description="Draws a run's throughput and latency.")
    parser.add_argument("results", type=Path, nargs="?", metavar="FILE.json", help="the latest run, if not given")
    asked = parser.parse_args(arguments)
    print(_draw(asked.results or results.latest(output)))
    return 0


def _draw(path: Path) -> Path:
    """The picture is put beside the figures."""
    picture = path.with_suffix(".svg")
    picture.write_text(plot.draw(results.read(path)))
    return picture


def _run(program: Path, output: Path, arguments: list[str]) -> int:
    what = arguments[0] if arguments else ""
    if what == "compare":
        return _compare(output, arguments[1:])
    if what == "plot":
        return _plot(output, arguments[1:])
    if not os.access(program, os.X_OK):
        raise DemoError(f"{program} is missing; ./dev build builds it")
    if what in _ALONE:
        return _alone([str(program), *arguments])
    return _suite(program, output, arguments)


def main() -> int:
    program, output, *arguments = sys.argv[1:]
    stop_on_signals()
    try:
        return _run(Path(program), Path(output), arguments)
    except DemoError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return reader_is_gone()


if __name__ == "__main__":
    sys.exit(main())
