"""How much of the machine other programs took meanwhile: figures from a busy machine are to be taken as such."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

_SHORTEST_SECONDS = 0.5  # the kernel counts in hundredths


def _machine_busy_seconds() -> float:
    """User, nice, system, interrupts: not idle, not waiting, not stolen."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    user, nice, system, _idle, _wait, irq, soft = fields[:7]
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    """Of this process and of all that it started and that has ended."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in spent)


class Others:
    """Asked when everything started since the last time has ended."""

    def __init__(self) -> None:
        self._cores = 0.0
        self._restart()

    def cores(self) -> float:
        """Since the last time; the former answer if that is too short ago."""
        passed = time.monotonic() - self._at
        if passed >= _SHORTEST_SECONDS:
            busy, own = _machine_busy_seconds() - self._busy, _own_seconds() - self._own
            self._cores = max(0.0, (busy - own) / passed)
            self._restart()
        return self._cores

    def _restart(self) -> None:
        self._at, self._busy, self._own = time.monotonic(), _machine_busy_seconds(), _own_seconds()
