"""Runs the benchmark program with a redis-server of its own: `pawl_demo.bench PROGRAM [OPTIONS]`."""

from __future__ import annotations

import os
import subprocess
import sys

from .errors import DemoError
from .processes import Workspace, stop_on_signals
from .redis_server import RedisServer


def main() -> int:
    program, *options = sys.argv[1:]
    if not os.access(program, os.X_OK):
        print(f"error: {program} is missing; ./dev build builds it", file=sys.stderr)
        return 1
    stop_on_signals()
    try:
        with Workspace() as workspace, RedisServer(workspace.path / "redis") as redis:
            return subprocess.run([program, "--redis-socket", str(redis.socket_path), *options], check=False).returncode
    except DemoError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
