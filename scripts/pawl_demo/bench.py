"""Runs the benchmark program, with a redis-server where it does not start its own:
`pawl_demo.bench PROGRAM [NAME] [OPTIONS]`."""

from __future__ import annotations

import os
import subprocess
import sys

from .errors import DemoError
from .processes import Workspace, memory_directory, stop_on_signals
from .redis_server import RedisServer

# These need no Redis, or start and kill their own.
_ALONE = {"failover", "members", "placement", "suspicion"}


def _run_alone(argv: list[str]) -> int:
    """With its files in memory, if there is room: the machine's disk is no part of what is measured."""
    with Workspace(memory_directory()) as workspace:
        return subprocess.run(argv, check=False, env={**os.environ, "TMPDIR": str(workspace.path)}).returncode


def main() -> int:
    program, *options = sys.argv[1:]
    if not os.access(program, os.X_OK):
        print(f"error: {program} is missing; ./dev build builds it", file=sys.stderr)
        return 1
    stop_on_signals()
    try:
        if options and options[0] in _ALONE:
            return _run_alone([program, *options])
        with Workspace() as workspace, RedisServer(workspace.path / "redis") as redis:
            return subprocess.run([program, "--redis-socket", str(redis.socket_path), *options], check=False).returncode
    except DemoError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
