"""Child processes that never outlive this one, and a temporary directory that does not either.

Every child runs in its own session, so that Ctrl-C at the terminal reaches only this process, which then stops them
in order. Should this process be killed with SIGKILL, the kernel kills the children (PR_SET_PDEATHSIG) and a waiting
shell, which notices the closed pipe, removes the directory.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .errors import DemoError

_PR_SET_PDEATHSIG = 1
_MEMORY_BYTES_LEAST = 1 << 30
_LIBC = ctypes.CDLL(None, use_errno=True)  # loaded here: not safe between fork and exec

# Once the pipe is closed, children may still be dying and writing: removal is repeated until nothing is left.
_JANITOR = 'read -r keep; [ "$keep" = keep ] || while [ -e "$1" ]; do rm -rf -- "$1" 2>/dev/null; done'


def die_with_parent() -> Callable[[], None]:
    """For a new child to call first: the kernel then kills it when the thread that started it dies."""
    parent = os.getpid()

    def arrange() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    return arrange


class Child:
    """A started process with its output in a log file."""

    def __init__(self, name: str, argv: Sequence[str], log: Path, executable: str | None = None) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                argv,
                executable=executable,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def running(self) -> bool:
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Signals the process and whatever it started. Does nothing if it has ended."""
        if self.running():
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                pass

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        self.signal(signal.SIGKILL)
        self._process.wait()

    def log_tail(self, lines: int = 15) -> str:
        text = self.log.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join(f"    {line}" for line in text) or "    (it wrote nothing)"

    def ended_early(self) -> DemoError:
        """What to raise when it ended although it should run."""
        status = self._process.poll()
        return DemoError(f"{self.name} ended with status {status}; the end of {self.log}:\n{self.log_tail()}")


def stop_all(children: Sequence[Child], patience_seconds: float) -> list[str]:
    """SIGTERM to all at once, SIGKILL to those still there after the given time. Returns the names of the latter."""
    for child in children:
        child.signal(signal.SIGCONT)  # a stopped process cannot act on SIGTERM
        child.signal(signal.SIGTERM)
    deadline = time.monotonic() + patience_seconds
    while any(child.running() for child in children) and time.monotonic() < deadline:
        time.sleep(0.01)
    late = [child for child in children if child.running()]
    for child in late:
        child.kill()
    return [child.name for child in late]


def memory_directory() -> Path | None:
    """A directory whose files lie in memory, if there is one with room for the demo."""
    path = Path("/dev/shm")
    try:
        space = os.statvfs(path)
    except OSError:
        return None
    return path if space.f_bavail * space.f_frsize >= _MEMORY_BYTES_LEAST and os.access(path, os.W_OK) else None


class Workspace:
    """A temporary directory, removed at the end unless `keep` is set before."""

    def __init__(self, parent: Path | None = None) -> None:
        self.keep = False
        self.path = Path(tempfile.mkdtemp(prefix="pawl-demo-", dir=parent))
        self._janitor = subprocess.Popen(
            ["/bin/sh", "-c", _JANITOR, "sh", str(self.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        ignore_signals()
        self._janitor.communicate(b"keep\n" if self.keep else b"remove\n")
        if not self.keep:
            shutil.rmtree(self.path, ignore_errors=True)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stop_on_signals() -> None:
    """SIGTERM and SIGHUP end the program as Ctrl-C does: by an exception, so that everything started is stopped."""

    def end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGINT, signal.default_int_handler)  # also when a shell started us in the background
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGHUP, end)


def ignore_signals() -> None:
    """While stopping: a second Ctrl-C must not leave half of it running."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def reader_is_gone() -> int:
    """Nobody reads our output any more (`| head`): ends without a traceback, with the status a shell would show."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # else the flush at exit would fail once more
    return 128 + signal.SIGPIPE


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Polls until the condition holds, for things that cannot be waited for otherwise."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise DemoError(f"{what}: not within {seconds:g} s")
        time.sleep(0.01)
