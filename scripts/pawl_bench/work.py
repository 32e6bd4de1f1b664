"""A load, in the words of the measured programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WINDOW = 16_384
SHARDS = 64
_WARM_MESSAGES_LEAST = 20_000


@dataclass(frozen=True)
class Work:
    orders: int = 1_000
    messages: int = 1_000_000  # duplicates included
    duplicates: float = 0.05
    payload: int = 180  # encoded; a state is some 20 larger
    window: int = WINDOW  # messages under way at most, over all senders
    batch: int = 256
    shards: int = SHARDS

    @property
    def load(self) -> str:
        return f"{self.orders:,} orders"

    def warm_up(self, prefix: str = "", senders: int = 1) -> dict[str, Any]:
        """One sender's share of what comes before the clock starts: every order is touched, every path taken."""
        share = self.timed(prefix, senders)
        messages = max(share["orders"], _WARM_MESSAGES_LEAST // senders)
        return {**share, "tag": "w", "messages": messages, "duplicates": 0}

    def timed(self, prefix: str = "", senders: int = 1) -> dict[str, Any]:
        """One sender's share of what is measured."""
        return {
            "prefix": prefix,
            "tag": "t",
            "orders": max(1, self.orders // senders),
            "messages": self.messages // senders,
            "duplicates": self.duplicates,
            "payload": self.payload,
            "window": max(self.batch, self.window // senders),
            "batch": self.batch,
        }


@dataclass(frozen=True)
class Pace:
    """An open loop: messages due at fixed times, whatever becomes of earlier ones."""

    rate: float  # messages per second
    seconds: float = 5.0
    batch: int = 1  # at most so many that are due by then are handed in at once

    def of(self, timed: dict[str, Any]) -> dict[str, Any]:
        return {**timed, "rate": self.rate, "messages": int(self.rate * self.seconds), "batch": self.batch}
