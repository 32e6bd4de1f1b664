"""A program that is measured, driven line by line: an order goes in, an answer comes out."""

from __future__ import annotations

import json
import select
import subprocess
import time
from pathlib import Path
from typing import Any

from pawl_demo.errors import DemoError
from pawl_demo.processes import die_with_parent

_ANSWER_SECONDS = 900.0
_END_SECONDS = 30.0


class Program:
    """One run of `pawl_bench NAME`. It ends with its standard input, and so with this process."""

    def __init__(self, executable: Path, name: str, arguments: list[str]) -> None:
        self.name = name
        self._child = subprocess.Popen(
            [str(executable), name, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )
        self.ready = self.answer()

    @property
    def pid(self) -> int:
        return self._child.pid

    def tell(self, order: str, **what: Any) -> None:
        """Gives an order; its answer is to be asked for."""
        assert self._child.stdin
        try:
            self._child.stdin.write(json.dumps({"do": order, **what}) + "\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def answer(self) -> dict[str, Any]:
        """What it says to the order given before; an error it reports is raised."""
        assert self._child.stdout
        # An answer is one line, written at once: whatever is readable is all of it.
        if not select.select([self._child.stdout], [], [], _ANSWER_SECONDS)[0]:
            raise DemoError(f"{self.name} did not answer within {_ANSWER_SECONDS:g} s")
        line = self._child.stdout.readline()
        if not line:
            raise self._ended()
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise DemoError(f"{self.name}: {answer['error']}")
        return answer

    def ask(self, order: str, **what: Any) -> dict[str, Any]:
        self.tell(order, **what)
        return self.answer()

    def resident_bytes(self) -> int:
        """In the machine's memory, now; may be asked for while it works."""
        fields = Path(f"/proc/{self.pid}/statm").read_text().split()
        return int(fields[1]) * 4096

    def answered(self) -> bool:
        """Whether an answer is waiting to be read."""
        assert self._child.stdout
        return bool(select.select([self._child.stdout], [], [], 0)[0])

    def begin_end(self) -> None:
        """Lets it end, without waiting: several nodes leave side by side."""
        if self._child.stdin and not self._child.stdin.closed:
            try:
                self._child.stdin.close()
            except BrokenPipeError:
                pass

    def end(self) -> None:
        self.begin_end()
        until = time.monotonic() + _END_SECONDS
        while self._child.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        if self._child.stdout:
            self._child.stdout.close()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._child.kill()
        self.end()

    def _ended(self) -> DemoError:
        return DemoError(f"{self.name} ended early, with status {self._child.wait()}")
