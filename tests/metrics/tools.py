"""Prometheus's programs: from the environment (./dev test sets it), else found as scripts/find-prometheus finds them."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

from reference import PROJECT


@cache
def program(name: str) -> str:
    given = os.environ.get(name.upper())
    if given:
        return given
    found = subprocess.run(
        [PROJECT / "scripts" / "find-prometheus", name], capture_output=True, text=True, check=False, timeout=300
    )
    if found.returncode != 0:
        raise FileNotFoundError(f"no {name}: {found.stderr.strip()}")
    return found.stdout.strip()


def promtool(*arguments: str | Path, directory: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("promtool"), *arguments], capture_output=True, text=True, check=False, timeout=120, cwd=directory
    )
