"""A progress bar on a terminal, a plain line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time

_BAR = 30
_PLAIN_EVERY_SECONDS = 3.0
_BAR_EVERY_SECONDS = 0.1


class Progress:
    """Shows how much of `total` is done, the rate of the last moment and what just happened."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._terminal = sys.stdout.isatty()
        self._began = self._shown = time.monotonic()
        self._shown_done = 0
        self._drawn = False

    def update(self, done: int) -> None:
        now = time.monotonic()
        if now - self._shown < (_BAR_EVERY_SECONDS if self._terminal else _PLAIN_EVERY_SECONDS):
            return
        rate = (done - self._shown_done) / (now - self._shown)
        self._shown, self._shown_done = now, done
        self._draw(done, f"{rate:7,.0f}/s")

    def note(self, text: str) -> None:
        """Prints a line of its own above the bar."""
        if self._drawn:
            sys.stdout.write("\r\033[K")
        print(f"  {time.monotonic() - self._began:6.2f} s  {text}", flush=True)

    def finish(self, done: int) -> None:
        self._draw(done, f"{done / max(time.monotonic() - self._began, 1e-9):7,.0f}/s on average")
        if self._terminal:
            print(flush=True)

    def _draw(self, done: int, rate: str) -> None:
        share = done / self._total if self._total else 1.0
        text = f"{share:4.0%}  {done:,} of {self._total:,} events  {rate}"
        if self._terminal:
            filled = int(share * _BAR)
            sys.stdout.write(f"\r\033[K  [{'#' * filled}{'-' * (_BAR - filled)}] {text}")
            sys.stdout.flush()
            self._drawn = True
        else:
            print(f"  {time.monotonic() - self._began:6.2f} s  {text}", flush=True)
